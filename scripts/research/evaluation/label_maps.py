"""The held-out scans that have a label map: where the files are and what their values mean."""
from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from anatembed.language.vocabulary import Vocabulary
from anatembed.scan.files import read_volume
from anatembed.scan.volume import Volume

from research.training import label_names
from research.training.sources import read_tsv_labels

CHEST, HEAD_NECK = "labelled chest", "labelled head-neck"


@dataclass(frozen=True)
class LabelledScan:
    """Files of a scan and its label map, the name of each value (None where it names nothing), and a group."""

    scan: Path
    labels: Path
    names: dict[int, str | None]
    group: str

    @property
    def person(self) -> str:
        return self.scan.name.split("_ct")[0]


@dataclass(frozen=True)
class LabelMap:
    """A label map and the value of each concept in it."""

    volume: Volume
    values: dict[str, int]


def labelled_scans(data: Path, split: dict) -> Iterator[LabelledScan]:
    """The labelled scans that are on the evaluation list of `split`."""
    folder = data / "real_ct_labelled"
    names = read_tsv_labels(folder / "aorta_report_labels.tsv")
    yield LabelledScan(folder / "aorta_report_ct.nii.gz", folder / "aorta_report_seg.nii.gz", names, CHEST)
    planning = data / "openkbp"
    names = {v: label_names.contoured(n) for v, n in read_tsv_labels(planning / "labels.tsv").items()}
    for row in csv.DictReader((planning / "index.csv").read_text().splitlines()):
        if row["split"] == split["evaluation_openkbp"] and row["has_ct"] == "True":
            scan, labels = (planning / f"{row['id']}_{kind}.nii.gz" for kind in ("ct", "seg"))
            yield LabelledScan(scan, labels, names, HEAD_NECK)


def read_label_maps(data: Path, split: dict, vocabulary: Vocabulary) -> dict[str, LabelMap]:
    """Every label map by person; values that name nothing known are left out."""
    found = {}
    for one in labelled_scans(data, split):
        values = {concept: value for value, concept in one.names.items() if concept in vocabulary}
        found[one.person] = LabelMap(read_volume(one.labels), values)
    return found
