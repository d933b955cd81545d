"""Child processes for the tests of Worker: programs in the place of Slicer's Python, and who is told of them."""

import os
import time
from pathlib import Path

import numpy as np
from anatembed.scan.volume import Volume
from AnatomicalEmbeddingLib.Worker import Worker

LONG = 60
TINY = Volume(np.zeros((2, 3, 4), np.int16), np.eye(4), "CT", "tiny")
STEP = "import json, sys\ndef step(**one): print(json.dumps(one), file=sys.stderr, flush=True)\n"
FOREVER = "import signal; signal.pause()\n"


class Told:
    """What a worker tells, and a timer that only counts."""

    def __init__(self):
        self.steps, self.ends, self.timers, self.files = [], [], 0, []

    def onProgress(self, stage, fraction, secondsLeft):
        self.steps.append((stage, fraction, secondsLeft))

    def onEnded(self, failure, result):
        self.ends.append((failure, result))
        self.files.append(sorted(path.name for path in result.parent.iterdir()) if isinstance(result, Path) else [])

    def every(self, callback):
        self.timers += 1
        self.callback = callback

        def stop():
            self.timers -= 1

        return stop

    @property
    def failure(self):
        assert len(self.ends) == 1
        assert self.timers == 0
        return self.ends[0][0]


def until(worker: Worker, condition) -> None:
    deadline = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < deadline, f"nothing for {LONG} s"
        worker.wait(1)


def finish(worker: Worker) -> None:
    until(worker, lambda: not worker.isRunning())


def isAlive(processId: int) -> bool:
    try:
        state = Path(f"/proc/{processId}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state not in "ZX"


def waitUntilGone(*processIds: int) -> None:
    deadline = time.monotonic() + 5
    while any(map(isAlive, processIds)):
        assert time.monotonic() < deadline
        os.sched_yield()


FAMILY = (
    "import subprocess\n"
    "deaf = 'import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); signal.pause()'\n"
    "grandchild = subprocess.Popen([sys.executable, '-c', deaf], stdout=subprocess.PIPE)\n"
    "grandchild.stdout.readline()\n"
    "import os; step(stage=f'{os.getpid()} {grandchild.pid}', fraction=0)\n"
)


def family(told) -> list[int]:
    return [int(word) for word in told.steps[0][0].split()]
