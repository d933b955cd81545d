"""Names for an unlabelled scan: kept where all views agree, and nowhere else."""

from dataclasses import replace

import numpy as np
import pseudo_label as script
import pytest
from anatembed.geometry import transform_points
from anatembed.model.checkpoint import save_checkpoint
from anatembed.scan.files import write_volume
from anatembed.scan.volume import Volume
from little_chest import LUNG_CENTRE_RAS, VOCABULARY, little_chest
from little_people import little_person
from phantoms import centred_affine, rotation
from planted import CENTRES_RAS, planted_checkpoint, planted_map, whole_body_map
from research.people_split import read_split
from research.training import pseudo_labels
from research.training.looks import LOOKS, View
from research.training.placement import Placement, Reference
from research.training.pseudo_labels import TAUGHT, label_by_views, looks_like, pseudo_label, teachable, whole_lungs
from research.training.sources import unlabelled_slab, without_filler
from research.training.subject import UNNAMED, Subject
from tiny_model import tiny_checkpoint

LEARNT = ("liver", "spleen", "kidney_left", "kidney_right")
"""Organs of the little chest that lie clear of its lungs."""


@pytest.fixture(scope="module")
def reference():
    return Reference(little_chest("reference"), VOCABULARY)


@pytest.fixture(scope="module")
def scan():
    """A chest of which only the lungs are labelled, and which has no place in the body frame yet."""
    return replace(little_chest("one", organs=()), ras_to_body=None)


@pytest.fixture
def placed(monkeypatch, reference):
    """`reference` that places every scan at once where it is: the search has tests of its own."""
    placement = reference.place(little_chest("one", organs=()))
    monkeypatch.setattr(reference, "place", lambda subject: placement)
    return reference


def labelled(subject, views, reference) -> Subject:
    return label_by_views(subject, [View(one, planted_checkpoint()) for one in views], reference)


def voxels(subject, concept) -> np.ndarray:
    """RAS positions (N,3) of the voxels that surely are a concept."""
    own = [i for i, concepts in enumerate(subject.label_concepts) if concepts == (concept,)]
    return transform_points(subject.ijk_to_ras, np.argwhere(np.isin(subject.labels_kji, own))[:, ::-1])


def test_what_two_views_agree_on_is_named_in_its_place_and_the_person_is_placed(scan, reference):
    found = labelled(scan, [whole_body_map(), whole_body_map()], reference)
    for organ in LEARNT:
        assert np.linalg.norm(voxels(found, organ).mean(axis=0) - CENTRES_RAS[organ]) < 4
        assert len(voxels(found, organ)) > 200
    np.testing.assert_allclose(found.ras_to_body, np.diag([0.01, 0.01, 0.01, 1]), atol=0.06)
    assert found.annotated == frozenset()
    assert (found.labels_kji[scan.labels_kji > UNNAMED] == scan.labels_kji[scan.labels_kji > UNNAMED]).all()


@pytest.mark.parametrize("linear", [np.diag([-6.0, -6.0, 6.0]), rotation((1, 2, 3), 15) @ np.diag([-6.0, 6.5, 7.0])])
def test_names_lie_where_they_belong_whatever_the_grid_of_a_view(scan, placed, linear):
    balls = [([name], CENTRES_RAS[name]) for name in LEARNT]
    found = labelled(scan, [whole_body_map(), planted_map(balls, linear=linear, shape_kji=(28, 26, 34))], placed)
    for organ in LEARNT:
        assert np.linalg.norm(voxels(found, organ).mean(axis=0) - CENTRES_RAS[organ]) < 5


def test_what_one_view_does_not_see_is_not_named(scan, placed):
    found = labelled(scan, [whole_body_map(), whole_body_map(left_out=("spleen",))], placed)
    assert not len(voxels(found, "spleen"))
    assert len(voxels(found, "liver")) > 200


