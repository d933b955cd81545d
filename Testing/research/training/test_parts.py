"""The parts of wholes: each where anatomy has it, on its own side, and none where the scan ends too early."""

import dataclasses
from functools import cache

import numpy as np
import pytest
from anatembed.geometry import transform_points
from anatembed.language.vocabulary import Vocabulary
from phantoms import centred_affine, voxel_positions
from research.training.parts import name_parts
from research.training.subject import UNNAMED, Subject
from research.training.targets import Taxonomy

VOCABULARY = Vocabulary.load()
IDS = frozenset(VOCABULARY.ids)
SHAPE_KJI, CENTRE_RAS, OFF_ORIGIN = (182, 46, 94), (0.0, 15.0, 305.0), (140.0, -260.0, -900.0)
SPACING = 4.0
FROM_UNNAMED = {"sternal_notch", "pubic_symphysis", "xiphoid_process"}
WHOLE_OF = {"psoas_major": "iliopsoas", "main_bronchus": "trachea", "lung_apex": "lung_upper_lobe"}
"""Parts that the vocabulary does not place below the whole that they are cut from."""
LOWER_END = {"sternum": 452.0, "xiphoid": 422.0}


def box(r, a, s):
    return lambda p: np.logical_and.reduce([(p[..., i] > x[0]) & (p[..., i] < x[1]) for i, x in enumerate((r, a, s))])


def ellipsoid(centre, half):
    return lambda p: (((p - centre) / half) ** 2).sum(axis=-1) < 1


def bronchus(p):
    run = 520 - p[..., 2]
    return (run > 0) & (run < 45) & (np.abs(p[..., 0] - 12 - 0.8 * run) < 8) & (np.abs(p[..., 1] - 29) < 9)


def ilium(p):
    border = 220 - 60 * (p[..., 1] / 60) ** 2
    return box((55, 66), (-60, 60), (10, 230))(p) & (p[..., 2] < border)


BALL = {"femur": (92.0, 20.0, 60.0), "humerus": (150.0, 20.0, 600.0)}
MIDDLE = {
    "sternum": [box((-26, 26), (80, 92), (555, 601)), box((-19, 19), (80, 92), (LOWER_END["sternum"], 560))],
    "vertebrae_T2": [box((-15, 15), (-40, -15), (590, 610))],
    "sacrum": [box((-40, 40), (-50, -20), (60, 170))],
    "abdominal_aorta": [box((-9, 9), (10, 26), (250, 430))],
    "thyroid_gland": [box((-30, 30), (20, 47), (610, 650))],
    "trachea": [box((-10, 10), (20, 38), (519, 640)), bronchus, lambda p: bronchus(p * (-1, 1, 1))],
}
RIGHT = {  # the left ones are their mirror images
    "clavicula": [box((22, 115), (70, 82), (590, 604))],
    "scapula": [box((117, 123), (-20, 30), (540, 620))],
    "humerus": [ellipsoid(BALL["humerus"], 22), box((140, 162), (9, 31), (450, 600))],
    "hip": [ilium, box((4, 66), (40, 60), (15, 45))],
    "femur": [ellipsoid(BALL["femur"], 24), box((92, 140), (10, 30), (45, 65)), box((130, 156), (5, 35), (-80, 70))],
    "iliopsoas": [box((25, 50), (0, 30), (20, 380))],
    "iliac_artery": [box((2, 12), (10, 26), (190, 250))],
    "kidney": [ellipsoid((75, -10, 340), (24, 22, 50))],
    "lung_upper_lobe": [ellipsoid((68, 10, 540), (45, 50, 80))],
}


@cache
def _adult(xiphoid: bool, origin_ras: tuple[float, float, float]) -> Subject:
    ijk_to_ras = centred_affine(SHAPE_KJI, np.diag([SPACING] * 3), np.add(CENTRE_RAS, origin_ras))
    positions = voxel_positions(SHAPE_KJI, ijk_to_ras) - origin_ras
    shapes = {name: list(solids) for name, solids in MIDDLE.items()}
    if xiphoid:
        shapes["sternum"].append(box((-7, 7), (80, 92), (LOWER_END["xiphoid"], 460)))
    labels = box((-182, 182), (-70, 102), (-200, 900))(positions).astype(np.uint8)
    concepts: list[str] = []
    for mirror, side in (((1, 1, 1), "right"), ((-1, 1, 1), "left")):
        for name, solids in RIGHT.items():
            concepts.append(f"{name}_{side}")
            labels[np.any([solid(positions * mirror) for solid in solids], axis=0)] = len(concepts) + 1
    for name, solids in shapes.items():
        concepts.append(name)
        labels[np.any([solid(positions) for solid in solids], axis=0)] = len(concepts) + 1
    return Subject("adult", "s", labels, [(), (), *((c,) for c in concepts)], frozenset(concepts), ijk_to_ras,
                   label_names=["outside", "unnamed", *concepts])


