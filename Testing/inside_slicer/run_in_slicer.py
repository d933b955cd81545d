"""Runs the module's own test inside the Slicer application and ends it with the outcome.

Slicer --no-splash --testing --additional-module-path AnatomicalEmbedding \\
    --python-script Testing/inside_slicer/run_in_slicer.py

It fails too when Slicer's log holds a traceback of this extension, which Slicer prints and forgets, and when a test was
skipped, unless the environment has MAY_SKIP, for a Slicer without PyTorch: the reason is printed then. A table of what
works is printed, and added to the file that the environment names in VERDICT.
"""

import os
import re
import sys
import unittest
from pathlib import Path

MODULE = "AnatomicalEmbedding"
HEADING = re.compile(r"^\[[A-Z]+\]\[\w+\] [\d.]+ [\d:]+ \[.*?\] \(.*?\) - ")
OURS = re.compile(rf'File ".*(?:{MODULE}|anatembed)')


def main(maySkip: bool) -> int:
    """Run every test of the module; the exit code."""
    import slicer

    slicer.util.selectModule(MODULE)
    suite = unittest.TestLoader().loadTestsFromTestCase(getattr(__import__(MODULE), f"{MODULE}Test"))
    result = unittest.TextTestRunner(sys.stderr, verbosity=2).run(suite)
    log = Path(slicer.app.errorLogModel().filePath).read_text(encoding="utf-8", errors="replace")
    found = tracebacks(log)
    sys.stderr.write("".join(f"In Slicer's log:\n{one}\n" for one in found))
    skipped = [f"{test}: {reason}" for test, reason in result.skipped]
    sys.stderr.write("".join(f"Skipped: {one}\n" for one in skipped))
    good = result.wasSuccessful() and result.testsRun and not found and (not skipped or maySkip)
    code = 0 if good else 1
    version = f"Slicer {slicer.app.applicationVersion} (revision {getattr(slicer.app, 'revision', 'unknown')})"
    text = verdict(version, result, sys.modules[MODULE], found, code)
    sys.stderr.write(text)
    if "VERDICT" in os.environ:
        with open(os.environ["VERDICT"], "a", encoding="utf-8") as file:
            file.write(text)
    return code


def verdict(slicerVersion: str, result, module, tracebacksFound: list, code: int) -> str:
    """What works in this Slicer as a table in Markdown, then the tracebacks that Slicer has only printed."""
    said = {test.id(): f"not tried: {reason}" for test, reason in result.skipped}
    for test, trace in (*result.failures, *result.errors):
        # The first line of the error itself: it is not indented, as those of the traceback above it are.
        error = next((line for line in trace.splitlines()[1:] if line[:1] not in ("", " ")), "no reason")
        said[test.id()] = f"does not work: {error}"
    tests = unittest.TestLoader().loadTestsFromTestCase(getattr(module, f"{MODULE}Test"))
    rows = [
        f"| {test.id().rpartition('.test_')[2].replace('_', ' ')} | {said.get(test.id(), 'works').replace('|', '/')} |"
        for test in tests
    ]
    lines = [f"## {'Not good' if code else 'Good'}: {slicerVersion}", "", "| what | outcome |", "|---|---|", *rows, ""]
    lines += [f"In Slicer's log:\n```\n{one}\n```\n" for one in tracebacksFound]
    return "\n".join(lines) + "\n"


def tracebacks(log: str) -> list[str]:
    """The tracebacks in a log that name a file of this extension. Slicer puts a heading before each of their lines."""
    lines = [HEADING.sub("", line) for line in log.splitlines()]
    found = []
    for start, line in enumerate(lines):
        if line.startswith("Traceback (most recent call last)"):
            # Up to the error itself, which is the first line that is not indented.
            end = next((n for n in range(start + 1, len(lines)) if lines[n][:1] not in ("", " ")), len(lines) - 1)
            found.append("\n".join(lines[start : end + 1]))
    return [one for one in found if OURS.search(one)]


if __name__ == "__main__":
    import slicer.util

    code = 1
    try:
        code = main("MAY_SKIP" in os.environ)
    finally:
        slicer.util.exit(code)
