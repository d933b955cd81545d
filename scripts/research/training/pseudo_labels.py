"""Weak labels for unlabelled CTs: what a trained model says of a scan alike however the scan is presented to it.

The scan is embedded as it is, zoomed with noise, and in parts. A voxel gets a name only where all views are confident
of the name, agree about the place in the body, and the voxel looks like the tissue. All else stays unnamed, and nothing
becomes annotated: silence of the model is never a negative.
"""
from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
from anatembed.geometry import transform_points
from anatembed.language.vocabulary import Vocabulary
from anatembed.model.checkpoint import Checkpoint
from scipy import ndimage

from research.training.looks import LOOKS, Look, View, agreement, look_at
from research.training.placement import Placement, Reference
from research.training.subject import OUTSIDE, UNNAMED, Subject
from research.training.tissues import tissue_of

SURE, SURE_IN_EACH = 0.65, 0.5
"""Probability that a name needs in the mean of the views, and in every one of them."""
PLACE_ERROR_MM = 15.0
"""Largest median distance of the lungs' outline from the reference's with which a scan counts as placed."""
MAX_STRETCH = 1.22
"""A person's shape beyond that was never seen in whole lungs, and always when a thin slab shows little of them."""
TOLERANCE_MM = 12.0
"""How far from a structure of the reference, laid over the scan, its name is believed."""
MIN_VOXELS = 10
MIN_SHARE = 0.1
"""Pieces smaller than this share of the largest one are dropped."""
UNTRUSTED = ("gi", "vessel", "region")
TRUSTED = ("stomach", "esophagus", "aorta", "thoracic_aorta", "abdominal_aorta", "inferior_vena_cava",
           "superior_vena_cava")
NUMBERED = re.compile(r"^(rib_(left|right)_\d+|vertebrae_.*)$")
CEILINGS = {"lung_lower_lobe_left": 1.8, "lung_lower_lobe_right": 1.8, "heart": 1.2}
"""Body coordinates (100 mm above T12) up to which a name is believed. The oblique fissure reaches the back at T4 to T5,
but a model that has seen few lungs takes the upper lobe behind the arch of the aorta for the lower one; and the roots
of the great vessels for heart."""
RIB_TO_LUNG_VOXELS = 3
"""A scapula is farther from the lung than that: muscles and ribs lie between."""
AIR_HU, LUNG_HU, LUNG_VOXELS, LUNG_VOTES = -600, -500, 500, 30
ONE_SIDED = 0.98
TAUGHT = "taught "
"""Begins the names of labels that a model gave, so that they can be taken away again."""
HU_OF_TISSUE = {
    "lung": (-1100, -400), "airway": (-1100, -400), "bone": (100, 4000), "brain": (-20, 90), "cord": (-20, 120),
    "artery": (-20, 500), "vein": (-20, 500), "heart": (-50, 500), "myocardium": (-20, 300), "fluid": (-50, 2000),
}
USUAL_HU = (-80, 300)


def pseudo_label(subject: Subject, checkpoint: Checkpoint, reference: Reference, seed: int = 0) -> Subject:
    """`subject` with the names and the place in the body frame that the model is sure of; ValueError without a CT.

    Labels that an earlier call gave are replaced; a scan that the model cannot place is returned without any.
    """
    if subject.ct_kji is None:
        raise ValueError(f"expected a person with a CT, {subject.name} has none")
    random = np.random.default_rng(seed)
    least_mm = checkpoint.preprocessing.min_extent_mm
    views = [look_at(subject, checkpoint, look, random) for look in LOOKS if height_mm(subject, look) > least_mm]
    return label_by_views(subject, views, reference)


def height_mm(subject: Subject, look: Look) -> float:
    """How much of a person's height a look shows, without the slice that rounding may cost."""
    slices = int((look.part[1] - look.part[0]) * subject.ct_kji.shape[0]) - 1
    return slices * look.zoom * float(np.abs(subject.ijk_to_ras[2, 2]))


def label_by_views(subject: Subject, views: list[View], reference: Reference) -> Subject:
    """`subject` with the names that all views (the first covers all) and the reference person agree on."""
    subject, vocabulary = untaught(subject), reference.vocabulary
    kji = np.argwhere(subject.labels_kji != OUTSIDE)
    positions = transform_points(subject.ijk_to_ras, kji[:, ::-1])
    seen = np.array([view.covers(positions) for view in views])
    agreed = agreement(views, positions, seen)
    kji, positions, seen = kji[agreed], positions[agreed], seen[:, agreed]
    names = sure_names(subject, views, vocabulary, kji, positions, seen)
    lungs = whole_lungs(subject, names)
    # Half a lung has an outline too, but the wrong one.
    outlined = {concept: field for concept, field in names.items() if not concept.startswith("lung_")} | lungs
    placement = reference.place(with_names(subject, outlined, vocabulary))
    if placement is None or placement.error_mm > PLACE_ERROR_MM or placement.stretch > MAX_STRETCH:
        return subject
    names = {c: plausible(c, field, subject, placement, reference) for c, field in (names | lungs).items()}
    placed = replace(subject, ras_to_body=placement.ras_to_body, body_warp=None, warp_to_ras=None)
    return with_names(placed, names, vocabulary)


