"""How long visitors of the web page wait when several ask at once, and whether a session grows.

python scripts/benchmarks/web.py load [--sessions 10] [--questions 6] [-o Resources/Evaluation/web.json]
python scripts/benchmarks/web.py leak [--cycles 200]

Each visitor is a program that speaks the page's own protocol over the web socket, with four views of 460x360 pixels;
a browser's own work is not in it. leak: in one session a tiny scan is sent, read, embedded (after the first time from
the session's maps), asked, painted and closed again and again.
"""
from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path

import aiohttp
import numpy as np
from anatembed.output_file import write_text
from anatembed.scan.files import read_volume, write_volume
from anatembed.scan.volume import Volume
from anatembed.shipped_file import shipped_file
from trame_server.client import WsLinkSession

sys.path.append(str(Path(__file__).resolve().parents[1]))
from web_demo.launcher_process import LauncherProcess  # noqa: E402

QUESTIONS = ("left kidney", "liver", "spleen", "aorta", "right lung", "urinary bladder", "L3", "brain")
VIEWS = ("Red", "Green", "Yellow", "ThreeD")
SIZE = {"w": 460, "h": 360, "p": 1}
_TINY = slice(40, 80, 2)
_SECONDS = 300


def browser() -> aiohttp.ClientSession:
    """A client that keeps the page's cookie, of an address without a name too."""
    return aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))


class Visitor:
    """A session of its own, as a page would use it."""

    async def open(self, address: str, client: aiohttp.ClientSession) -> Visitor:
        async with client.post(f"{address}/begin") as answer:
            answer.raise_for_status()
            self.url = str(answer.url).rsplit("/", 1)[0]
        self._client = client
        socket = await client.ws_connect(self.url.replace("http", "ws", 1) + "/ws", max_msg_size=0)
        self._session = WsLinkSession(socket)
        self._listening = asyncio.create_task(self._session.listen())
        await (await self._session.auth(secret="wslink-secret"))
        self._frames: dict[str, int] = {}
        self._session.register_subscription("trame.rca.topic.stream", self._count)
        for view in VIEWS:
            await self.call("trame.rca.size", view, view, SIZE)
        await self.until(lambda state: state["embedded"])
        return self

    async def call(self, method: str, *arguments):
        return await asyncio.wait_for(await self._session.call(method, list(arguments)), _SECONDS)

    async def press(self, button: str, *arguments) -> None:
        await self.call("trame.trigger", button, list(arguments), {})

    async def state(self) -> dict:
        return (await self.call("trame.state.get"))["state"]

    async def until(self, condition) -> dict:
        """The page's state once it is so."""
        end = time.monotonic() + _SECONDS
        while not condition(state := await self.state()):
            if time.monotonic() > end:
                raise TimeoutError(f"the page does not come to it: {state['message']}")
            await asyncio.sleep(0.05)
        return state

    async def ask(self, question: str) -> tuple[float, float]:
        """Seconds until the answer, and until a picture after it."""
        begin, frames = time.perf_counter(), self._frames.get("Red", 0)
        await self.press("find", question)
        answer = time.perf_counter()
        while question != "brain" and self._frames.get("Red", 0) == frames:
            await asyncio.sleep(0.005)
        return answer - begin, time.perf_counter() - begin

    async def send(self, path: Path) -> None:
        async with self._client.post(f"{self.url}/upload", data=path.read_bytes(),
                                     headers={"X-File-Name": path.name}) as answer:
            answer.raise_for_status()

    def _count(self, event) -> None:
        self._frames[event["name"]] = self._frames.get(event["name"], 0) + 1


def memory_mb(process: int) -> tuple[float, float]:
    """Resident memory, and the share of it that no other process has (Linux: RSS and PSS)."""
    lines = dict(line.split(":") for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()[1:])
    return tuple(float(lines[name].split()[0]) / 1000 for name in ("Rss", "Pss"))