def test_views_that_disagree_about_the_place_in_the_body_name_nothing_there(scan, placed):
    higher = whole_body_map()
    features = higher.features_ckji.copy()
    features[2, :, :, features.shape[3] // 2 :] += 0.35
    found = labelled(scan, [whole_body_map(), replace(higher, features_ckji=features)], placed)
    assert not len(voxels(found, "liver"))
    assert len(voxels(found, "spleen")) > 100


def test_a_name_never_crosses_the_midline(monkeypatch, scan, placed):
    monkeypatch.setattr(pseudo_labels, "TOLERANCE_MM", 1000.0)
    wide = [([name], CENTRES_RAS[name]) for name in LEARNT if not name.startswith("kidney")]
    wide += [(["kidney_left"], (x, -20.0, -30.0)) for x in (-60.0, -40.0, -20.0, 0.0, 15.0)]
    ct = scan.ct_kji.copy()
    ct[10:20] = 45
    found = labelled(replace(scan, ct_kji=ct), [planted_map(wide)] * 2, placed)
    left = voxels(found, "kidney_left")
    assert len(left) > 200
    assert left[:, 0].max() < 3


def test_a_name_far_from_where_the_reference_has_the_structure_is_not_believed(scan, placed):
    at = (30.0, 35.0, -45.0)  # on the liver's side of the body coordinate, but 50 mm from the liver
    ct = scan.ct_kji.copy()
    ct[:20] = 45
    found = labelled(replace(scan, ct_kji=ct), [planted_map([(["liver"], CENTRES_RAS["liver"]), (["liver"], at)])] * 2,
                     placed)
    assert np.linalg.norm(voxels(found, "liver") - at, axis=1).min() > 20
    assert len(voxels(found, "liver")) > 200


def test_only_voxels_that_look_like_the_tissue_are_named(scan, placed):
    ct = scan.ct_kji.copy()
    ct[:, ::2] = np.where(ct[:, ::2] == 45, -700, ct[:, ::2])
    found = labelled(replace(scan, ct_kji=ct), [whole_body_map()] * 2, placed)
    named = found.labels_kji == found.label_concepts.index(("liver",))
    assert named.any() and not named[:, ::2].any()


def test_bone_counts_to_its_surface_lung_must_hold_air_and_ribs_lie_beside_it():
    hu = np.full((9, 9, 24), 40, np.int16)
    hu[..., 4:18] = 300
    hu[..., 18:] = -800
    body = replace(little_chest("one"), ct_kji=hu, labels_kji=np.ones(hu.shape, np.uint8))
    kji = np.array([[4, 4, i] for i in range(24)])
    for concept, first, last in (("sternum", 3, 17), ("lung_left", 18, 23), ("rib_cage", 14, 17)):
        assert list(np.flatnonzero(looks_like(concept, VOCABULARY, body, kji))) == list(range(first, last + 1))
    outside = replace(body, labels_kji=np.where(hu < 0, 0, body.labels_kji))
    assert not looks_like("rib_cage", VOCABULARY, outside, kji).any()


def test_parts_win_over_their_wholes_and_the_rest_of_the_whole_keeps_its_name(scan, placed):
    balls = [(["heart", "heart_ventricle_left"], CENTRES_RAS["heart"]), (["heart"], (35.0, 0.0, 50.0))]
    ct = np.where(scan.ct_kji == -100, 40, scan.ct_kji)
    found = labelled(replace(scan, ct_kji=ct), [planted_map(balls)] * 2, placed)
    part, whole = (voxels(found, name) for name in ("heart_ventricle_left", "heart"))
    assert len(part) > 50 and len(whole) > 50
    assert np.linalg.norm(part - CENTRES_RAS["heart"], axis=1).max() < 22


def test_a_scan_of_which_the_model_is_sure_of_nothing_stays_as_it_was(scan, placed):
    found = labelled(scan, [planted_map([])] * 2, placed)
    np.testing.assert_array_equal(found.labels_kji, scan.labels_kji)
    assert found.label_names == scan.label_names


def test_a_scan_that_cannot_be_placed_stays_as_it_was(scan, reference):
    no_lungs = replace(little_chest("one", organs=(), lungs=()), ras_to_body=None)
    found = labelled(no_lungs, [whole_body_map()] * 2, reference)
    np.testing.assert_array_equal(found.labels_kji, no_lungs.labels_kji)
    assert found.ras_to_body is None


@pytest.mark.parametrize("wrong", [{"error_mm": 30.0}, {"ras_to_reference": np.diag([1, 1, 0.75, 1])}], ids=str)
def test_a_place_that_fits_badly_or_stretches_the_person_is_not_believed(monkeypatch, scan, reference, wrong):
    placement = replace(Placement(np.eye(4), np.diag([0.01, 0.01, 0.01, 1]), 2.0), **wrong)
    monkeypatch.setattr(reference, "place", lambda subject: placement)
    found = labelled(scan, [whole_body_map()] * 2, reference)
    np.testing.assert_array_equal(found.labels_kji, scan.labels_kji)
    assert found.ras_to_body is None


def test_labelling_again_replaces_the_earlier_names(scan, placed):
    once = labelled(scan, [whole_body_map()] * 2, placed)
    again = labelled(once, [whole_body_map()] * 2, placed)
    np.testing.assert_array_equal(again.labels_kji, once.labels_kji)
    assert again.label_names == once.label_names
    assert any(name.startswith(TAUGHT) for name in once.label_names)
    nothing = labelled(once, [planted_map([])] * 2, placed)
    np.testing.assert_array_equal(nothing.labels_kji, scan.labels_kji)


def test_what_the_source_annotates_is_never_added_to(placed):
    annotating = replace(little_chest("one", organs=(), annotated=("spleen",)), ras_to_body=None)
    found = labelled(annotating, [whole_body_map()] * 2, placed)
    assert not len(voxels(found, "spleen"))
    assert len(voxels(found, "liver")) > 200


def test_ribs_vertebrae_bowel_small_vessels_and_the_brainstem_are_not_taught():
    refused = ("rib_left_5", "vertebrae_T7", "colon", "duodenum", "renal_artery_left", "brainstem")
    assert not any(teachable(concept, VOCABULARY) for concept in refused)
    assert all(teachable(concept, VOCABULARY) for concept in ("rib_cage", "spine", "stomach", "aorta", "liver"))


def test_a_lung_is_completed_from_its_middle_only_if_no_other_lung_is_seen_in_it(monkeypatch):
    monkeypatch.setattr(pseudo_labels, "LUNG_VOXELS", 300)
    chest = little_chest("one", organs=(), lungs=())
    middle = {}
    for side, sign in (("left", -1), ("right", 1)):
        at = np.linalg.inv(chest.ijk_to_ras) @ [*np.multiply(LUNG_CENTRE_RAS, (sign, 1, 1)), 1]
        i, j, k = np.rint(at[:3]).astype(int)
        middle[side] = np.zeros(chest.ct_kji.shape, np.float32)
        middle[side][k - 2 : k + 3, j - 3 : j + 4, i - 3 : i + 4] = 0.9
    lungs = whole_lungs(chest, {"lung_left": middle["left"], "lung_lower_lobe_right": middle["right"]})
    for side, lung in lungs.items():
        own = little_chest("one", organs=(), lungs=(side.removeprefix("lung_"),)).labels_kji > UNNAMED
        assert (own & (lung > 0)).sum() > 0.9 * own.sum() and not (lung > 0)[~own].any()
    assert set(lungs) == {"lung_left", "lung_right"}
    assert whole_lungs(chest, {"lung_left": middle["left"], "lung_right": middle["left"]}) == {}


def test_a_person_without_a_ct_is_refused(reference):
    with pytest.raises(ValueError, match="expected a person with a CT, one has none"):
        pseudo_label(replace(little_chest("one"), ct_kji=None), planted_checkpoint(), reference)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_slab_loses_its_filler_and_nothing_else_and_is_not_named(tmp_path, sign):
    hu = np.full((30, 30, 40), -1000, np.int16)
    hu[:, 8:22, 8:32] = 40
    hu[12:15, 14:17, 28:31] = 900
    hu[0], hu[1], hu[-1] = 0, -300, 0  # the filler, and what a reformat blends with it
    hu[-2] = -350
    hu[1, 0, 0] = hu[-2, 0, 0] = -299
    ijk_to_ras = centred_affine(hu.shape, np.diag([sign * -3.0, -3.0, sign * 3.0]), (100.0, -50.0, 700.0))
    path = tmp_path / "one_slab.nii.gz"
    write_volume(Volume(hu, ijk_to_ras, "CT"), path)
    slab = unlabelled_slab(path)
    assert slab.ct_kji.shape[0] == 26 and slab.name == "one_slab" and slab.annotated == frozenset()
    assert set(np.unique(slab.labels_kji)) == {0, UNNAMED} and (slab.labels_kji > 0).mean() < 0.4
    bright = transform_points(slab.ijk_to_ras, np.argwhere(slab.ct_kji > 600)[:, ::-1]).mean(axis=0)
    np.testing.assert_allclose(bright, transform_points(ijk_to_ras, [29.0, 15.0, 13.0]), atol=0.2)


def test_a_slab_of_filler_only_is_refused():
    with pytest.raises(ValueError, match="expected slices with an image in them, got 0 of 5"):
        without_filler(Volume(np.zeros((5, 6, 7), np.int16), np.eye(4)))


@pytest.fixture
def prepared(tmp_path):
    """A prepared folder with a reference, a chest CT without organs, and a labelled person."""
    little_chest("reference", source="totalsegmentator").save(tmp_path / script.REFERENCE)
    replace(little_chest("chest", organs=()), ras_to_body=None).save(tmp_path / "chest.npz")
    little_chest("other", source="openkbp").save(tmp_path / "other.npz")
    return tmp_path


def contents(folder) -> dict:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_script_rewrites_unlabelled_people_only(prepared, monkeypatch, caplog):
    caplog.set_level("INFO")
    before = contents(prepared)
    name = f"{TAUGHT}liver in unnamed"

    def teach(subject, checkpoint, reference):
        return replace(subject, label_concepts=[*subject.label_concepts, ("liver",)],
                       label_names=[*subject.label_names, name])

    monkeypatch.setattr(script, "pseudo_label", teach)
    monkeypatch.setattr("sys.argv", ["pseudo_label.py", str(prepared)])
    script.main()
    after = contents(prepared)
    assert [file for file in before if before[file] != after[file]] == ["chest.npz"]
    assert set(after) == set(before)
    assert name in Subject.load(prepared / "chest.npz").label_names
    assert "chest: " in caplog.text and "no place in the body frame" in caplog.text


def test_the_script_runs_a_model_that_knows_nothing_and_changes_no_label(prepared, tmp_path_factory):
    model = tmp_path_factory.mktemp("model") / "tiny.npz"
    save_checkpoint(tiny_checkpoint(), model)
    before = Subject.load(prepared / "chest.npz")
    script.label_folder(prepared, model)
    np.testing.assert_array_equal(Subject.load(prepared / "chest.npz").labels_kji, before.labels_kji)


def test_an_evaluation_subject_is_refused_before_anything_is_written(prepared):
    held_out = read_split()["evaluation"][0]
    little_chest(f"{held_out}_chest").save(prepared / "zz.npz")
    before = contents(prepared)
    with pytest.raises(ValueError, match=r"zz\.npz is an evaluation subject and must not be trained on"):
        script.label_folder(prepared)
    assert contents(prepared) == before


def test_a_folder_without_the_reference_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="expected the labelled person totalseg_s0327_v2.npz"):
        script.label_folder(tmp_path)


def test_a_file_that_cannot_be_replaced_stays_whole(prepared, monkeypatch):
    monkeypatch.setattr(script, "pseudo_label", lambda subject, checkpoint, reference: subject)
    before = (prepared / "chest.npz").read_bytes()

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError, match="disk full"):
        script.label_folder(prepared)
    assert (prepared / "chest.npz").read_bytes() == before


def test_a_thin_slab_is_not_looked_at_in_parts_that_are_thinner_than_the_model_takes():
    person = little_person(shape_kji=(15, 28, 44))
    heights = [pseudo_labels.height_mm(person, look) for look in LOOKS]
    assert [height > 32 for height in heights] == [True, True, False, False]
