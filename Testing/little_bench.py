"""An evaluation of a few thousand voxels: little people as held-out scans, the tiny model with its random weights."""

import numpy as np
from anatembed.ask.explorer import Explorer
from anatembed.scan.volume import Volume
from little_people import CENTRES_RAS, RADIUS_MM, VOCABULARY, little_person
from research.evaluation.baselines import Reference
from research.evaluation.bench import ANNOTATED, Bench, read_scans
from research.evaluation.label_maps import LabelMap
from research.evaluation.truth import Case, Structure
from tiny_model import tiny_checkpoint

CENTRES = {"one": (0.0, 0.0, 0.0), "two": (40.0, -20.0, 300.0), "labelled": (-15.0, 30.0, -100.0)}
TEMPLATES = ("example_ct_v1", "pt_013")


def structures(centre_ras, scale=(1.0, 1.0, 1.0)) -> list[Structure]:
    """Boxes of the organs of a little person, points in the vertebrae."""
    found = []
    for concept, place in CENTRES_RAS.items():
        middle = np.multiply(place, scale) + centre_ras
        half = RADIUS_MM * np.array(scale)
        found.append(Structure(concept, middle - half, middle + half, middle, middle, "vertebrae" not in concept))
    return found


def case_of(name: str, group: str) -> Case:
    person = little_person(name, centre_ras=CENTRES[name])
    volume = Volume(person.ct_kji, person.ijk_to_ras, "CT", name)
    return Case(name, group, volume, structures(CENTRES[name]), [], [])


def little_bench(training, checkpoint=None, with_baselines: bool = True) -> Bench:
    """Two annotated scans and one with labels; `training` gets the people that serve as templates."""
    for name in TEMPLATES:
        little_person(name).save(training / f"{name}.npz")
    checkpoint = checkpoint or tiny_checkpoint()
    groups = {"one": ANNOTATED, "two": ANNOTATED, "labelled": "labelled head-neck"}
    reference = Reference.of(little_person("reference", ct=False), VOCABULARY)
    scans = read_scans([case_of(*item) for item in groups.items()], checkpoint.preprocessing, reference)
    labelled = little_person("labelled", centre_ras=CENTRES["labelled"])
    values = {concept: index for index, concept in enumerate(CENTRES_RAS, start=2)}
    labels = {"labelled": LabelMap(Volume(labelled.labels_kji, labelled.ijk_to_ras), values)}
    bench = Bench("embedding", checkpoint, VOCABULARY, reference, scans, labels, training, with_baselines)
    for scan in scans:
        bench.explorers[scan.person] = Explorer(bench.embed(scan.case.volume), checkpoint, VOCABULARY)
    return bench
