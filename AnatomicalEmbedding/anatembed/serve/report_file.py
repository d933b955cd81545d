"""The text file of a radiology report."""
from __future__ import annotations

import sys
from pathlib import Path

from anatembed.ask.report import MOST_CHARACTERS, check_report

_MOST_BYTES = 4 * MOST_CHARACTERS + 4


def read_report_file(name: str) -> str:
    """The text of a file, or of standard input for "-"; FileNotFoundError, or ValueError if it is no plain report."""
    if name == "-":
        content, shown = sys.stdin.buffer.read(_MOST_BYTES), "standard input"
    else:
        path = Path(name)
        if not path.is_file():
            raise FileNotFoundError(f"expected a text file with a report, found none at {path}")
        with path.open("rb") as file:
            content, shown = file.read(_MOST_BYTES), path.name
    if len(content) == _MOST_BYTES:
        raise ValueError(f"{shown}: expected a report of at most {MOST_CHARACTERS:,} characters, got more")
    try:
        return check_report(content.decode("utf-8-sig"))
    except UnicodeDecodeError as cause:
        raise ValueError(f"{shown}: expected a report as plain text in UTF-8, got something else") from cause
    except ValueError as cause:
        raise ValueError(f"{shown}: {cause}") from cause
