"""One process per visitor: begun before it is needed, ended with all its files when the visitor has gone."""

import asyncio
import json
import os
import secrets
import shutil
import signal
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from web_demo.app_start import Start
from web_demo.examples import give_maps
from web_demo.limits import EMBEDDING_SLOT, Limits

_START_SECONDS, _END_SECONDS = 120.0, 4.0
_SPARE_AFTER_SECONDS = 3.0
_LOOK_SECONDS = 0.5
_LIBRARY = Path(__file__).resolve().parents[2] / "AnatomicalEmbedding"


class Full(RuntimeError):
    """No place is free."""


@dataclass
class Session:
    """A visitor's process; `key` is known to it and to the launcher only, `id` also to the visitor; `visitor` is the
    cookie of the browser that it belongs to."""

    folder: Path
    # Lower case: the page's script makes an address lower case.
    id: str = field(default_factory=lambda: secrets.token_hex(16))
    key: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    port: int = 0
    visitor: str = ""
    process: asyncio.subprocess.Process | None = None
    sockets: set = field(default_factory=set)
    last_seen: float = field(default_factory=time.monotonic)

    def is_alive(self) -> bool:
        return self.process is not None and self.process.returncode is None

    async def start(self, slot: Path, limits: Limits, log) -> None:
        """Until its server answers; RuntimeError if it does not."""
        start = Start(self.key, str(slot), asdict(limits))
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "web_demo.app", str(self.folder), env=environment(), start_new_session=True,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=log,
        )
        self.process.stdin.write(json.dumps(asdict(start)).encode() + b"\n")
        try:
            line = await asyncio.wait_for(self.process.stdout.readline(), _START_SECONDS)
            self.port = json.loads(line)["port"]
        except (TimeoutError, ValueError, KeyError) as error:
            await self.end()
            raise RuntimeError("The page for a visitor cannot be started; --verbose says more.") from error
        self.last_seen = time.monotonic()

    async def end(self) -> None:
        """No process and no file of it is left."""
        for socket in list(self.sockets):
            await socket.close()
        if self.is_alive():
            self.process.stdin.close()
            try:
                await asyncio.wait_for(self.process.wait(), _END_SECONDS)
            except TimeoutError:
                with suppress(ProcessLookupError):
                    os.killpg(self.process.pid, signal.SIGKILL)
                await self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class Sessions:
    """The visitors, at most `places`; who has not been there for `keep_seconds` is ended.

    `folder` is private and gone after `end`; `examples` has the maps of the example scans.
    """

    def __init__(self, folder: Path, examples: Path, places: int, keep_seconds: float, limits: Limits, log) -> None:
        self._folder, self._examples, self._limits, self._log = folder, examples, limits, log
        self.places, self._keep_seconds = places, keep_seconds
        self._sessions: dict[str, Session] = {}
        self._spare: asyncio.Task | None = None
        self._tasks: set[asyncio.Task] = set()
        self._ended = False

    def begin(self) -> None:
        """Prepare the first visitor's process, and look after the others from now on."""
        self._prepare(0.0)
        self._later(self._look_after())

    def find(self, session_id: str) -> Session | None:
        session = self._sessions.get(session_id)
        return session if session is not None and session.is_alive() else None

    def count(self) -> int:
        return len(self._sessions)

    async def take(self) -> Session:
        """A session for a new visitor; Full, or RuntimeError in the visitor's words."""
        if self.count() >= self.places:
            raise Full(f"All {self.places} places are taken. Try again in a few minutes.")
        session = Session(self._folder)  # holds the place while its process starts
        placeholder = session.id
        self._sessions[placeholder] = session
        try:
            spare, self._spare = self._spare, None
            session = await (spare if spare is not None else self._start(0.0))
        finally:
            del self._sessions[placeholder]
        session.last_seen = time.monotonic()
        self._sessions[session.id] = session
        self._prepare(_SPARE_AFTER_SECONDS)
        return session

    async def end(self) -> None:
        """End every process and delete every file."""
        self._ended = True
        if self._spare is not None:
            self._spare.cancel()
            with suppress(asyncio.CancelledError, RuntimeError):
                await (await self._spare).end()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*(session.end() for session in self._sessions.values()), return_exceptions=True)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _prepare(self, delay: float) -> None:
        if self._spare is None and not self._ended and self.count() < self.places:
            self._spare = asyncio.create_task(self._start(delay))

    async def _start(self, delay: float) -> Session:
        await asyncio.sleep(delay)
        folder = self._folder / secrets.token_hex(8)
        folder.mkdir(mode=0o700)
        session = Session(folder)
        try:
            await asyncio.to_thread(give_maps, self._examples, folder / "maps")
            await session.start(self._folder / EMBEDDING_SLOT, self._limits, self._log)
        except BaseException:
            await session.end()
            raise
        return session

    async def _look_after(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            now = time.monotonic()
            for session in list(self._sessions.values()):
                if session.port == 0:
                    continue
                if session.sockets:
                    session.last_seen = now
                if not session.is_alive() or now - session.last_seen > self._keep_seconds:
                    del self._sessions[session.id]
                    self._later(session.end())
            self._prepare(_SPARE_AFTER_SECONDS)

    def _later(self, work) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def environment() -> dict[str, str]:
    """Of a process that finds the library and this page."""
    path = [str(_LIBRARY), str(Path(__file__).resolve().parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path), "PYTHONUNBUFFERED": "1"}