def adult(*, xiphoid=True, origin_ras=(0.0, 0.0, 0.0), heights=(-200.0, 900.0), ct=False) -> Subject:
    """An adult of boxes and balls around `origin_ras`; the scan shows the slices between two heights above it."""
    whole = _adult(xiphoid, origin_ras)
    height = whole.ijk_to_ras[2, 3] + SPACING * np.arange(SHAPE_KJI[0]) - origin_ras[2]
    first, last = np.flatnonzero((height > heights[0]) & (height < heights[1]))[[0, -1]]
    moved = whole.ijk_to_ras.copy()
    moved[2, 3] += SPACING * first
    labels = whole.labels_kji[first : last + 1].copy()
    return dataclasses.replace(
        whole, labels_kji=labels, ijk_to_ras=moved, label_concepts=list(whole.label_concepts),
        label_names=list(whole.label_names), ct_kji=np.where(labels > 0, -80, -1000).astype(np.int16) if ct else None,
    )


def positions_of(person: Subject, concept: str) -> np.ndarray:
    kji = np.argwhere(person.labels_kji == person.label_concepts.index((concept,)))
    return transform_points(person.ijk_to_ras, kji[:, ::-1])


@cache
def named_adult() -> Subject:
    person = adult()
    name_parts(person, IDS)
    return person


def sided(*names: str) -> set[str]:
    return {f"{name}_{side}" for name in names for side in ("left", "right")}


EVERY_PART = {"manubrium", "sternum_body", "xiphoid_process", "sternal_notch", "pubic_symphysis", "carina",
              "aortic_bifurcation"} | sided(
    "clavicle_medial_end", "humeral_head", "femoral_head", "greater_trochanter", "iliac_crest", "thyroid_lobe",
    "psoas_major", "main_bronchus", "lung_apex", "kidney_upper_pole", "kidney_lower_pole",
)


def test_every_part_of_an_adult_is_named_and_counts_as_annotated():
    person = adult()
    named = name_parts(person, IDS)
    assert sorted(named) == sorted(EVERY_PART)
    assert person.annotated == _adult(True, (0.0, 0.0, 0.0)).annotated | EVERY_PART
    assert len(person.label_names) == len(person.label_concepts) == person.labels_kji.max() + 1
    assert all(len(positions_of(person, part)) for part in EVERY_PART)


def test_every_voxel_of_a_whole_stays_the_whole_or_becomes_its_part():
    before, after = adult(), named_adult()
    for old, new in np.unique(np.stack([before.labels_kji, after.labels_kji]).reshape(2, -1), axis=1).T:
        if old == new:
            continue
        (part,) = after.label_concepts[new]
        if old == UNNAMED:
            assert part in FROM_UNNAMED
        else:
            (whole,) = after.label_concepts[old]
            name, side = part.rpartition("_")[::2]
            of = WHOLE_OF.get(name)
            assert whole in (VOCABULARY.ancestors(part) if of is None else {of, f"{of}_{side}"})


def test_the_targets_of_a_part_never_deny_the_whole_that_it_was_cut_from():
    before, after = adult(), named_adult()
    taxonomy = Taxonomy({c for options in after.label_concepts for c in options}, VOCABULARY)
    table = taxonomy.target_table(after)
    changed = (before.labels_kji != after.labels_kji) & (before.labels_kji != UNNAMED)
    for old, new in np.unique(np.stack([before.labels_kji[changed], after.labels_kji[changed]]), axis=1).T:
        (whole,) = after.label_concepts[old]
        assert table[new, taxonomy.ids.index(whole)] >= 0, (after.label_concepts[new], whole)


@pytest.mark.parametrize("origin_ras", [(0.0, 0.0, 0.0), OFF_ORIGIN])
def test_left_parts_lie_on_the_patients_left_and_mirror_the_right_ones(origin_ras):
    person = adult(origin_ras=origin_ras)
    name_parts(person, IDS)
    for part in (p for p in EVERY_PART if p.endswith("_left")):
        left = positions_of(person, part) - origin_ras
        right = positions_of(person, part.replace("_left", "_right")) - origin_ras
        assert left[:, 0].max() < 0 < right[:, 0].min()
        if "bronchus" in part:  # the left one is longer
            assert left[:, 2].min() < right[:, 2].min()
            continue
        np.testing.assert_allclose(left.mean(axis=0) * (-1, 1, 1), right.mean(axis=0), atol=1.5)


