"""Which scans are said not to lie as their files say, as they are and upside down.

python scripts/benchmarks/orientation.py SCAN [SCAN ...] [-o Resources/Evaluation/orientation.json]

Every scan (NIfTI, NRRD, DICOM) is embedded as it is, stood on its head by turning its voxels about the left-right axis,
and mirrored from head to feet; the file's directions stay.
"""
from __future__ import annotations

import argparse
import json
import logging
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from anatembed.ask.index import QueryIndex
from anatembed.ask.orientation import fit_along_body
from anatembed.maps.inference import embed
from anatembed.model.checkpoint import Checkpoint, load_checkpoint
from anatembed.output_file import write_text
from anatembed.scan.files import read_volume
from anatembed.scan.volume import Volume

LOG = logging.getLogger(__name__)
AXES = {"as it is": (), "head to feet": (2,), "on its head": (1, 2)}
"""World axes (R, A, S) along which the voxels are reversed."""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("scans", type=Path, nargs="+", metavar="SCAN")
    arguments.add_argument("-o", "--output", type=Path, metavar="FILE.json")
    options = arguments.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    checkpoint = load_checkpoint()
    rows = []
    for scan in options.scans:
        rows += [{"scan": scan.name.split(".")[0]} | row for row in judged(read_volume(scan), checkpoint)]
        LOG.info("%s", rows[-len(AXES) :])
    lines = ["| scan | stored | slope | explained | mm | unusual |", "|---|---|---|---|---|---|"]
    for row in rows:
        cells = (row["scan"], row["stored"], row["slope"], row["explained"], row["extent_mm"], row["unusual"])
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    sys.stdout.write("\n".join(lines) + "\n")
    if options.output:
        write_text(options.output, json.dumps({"model": checkpoint.encoder_id, "rows": rows}, indent=1) + "\n")


def judged(volume: Volume, checkpoint: Checkpoint) -> list[dict]:
    """The fit of a scan stored in each of the ways of AXES."""
    rows = []
    for stored, axes in AXES.items():
        made = embed(reversed_along(volume, axes), checkpoint, force=True)
        fit = fit_along_body(QueryIndex(made, checkpoint.readout, checkpoint.encoder_id))
        if fit is not None:
            figures = {name: round(value, 2) for name, value in asdict(fit).items()}
            rows.append({"stored": stored, **figures, "unusual": fit.is_unusual})
    return rows


def reversed_along(volume: Volume, axes: tuple[int, ...]) -> Volume:
    """The scan with its voxels in reverse order along the array axes nearest to world axes; the affine stays."""
    array = volume.array_kji
    for axis in axes:
        array = np.flip(array, 2 - int(np.argmax(np.abs(volume.ijk_to_ras[axis, :3]))))
    return replace(volume, array_kji=np.ascontiguousarray(array))


if __name__ == "__main__":
    main()
