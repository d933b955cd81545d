"""The launcher as a program of its own, for tests and benchmarks."""

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from web_demo.sessions import environment

_START_SECONDS = 300


class LauncherProcess:
    """`address` of a running launcher; `end` stops it as the user's Ctrl-C would."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.files = folder / "files"
        self.files.mkdir()
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self._log = (folder / "launcher.log").open("w+")
        command = [sys.executable, "-m", "web_demo", "--port", str(self.port), "--verbose", *options]
        self.process = subprocess.Popen(
            command, env={**environment(), "TMPDIR": str(self.files)},
            stdout=self._log, stderr=subprocess.STDOUT, start_new_session=True,
        )
        self._wait()

    def visitors(self) -> int:
        return self._health()["visitors"]

    def session_folders(self) -> list[Path]:
        """Folders of visitors' processes, one of them of the process that waits for the next visitor."""
        return [path for folder in self.files.glob("anatembed-web-*") for path in folder.iterdir() if path.is_dir()]

    def session_processes(self) -> list[int]:
        """Ids of the visitors' processes, from the kernel's list."""
        ids = []
        for path in Path("/proc").glob("[0-9]*"):
            try:
                parent = int((path / "stat").read_text().rsplit(")", 1)[1].split()[1])
                command = (path / "cmdline").read_bytes()
            except (OSError, IndexError, ValueError):
                continue
            if parent == self.process.pid and b"web_demo.app" in command:
                ids.append(int(path.name))
        return ids

    def log(self) -> str:
        self._log.flush()
        return Path(self._log.name).read_text(errors="replace")

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(30)
        self._log.close()

    def _wait(self) -> None:
        end = time.monotonic() + _START_SECONDS
        while self.process.poll() is None and time.monotonic() < end:
            try:
                self._health()
                return
            except urllib.error.HTTPError:  # it answers, and asks for its token
                return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError(f"The launcher does not answer:\n{self.log()}")

    def _health(self) -> dict:
        with urllib.request.urlopen(f"{self.address}/healthy", timeout=5) as answer:
            return json.load(answer)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]