def test_the_sternum_is_parted_from_the_top_down_in_an_adults_proportions():
    heights = {p: positions_of(named_adult(), p)[:, 2] for p in ("manubrium", "sternum_body", "xiphoid_process")}
    assert heights["manubrium"].min() > heights["sternum_body"].max() > heights["sternum_body"].min()
    assert heights["sternum_body"].min() > heights["xiphoid_process"].max()
    assert 40 < np.ptp(heights["manubrium"]) < 54
    assert 85 < np.ptp(heights["sternum_body"]) < 105
    assert abs(heights["xiphoid_process"].max() - LOWER_END["sternum"]) < 9
    notch = positions_of(named_adult(), "sternal_notch")
    np.testing.assert_allclose(notch.mean(axis=0), (0, 86, 604), atol=4)
    assert len(positions_of(named_adult(), "manubrium")) > len(positions_of(adult(), "sternum")) / 4


def test_heads_and_trochanters_of_long_bones_lie_at_their_joints():
    for bone, (r, a, s) in BALL.items():
        head = positions_of(named_adult(), f"{'humeral' if bone == 'humerus' else 'femoral'}_head_left")
        np.testing.assert_allclose(head.mean(axis=0), (-r, a, s), atol=3.5)
        assert (np.abs(np.ptp(head, axis=0) - 45) < 9).all()
    trochanter = positions_of(named_adult(), "greater_trochanter_left")
    assert trochanter[:, 0].max() < -BALL["femur"][0] - 30
    assert 20 < trochanter[:, 2].min() < trochanter[:, 2].max() < 75


def test_the_iliac_crest_is_the_whole_upper_rim_and_only_the_rim():
    hip, crest = positions_of(adult(), "hip_left"), positions_of(named_adult(), "iliac_crest_left")
    border = 220 - 60 * (crest[:, 1] / 60) ** 2
    assert crest[:, 1].min() == hip[:, 1].min()
    assert crest[:, 1].max() == hip[:, 1].max()
    assert (border - crest[:, 2]).max() < 34
    assert crest[:, 2].min() > 130


def test_vessels_and_airways_are_parted_where_they_fork():
    assert positions_of(named_adult(), "aortic_bifurcation")[:, 2].max() < 262
    carina = positions_of(named_adult(), "carina")
    np.testing.assert_allclose(carina.mean(axis=0), (0, 29, 520), atol=9)
    assert positions_of(named_adult(), "main_bronchus_left")[:, 2].max() < 535
    assert positions_of(named_adult(), "trachea")[:, 2].max() > 630


def test_poles_apices_and_muscles_lie_at_their_ends():
    for part, low, high in (("kidney_upper_pole_left", 365, 390), ("kidney_lower_pole_left", 290, 315),
                            ("lung_apex_left", 590, 620), ("psoas_major_left", 170, 380)):
        heights = positions_of(named_adult(), part)[:, 2]
        assert low <= heights.min() < heights.max() <= high
    assert positions_of(named_adult(), "iliopsoas_left")[:, 2].max() < 173
    assert np.ptp(positions_of(named_adult(), "thyroid_gland")[:, 0]) < 12


@pytest.mark.parametrize(("heights", "missing"), [
    ((-200, 598), {"manubrium", "sternum_body", "xiphoid_process", "sternal_notch"}),
    ((-200, 618), sided("lung_apex", "humeral_head")),
    ((393, 900), {"aortic_bifurcation"} | sided("kidney_upper_pole", "kidney_lower_pole", "psoas_major")),
    ((480, 900), {"xiphoid_process"}),
    ((300, 900), sided("kidney_lower_pole", "kidney_upper_pole")),
    ((40, 900), {"pubic_symphysis"} | sided("femoral_head", "greater_trochanter")),
    ((30, 900), sided("greater_trochanter")),
    ((-200, 215), sided("iliac_crest", "psoas_major")),
    ((540, 900), {"carina"} | sided("main_bronchus")),
])
def test_a_part_whose_end_may_be_cut_by_the_field_of_view_is_not_named(heights, missing):
    person = adult(heights=heights)
    named = set(name_parts(person, IDS))
    assert not named & missing
    assert named
    for part in named:  # what is named is what it is in the whole person
        inside = {tuple(position) for position in positions_of(named_adult(), part)}
        hits = sum(tuple(position) in inside for position in positions_of(person, part))
        assert hits > 0.75 * len(positions_of(person, part)), part


@pytest.mark.parametrize(("side", "columns"), [("left", slice(32, None)), ("right", slice(None, 62))])
def test_a_hip_that_is_cut_at_the_side_of_the_volume_has_no_crest(side, columns):
    person = adult()
    hip = person.labels_kji == person.label_concepts.index((f"hip_{side}",))
    assert 0 < hip[:, :, columns].sum() < hip.sum()
    person.labels_kji = person.labels_kji[:, :, columns]
    person.ijk_to_ras = person.ijk_to_ras.copy()
    person.ijk_to_ras[0, 3] += SPACING * (columns.start or 0)
    named = name_parts(person, IDS)
    assert f"iliac_crest_{side}" not in named
    assert len({"iliac_crest_left", "iliac_crest_right"} & set(named)) == 1