def sure_names(
    subject: Subject, views: list[View], vocabulary: Vocabulary, kji: np.ndarray, positions: np.ndarray,
    seen: np.ndarray,
) -> dict[str, np.ndarray]:
    """Probability (K,J,I), 0 where not sure, of every concept that is in the scan and is sure somewhere."""
    first, found = views[0].index, {}
    for concept in views[0].likely_concepts(SURE_IN_EACH):
        if not teachable(concept, vocabulary):
            continue
        field = first.probability_kji(concept)
        if field.max() < SURE_IN_EACH or first.presence(concept, field) < first.readout.presence_threshold:
            continue
        where = np.flatnonzero(views[0].sample(field, positions) >= SURE_IN_EACH)
        where = where[looks_like(concept, vocabulary, subject, kji[where])]
        if len(where) < MIN_VOXELS:
            continue
        there = positions[where]
        each = np.stack([view.sample(view.index.probability_kji(concept), there) for view in views])
        mean = (each * seen[:, where]).sum(axis=0) / seen[:, where].sum(axis=0)
        sure = (mean >= SURE) & ((each >= SURE_IN_EACH) | ~seen[:, where]).all(axis=0)
        probability = np.zeros(subject.labels_kji.shape, np.float32)
        probability[tuple(kji[where[sure]].T)] = mean[sure]
        if probability.any():
            found[concept] = probability
    return found