async def load(address: str, sessions: int, questions: int, launcher: LauncherProcess) -> dict:
    """What visitors wait for, alone and together, and the memory of their processes."""
    async with browser() as client:
        visitors, opening = [], []
        for _ in range(sessions):
            begin = time.perf_counter()
            visitors.append(await Visitor().open(address, client))
            opening.append(time.perf_counter() - begin)
        alone = np.array([await visitors[0].ask(QUESTIONS[number % len(QUESTIONS)]) for number in range(questions)])

        async def ask_on(offset: int) -> list:
            return [await visitors[offset].ask(QUESTIONS[(offset + number) % len(QUESTIONS)])
                    for number in range(questions)]

        together = np.array(await asyncio.gather(*map(ask_on, range(sessions)))).reshape(-1, 2)
        memory = np.array([memory_mb(process) for process in launcher.session_processes()])
    resident, share = memory.mean(0)
    seconds = {"opening": np.array(opening)}
    for column, what in enumerate(("answer", "picture")):
        seconds |= {f"{what}, alone": alone[:, column], f"{what}, together": together[:, column]}
    return {
        "sessions": sessions,
        "seconds": {what: _spread(values) for what, values in seconds.items()},
        "memory": {"process_gb": resident / 1000, "own_share_gb": share / 1000, "all_gb": memory[:, 1].sum() / 1000},
    }


def table(figures: dict) -> list[str]:
    """The figures of `load` for people."""
    lines = [f"{'':34}{'median':>9}{'95 %':>9}{'worst':>9}   s"]
    lines += [f"{what:34}" + "".join(f"{value:9.2f}" for value in row.values())
              for what, row in figures["seconds"].items()]
    memory = figures["memory"]
    return [*lines, f"memory of a visitor's process: {memory['process_gb']:.2f} GB resident, "
                    f"{memory['own_share_gb']:.2f} GB its own share; all together: {memory['all_gb']:.2f} GB"]


def _spread(seconds: np.ndarray) -> dict[str, float]:
    return {"median": float(np.median(seconds)), "95 %": float(np.quantile(seconds, 0.95)),
            "worst": float(seconds.max())}


async def leak(address: str, cycles: int, launcher: LauncherProcess, folder: Path) -> None:
    whole = read_volume(shipped_file("cort_trunk_ct.nii.gz"))
    affine = whole.ijk_to_ras @ np.diag([2, 2, _TINY.step, 1])
    tiny = Volume(whole.array_kji[_TINY, ::2, ::2].copy(), affine, "CT", "tiny")
    path = folder / "tiny.nii.gz"
    write_volume(tiny, path)
    async with browser() as client:
        visitor = await Visitor().open(address, client)
        (process,) = launcher.session_processes()  # there is one place, so that none waits for the next visitor
        begin = time.perf_counter()
        measured = []
        for cycle in range(1, cycles + 1):
            await visitor.send(path)
            await visitor.until(lambda state: len(state["scans"]) == 2 and not state["opening"])
            await visitor.press("embed")
            await visitor.until(lambda state: state["embedded"] and not state["embedding"])
            await visitor.ask("liver")
            await visitor.press("show", "structures")
            await visitor.press("remove")
            await visitor.until(lambda state: len(state["scans"]) == 1)
            measured.append(memory_mb(process)[0])
            if cycle == 1 or cycle % max(1, cycles // 10) == 0:
                files = sum(1 for _ in Path(f"/proc/{process}/fd").iterdir())
                print(f"cycle {cycle:4}: {measured[-1]:7.0f} MB resident, {files} open files, "
                      f"{(time.perf_counter() - begin) / cycle:.1f} s a cycle", flush=True)
        half = np.arange(cycles)[cycles // 2:]
        slope = np.polyfit(half, np.array(measured)[cycles // 2:], 1)[0] if len(half) > 2 else 0.0
        print(f"growth in the second half: {1000 * slope:.0f} kB a cycle")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("load", "leak"))
    parser.add_argument("--sessions", type=int, default=10)
    parser.add_argument("--questions", type=int, default=6)
    parser.add_argument("--cycles", type=int, default=200)
    parser.add_argument("-o", "--output", type=Path, metavar="FILE.json", help="keep the figures of load")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        places = options.sessions if options.what == "load" else 1
        launcher = LauncherProcess(Path(folder), "--places", str(places), "--keep-seconds", "600")
        try:
            if options.what == "leak":
                asyncio.run(leak(launcher.address, options.cycles, launcher, Path(folder)))
                return
            figures = asyncio.run(load(launcher.address, options.sessions, options.questions, launcher))
            print("\n".join(table(figures)))
            if options.output:
                write_text(options.output, json.dumps(figures, indent=1) + "\n")
        finally:
            launcher.end()


if __name__ == "__main__":
    main()
