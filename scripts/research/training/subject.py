"""One person of the training set: label map, CT where there is one, and where every voxel lies in the body frame."""
from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from anatembed.npz_file import save_arrays
from anatembed.output_file import UNFINISHED

OUTSIDE = 0  # label index of what is not the person
UNNAMED = 1  # label index of body without a name
UNNAMED_AIR = "unnamed air"  # label name of lung and gas that the source has no label for
UNNAMED_MUSCLE = "unnamed muscle"
TISSUE_OF_LABEL = {
    UNNAMED_AIR: "lung", UNNAMED_MUSCLE: "muscle", "unnamed artery": "artery", "unnamed vein": "vein",
    "unnamed bone": "bone", "unnamed soft tissue": "soft", "unnamed fluid": "fluid",
    **{f"air of {place}": "airway" for place in ("larynx", "nasopharynx", "oropharynx", "hypopharynx", "pharynx",
                                                 "nasal_cavity_left", "nasal_cavity_right", "maxillary_sinus_left",
                                                 "maxillary_sinus_right")},
}
"""Label names whose tissue is not that of a concept: body without a name, and the air in a hollow structure."""


@dataclass
class Subject:
    """A person on a RAS-canonical isotropic grid.

    labels_kji: uint8 or uint16 label indices, OUTSIDE and UNNAMED first.
    label_concepts: for each label index, the concept ids it may be: one is certain, several mean one of them.
    annotated: concept ids that would carry a label wherever they are visible; all others are unknown, never negative.
    ct_kji: int16 HU, or None for a label map without CT; valid_kji: False where the CT was cut away.
    ras_to_body: 4x4, RAS mm to the body frame in units of 100 mm, or None where no landmark fixes it.
    body_warp: float32 (3,K,J,I), what is to be added to the affine body coordinates (RAS, units of 100 mm) at the
    points of a coarse lattice with the affine warp_to_ras, or None for the affine alone.
    """

    name: str
    source: str
    labels_kji: np.ndarray
    label_concepts: list[tuple[str, ...]]
    annotated: frozenset[str]
    ijk_to_ras: np.ndarray
    ct_kji: np.ndarray | None = None
    ras_to_body: np.ndarray | None = None
    label_names: list[str] = field(default_factory=list)
    body_warp: np.ndarray | None = None
    warp_to_ras: np.ndarray | None = None

    def save(self, path: Path) -> None:
        """Write as compressed .npz, whole or not at all."""
        header = {
            "name": self.name,
            "source": self.source,
            "label_concepts": self.label_concepts,
            "annotated": sorted(self.annotated),
            "label_names": self.label_names,
        }
        arrays = {"labels_kji": self.labels_kji, "ijk_to_ras": self.ijk_to_ras}
        optional = {name: getattr(self, name) for name in ("ct_kji", "ras_to_body", "body_warp", "warp_to_ras")}
        arrays |= {name: array for name, array in optional.items() if array is not None}
        save_arrays(path, compressed=True, header=np.array(json.dumps(header)), **arrays)

    @classmethod
    def load(cls, path: Path) -> Subject:
        with np.load(path, allow_pickle=False) as file:
            header = json.loads(str(file["header"]))
            return cls(
                name=header["name"],
                source=header["source"],
                labels_kji=file["labels_kji"],
                label_concepts=[tuple(c) for c in header["label_concepts"]],
                annotated=frozenset(header["annotated"]),
                ijk_to_ras=file["ijk_to_ras"],
                ct_kji=file.get("ct_kji"),
                ras_to_body=file.get("ras_to_body"),
                label_names=header["label_names"],
                body_warp=file.get("body_warp"),
                warp_to_ras=file.get("warp_to_ras"),
            )


def subject_files(folder: Path) -> list[Path]:
    """The files of a prepared folder that hold subjects, by name; none that is still being written."""
    return sorted(path for path in folder.glob("*.npz") if not path.name.startswith(UNFINISHED))