def test_specks_of_a_label_far_from_it_do_not_move_its_parts():
    person = adult()
    k, j, i = np.argwhere(person.labels_kji == person.label_concepts.index(("sternum",))).max(axis=0)
    person.labels_kji[k + 12, j, i] = person.label_concepts.index(("sternum",))
    name_parts(person, IDS)
    for part in ("manubrium", "xiphoid_process", "sternal_notch"):
        np.testing.assert_array_equal(positions_of(person, part), positions_of(named_adult(), part))


def test_the_manubrium_is_named_above_a_cut_that_takes_the_lower_sternum_away():
    person = adult(heights=(510, 900))
    assert {"manubrium", "sternum_body", "sternal_notch"} <= set(name_parts(person, IDS))
    assert 36 < np.ptp(positions_of(person, "manubrium")[:, 2]) < 50


def test_a_sternum_without_the_level_of_the_clavicles_is_not_parted():
    person = adult()
    for concept in ("clavicula_left", "clavicula_right", "vertebrae_T2"):
        person.labels_kji[person.labels_kji == person.label_concepts.index((concept,))] = UNNAMED
    assert not {"manubrium", "sternum_body", "xiphoid_process"} & set(name_parts(person, IDS))


def test_a_xiphoid_without_a_label_is_the_unnamed_bone_below_the_sternum():
    person = adult(xiphoid=False, ct=True)
    assert "xiphoid_process" not in name_parts(person, IDS)
    person = adult(xiphoid=False, ct=True)
    bone = box((-7, 7), (80, 92), (422, 452))(voxel_positions(person.labels_kji.shape, person.ijk_to_ras))
    person.ct_kji[bone] = 250
    assert "xiphoid_process" in name_parts(person, IDS)
    assert bone[person.labels_kji == person.label_concepts.index(("xiphoid_process",))].all()


def test_a_xiphoid_without_label_and_ct_gets_its_usual_place():
    person = adult(xiphoid=False)
    assert "xiphoid_process" in name_parts(person, IDS)
    np.testing.assert_allclose(positions_of(person, "xiphoid_process").mean(axis=0), (0, 86, 440), atol=5)


def test_parts_that_the_vocabulary_lacks_stay_the_whole():
    person = adult()
    assert name_parts(person, IDS - EVERY_PART | {"manubrium"}) == ["manubrium"]
    whole = len(positions_of(adult(), "sternum"))
    assert len(positions_of(person, "manubrium")) + len(positions_of(person, "sternum")) == whole


def test_parts_that_the_source_annotates_itself_are_left_to_it():
    person = adult()
    person.annotated |= {"manubrium"}
    person.label_concepts[person.label_concepts.index(("vertebrae_T2",))] = ("femoral_head_left",)
    own = positions_of(person, "femoral_head_left")
    named = name_parts(person, IDS)
    assert not {"manubrium", "femoral_head_left"} & set(named)
    assert {"sternum_body", "femoral_head_right"} <= set(named)
    np.testing.assert_array_equal(positions_of(person, "femoral_head_left"), own)


@pytest.mark.parametrize("doubt", ["one of two", "lent"])
def test_a_label_that_is_not_surely_the_whole_is_not_parted(doubt):
    person = adult()
    index = person.label_concepts.index(("sternum",))
    if doubt == "lent":
        person.label_names[index] = "lent sternum"
    else:
        person.label_concepts[index] = ("sternum", "costal_cartilages")
    assert not {"manubrium", "sternum_body", "sternal_notch"} & set(name_parts(person, IDS))
    assert (person.labels_kji == index).sum() == (adult().labels_kji == index).sum()


def test_more_labels_than_a_byte_counts_keep_their_voxels():
    person = adult()
    person.label_names += [f"more {i}" for i in range(225)]
    person.label_concepts += [()] * 225
    assert set(name_parts(person, IDS)) == EVERY_PART
    for part in EVERY_PART:
        np.testing.assert_array_equal(positions_of(person, part), positions_of(named_adult(), part))


def test_a_person_without_any_of_the_wholes_stays_unchanged():
    person = adult()
    person.labels_kji[person.labels_kji > UNNAMED] = UNNAMED
    assert name_parts(person, IDS) == []
    assert set(np.unique(person.labels_kji)) <= {0, UNNAMED}


@pytest.mark.parametrize("linear", [np.diag([-3.0, 3.0, 3.0]), np.diag([3.0, 3.0, -3.0]), 3 * np.eye(3)[[1, 0, 2]]])
def test_a_grid_that_is_not_ras_canonical_is_refused(linear):
    person = adult()
    person.ijk_to_ras = centred_affine(SHAPE_KJI, linear)
    with pytest.raises(ValueError, match="expected a RAS-canonical grid"):
        name_parts(person, IDS)