def whole_lungs(subject: Subject, names: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Probability (K,J,I) of each lung: 1 in a large space of air whose sure voxels are all of that lung.

    Models are sure of the middle of a lung at first; its outline is what places a person.
    """
    air = (subject.ct_kji < AIR_HU) & (subject.labels_kji != OUTSIDE)
    parts, count = ndimage.label(ndimage.binary_erosion(air, iterations=2, border_value=1))
    sizes = np.bincount(parts.ravel(), minlength=count + 1)
    votes = {side: np.zeros(count + 1) for side in ("left", "right")}
    for concept, probability in names.items():
        side = concept.rsplit("_", 1)[-1]
        if concept.startswith("lung_") and side in votes:
            votes[side] = np.maximum(votes[side], np.bincount(parts[probability > 0], minlength=count + 1))
    all_votes = votes["left"] + votes["right"]
    found = {}
    for side, own in votes.items():
        of_side = (sizes >= LUNG_VOXELS) & (own >= LUNG_VOTES) & (own >= ONE_SIDED * all_votes)
        of_side[0] = False
        lung = ndimage.binary_dilation(of_side[parts], iterations=2) & (subject.ct_kji < LUNG_HU)
        if lung.any():
            found[f"lung_{side}"] = lung.astype(np.float32)
    return found


def teachable(concept: str, vocabulary: Vocabulary) -> bool:
    """Whether a model is believed at all: not about numbers of ribs and vertebrae (off by one as a rule), parts of
    the bowel, vessels (of a few voxels each) but the aorta and the caval veins, and the brainstem (learnt from
    contours of its lower end, and found all over the middle of the brain)."""
    category = vocabulary[concept].category
    if category in UNTRUSTED:
        return concept in TRUSTED
    return concept != "brainstem" and not NUMBERED.search(concept)


def looks_like(concept: str, vocabulary: Vocabulary, subject: Subject, kji: np.ndarray) -> np.ndarray:
    """Whether voxels (N,3) have the HU of the concept's tissue: bool (N,); bone counts up to its surface, and ribs only
    beside the lung."""
    tissue = tissue_of(concept, vocabulary)
    low, high = HU_OF_TISSUE.get(tissue, USUAL_HU)
    hu, at = subject.ct_kji[tuple(kji.T)], tuple(kji.T)
    if tissue != "bone":
        return (hu >= low) & (hu <= high)
    fits = (hu >= USUAL_HU[0]) & ndimage.binary_dilation(subject.ct_kji >= low)[at]
    if concept == "rib_cage":
        lung = (subject.ct_kji < LUNG_HU) & (subject.labels_kji != OUTSIDE)
        fits &= ndimage.binary_dilation(ndimage.binary_opening(lung), iterations=RIB_TO_LUNG_VOXELS + 1)[at]
    return fits


def plausible(
    concept: str, probability_kji: np.ndarray, subject: Subject, placement: Placement, reference: Reference
) -> np.ndarray:
    """`probability_kji` where the reference has the concept (or the least whole of it) near, on its side of the body;
    0 elsewhere, and everywhere if the reference has neither."""
    vocabulary = reference.vocabulary
    kji = np.argwhere(probability_kji)
    positions = transform_points(subject.ijk_to_ras, kji[:, ::-1])
    lineage = [concept, *(c for c in vocabulary.ancestors(concept) if vocabulary[c].category != "region")]
    there = transform_points(placement.ras_to_reference, positions)
    distances = next((d for c in lineage if (d := reference.distances(c, there)) is not None), None)
    kept = np.zeros_like(probability_kji)
    if distances is not None:
        right, _, height = transform_points(placement.ras_to_body, positions).T
        fits = (distances <= TOLERANCE_MM) & on_its_side(concept, vocabulary, right)
        fits &= height <= CEILINGS.get(concept, np.inf)
        kji = tuple(kji[fits].T)
        kept[kji] = probability_kji[kji]
    return kept


def on_its_side(concept: str, vocabulary: Vocabulary, right: np.ndarray) -> np.ndarray:
    """Whether body coordinates (N,) to the right are on the side of a paired structure; no pair, no side."""
    if vocabulary[concept].side_policy != "paired":
        return np.ones(len(right), bool)
    return right > 0 if vocabulary[concept].laterality == "right" else right < 0


def with_names(subject: Subject, names: dict[str, np.ndarray], vocabulary: Vocabulary) -> Subject:
    """`subject` with each voxel's most specific name, the most probable one of rivals, inside what the source says."""
    wholes_first = sorted(names, key=lambda concept: len(vocabulary.ancestors(concept)))
    chosen = np.full(subject.labels_kji.shape, -1, np.int16)
    best = np.zeros(chosen.shape, np.float32)
    for number, concept in enumerate(wholes_first):
        ancestors = vocabulary.ancestors(concept)
        wholes = [n for n, other in enumerate(wholes_first) if other in ancestors]
        better = (names[concept] > best) | ((names[concept] > 0) & np.isin(chosen, wholes))
        better &= np.isin(subject.labels_kji, _open_labels(subject, concept, ancestors))
        chosen[better], best[better] = number, names[concept][better]
    labels, concepts, label_names = subject.labels_kji.astype(np.uint16), [*subject.label_concepts], [
        *subject.label_names]
    for number, concept in enumerate(wholes_first):
        here = without_specks(chosen == number)
        for old in np.unique(subject.labels_kji[here]):
            concepts.append((concept,))
            label_names.append(f"{TAUGHT}{concept} in {subject.label_names[old]}")
            labels[here & (subject.labels_kji == old)] = len(concepts) - 1
    labels = labels.astype(np.uint8) if len(concepts) <= 256 else labels
    return replace(subject, labels_kji=labels, label_concepts=concepts, label_names=label_names)


def _open_labels(subject: Subject, concept: str, wholes: tuple[str, ...]) -> list[int]:
    """Labels of the source inside which a concept may be: unnamed, or a whole of it.

    Where the source annotates one of these, unnamed means that it is not there.
    """
    own = [i for i, c in enumerate(subject.label_concepts) if len(c) == 1 and c[0] in wholes]
    return own if {concept, *wholes} & subject.annotated else [UNNAMED, *own]


def without_specks(mask: np.ndarray) -> np.ndarray:
    """The larger connected pieces of a mask."""
    pieces, _ = ndimage.label(mask, structure=np.ones((3, 3, 3)))
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    return (sizes >= max(MIN_VOXELS, MIN_SHARE * sizes.max()))[pieces]


def untaught(subject: Subject) -> Subject:
    """`subject` without the labels that a model gave it earlier."""
    lookup = np.arange(len(subject.label_names))
    for index, name in enumerate(subject.label_names):
        if name.startswith(TAUGHT):
            lookup[index] = subject.label_names.index(name.split(" in ", 1)[1])
    count = next((i for i, name in enumerate(subject.label_names) if name.startswith(TAUGHT)), len(lookup))
    labels = lookup.astype(subject.labels_kji.dtype)[subject.labels_kji]
    return replace(subject, labels_kji=labels, label_concepts=subject.label_concepts[:count],
                   label_names=subject.label_names[:count])
