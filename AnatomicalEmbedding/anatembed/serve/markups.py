"""Findings as a list of points that 3D Slicer reads: its markups file, .mrk.json."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from anatembed.geometry import LPS_TO_RAS, transform_points
from anatembed.output_file import write_text

SUFFIX = ".mrk.json"
SCHEMA = (
    "https://raw.githubusercontent.com/slicer/slicer/master/Modules/Loadable/Markups/Resources/Schema/"
    "markups-schema-v1.0.3.json#"
)


@dataclass(frozen=True)
class Finding:
    """A named place, RAS mm; `note` is free text."""

    name: str
    position_ras: tuple[float, float, float]
    note: str = ""


def document(findings: Sequence[Finding]) -> dict:
    """The content of the file; ValueError for a position that is not three finite numbers."""
    return {
        "@schema": SCHEMA,
        "markups": [
            {
                "type": "Fiducial",
                "coordinateSystem": "LPS",
                "coordinateUnits": "mm",
                "locked": False,
                "fixedNumberOfControlPoints": False,
                "labelFormat": "%N-%d",
                "lastUsedControlPointNumber": len(findings),
                "controlPoints": [_point(number, one) for number, one in enumerate(findings, 1)],
            }
        ],
    }


def write_markups(findings: Sequence[Finding], path: Path | str) -> None:
    """Write the findings whole or not at all; ValueError for a bad position, or if it cannot be written."""
    write_text(path, json.dumps(document(findings), ensure_ascii=False, indent=2) + "\n")


def _point(number: int, finding: Finding) -> dict:
    position = np.asarray(finding.position_ras, np.float64)
    if position.shape != (3,) or not np.isfinite(position).all():
        got = position.tolist()
        raise ValueError(f"expected a RAS position of three finite numbers for {finding.name!r}, got {got}")
    # Adding zero turns -0.0 into 0.0. The matrix that leads from LPS to RAS is its own inverse.
    lps = transform_points(LPS_TO_RAS, position) + 0.0
    return {
        "id": str(number),
        "label": finding.name,
        "description": finding.note,
        "associatedNodeID": "",
        "position": lps.tolist(),
        "selected": True,
        "locked": False,
        "visibility": True,
        "positionStatus": "defined",
    }
