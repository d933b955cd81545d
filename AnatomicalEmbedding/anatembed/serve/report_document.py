"""A report that was read beside its scan as plain data, and the text file that it came from."""
from __future__ import annotations

import sys
from pathlib import Path

from anatembed.ask.key_slices import AxialSlices, scan_slice
from anatembed.ask.report import MOST_CHARACTERS, Choice, ReportReading, check_report

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


def report_document(reading: ReportReading, explorer, volume=None) -> dict:
    """Mentions and key slices; positions are RAS mm, numbers of slices and mentions begin at 0.

    volume: the scan, if it is at hand; key slices then say which of its slices they are.
    """
    slices = AxialSlices(explorer.map)
    return {
        "characters": len(reading.text),
        "mentions": [
            {
                "start": read.mention.start, "end": read.mention.end, "text": read.mention.text,
                "kind": read.mention.kind, "negated": read.mention.negated, "status": read.status,
                "reason": read.reason, "choices": [_choice(choice) for choice in read.choices],
            }
            for read in reading.mentions
        ],
        "key_slices": [
            {
                "index": one.index, "of": slices.count, "position_ras": _rounded(one.position_ras),
                "scan_slice": None if volume is None else _scan_slice(volume, one.position_ras),
                "score": round(one.score, 4), "shows": list(one.shows), "mentions": reading.seen_in(one),
            }
            for one in reading.slices
        ],
        "seconds": round(reading.seconds, 3),
    }


def _choice(choice: Choice) -> dict:
    hit = choice.hit
    return {
        "id": choice.id, "name": choice.name, "side": choice.side,
        "found": hit is not None, "shown": choice.shown,
        "position_ras": None if hit is None else _rounded(hit.position_ras),
        "confidence": None if hit is None else round(float(hit.confidence), 4),
        "presence": None if choice.presence is None else round(float(choice.presence), 4),
        "reason": choice.reason,
    }


def _scan_slice(volume, position_ras) -> dict:
    axis, number = scan_slice(volume.array_kji.shape, volume.ijk_to_ras, position_ras)
    return {"axis": axis, "index": number, "of": volume.array_kji.shape["kji".index(axis)]}


def _rounded(position_ras) -> list[float]:
    return [round(float(value), 2) for value in position_ras]
