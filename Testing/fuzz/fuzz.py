"""Damages good scans and gives them to the command line: no file may crash it, make it hang or fill the memory.

python Testing/fuzz/fuzz.py [--seconds 60] [--seed 0]; `make fuzz` goes on for an hour. Exits with 1, and keeps the
file, for what did not hold.
"""

import argparse
import io
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path

TESTING = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTING.parent / "AnatomicalEmbedding"), str(TESTING), str(TESTING / "fuzz")]

HELD = {0, 2, 3, 6}
"""Exit codes: done, refused in one sentence, not in this scan, one of several to choose."""
MEMORY_BYTES = 6_000_000_000
SECONDS_A_FILE = 60


@dataclass
class Outcome:
    """How many files ended how, and what did not hold: sentences with the file that was kept."""

    codes: Counter = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)


def fuzz(seconds: float, seed: int, keep: Path) -> Outcome:
    """Children try one file after the other for so long; the next child goes on behind a file that ended the last."""
    outcome, ends, number = Outcome(), time.monotonic() + seconds, 0
    with tempfile.TemporaryDirectory() as folder:
        while time.monotonic() < ends:
            number = _one_child(Path(folder), seed, number, ends, outcome, keep)
    return outcome


def _one_child(folder: Path, seed: int, first: int, ends: float, outcome: Outcome, keep: Path) -> int:
    """The number of the next file."""
    command = [sys.executable, __file__, "--child", str(folder), "--seed", str(seed), "--first", str(first)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    said = time.monotonic()
    finished, number, current = threading.Event(), first, ""
    hangs: list[str] = []

    def watch() -> None:
        while not finished.wait(0.5):
            if time.monotonic() - said > SECONDS_A_FILE:
                hangs.append("hung")
            if hangs or time.monotonic() > ends + SECONDS_A_FILE:
                child.kill()
                return

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    assert child.stdout is not None
    for line in child.stdout:
        said, report = time.monotonic(), json.loads(line)
        if "file" in report:
            if time.monotonic() > ends:
                current = ""
                break
            current, number = report["file"], report["number"] + 1
            continue
        current = ""
        outcome.codes[report["code"]] += 1
        if report["code"] not in HELD or report["lines"] > 1:
            outcome.broken.append(f"{_kept(report['of'], keep, number)}: {report['code']} {report['said'][:300]}")
    finished.set()
    child.kill()
    code = child.wait()
    if current:
        outcome.broken.append(f"{_kept(current, keep, number)}: {'hung' if hangs else f'ended with {code}'}")
    elif number == first and time.monotonic() < ends:
        raise RuntimeError(f"the child that tries files ended with {code} before the first one")
    return number


def _kept(path: str, keep: Path, number: int) -> Path:
    keep.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copy(path, keep / f"{number}-{Path(path).name}"))


def try_files(folder: Path, seed: int, first: int) -> None:
    """In a child: JSON lines on standard output, one before each file and one after it, until it is ended."""
    from anatembed.model.checkpoint import save_checkpoint
    from anatembed.serve.cli import main as command_line
    from mutations import mutated, write_good
    from tiny_model import tiny_checkpoint

    model, good_folder = folder / "model.npz", folder / "good"
    if not model.exists():
        good_folder.mkdir()
        write_good(good_folder)
        save_checkpoint(tiny_checkpoint(), model)
    good = sorted(path for path in good_folder.iterdir() if path.is_file())
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    reports = os.fdopen(os.dup(1), "w", buffering=1)
    number = first
    while True:
        chance = random.Random(f"{seed} {number}")
        source = chance.choice(good)
        path = folder / f"scan{''.join(source.suffixes)}"
        path.write_bytes(mutated(source.read_bytes(), chance))
        print(json.dumps({"file": str(path), "number": number}), file=reports)
        out, err = io.StringIO(), io.StringIO()
        command = ["embed", str(path), "-o", str(folder / "map.npz"), "--model", str(model), "--no-cache"]
        try:
            with redirect_stdout(out), redirect_stderr(err):
                code: int | str = command_line([*command, "--device", "cpu"])
        except Exception as error:  # whatever it is, it was not held
            code, err = f"{type(error).__name__}", io.StringIO(str(error))
        said = err.getvalue().strip()
        lines = said.count("\n") + 1 if code == 2 else 1
        print(json.dumps({"of": str(path), "code": code, "lines": lines, "said": said}), file=reports)
        number += 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, default=Path("out/fuzz"), help="folder for files that did not hold")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--first", type=int, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        try_files(options.child, options.seed, options.first)
    outcome = fuzz(options.seconds, options.seed, options.keep)
    print(f"{sum(outcome.codes.values())} files, by exit code: {dict(outcome.codes)}")
    print("\n".join([f"{len(outcome.broken)} did not hold", *outcome.broken]))
    return 1 if outcome.broken else 0


if __name__ == "__main__":
    sys.exit(main())
