"""The script that makes the training set, on a small published data set and on people from memory."""

import json
import logging
from functools import partial

import numpy as np
import prepare_data
import pytest
from anatembed.geometry import transform_points
from little_people import CENTRES_RAS, VOCABULARY, little_person
from phantoms import Geometry, rotation
from published_people import write_meta, write_person
from research.people_split import read_split
from research.training.subject import Subject
from research.training.totalsegmentator import UnreadableSubject

NO_T12 = tuple(name for name in CENTRES_RAS if name != "vertebrae_T12")
OBLIQUE = Geometry((34, 40, 60), rotation((1, 2, 3), 15) @ np.diag([-2.4, 2.8, 3.6]), (20.0, 30.0, -40.0))


def run(monkeypatch, *arguments) -> None:
    monkeypatch.setattr("sys.argv", ["prepare_data.py", *map(str, arguments)])
    prepare_data.main()


@pytest.fixture
def published(tmp_path):
    """Three people to train on, the first without T12 and the last with a broken file, and one of the test split."""
    root = write_meta(tmp_path / "data", {"s1": "train", "s2": "train", "s3": "test", "s4": "train"})
    write_person(root / "s1", NO_T12, geometry=OBLIQUE)
    for person in ("s2", "s3", "s4"):
        write_person(root / person)
    (root / "s4" / "ct.nii.gz").unlink()
    return root


def test_the_published_data_set_alone_becomes_a_training_set(published, tmp_path, monkeypatch, caplog):
    caplog.set_level(logging.INFO)
    output = tmp_path / "prepared"
    run(monkeypatch, "--totalsegmentator", published, "-o", output)
    people = {path.stem: Subject.load(path) for path in output.glob("*.npz")}
    assert set(people) == {"totalseg_s1_v2", "totalseg_s2_v2"}
    assert "skipped s4: " in caplog.text and "1 people skipped" in caplog.text
    for subject in people.values():
        assert (subject.ct_kji % prepare_data.HU_STEP == 0).all()
        mask = subject.labels_kji == subject.label_concepts.index(("kidney_left",))
        ras = transform_points(subject.ijk_to_ras, np.argwhere(mask)[:, ::-1]).mean(axis=0)
        expected = np.subtract(CENTRES_RAS["kidney_left"], CENTRES_RAS["vertebrae_T12"]) / 100
        np.testing.assert_allclose(transform_points(subject.ras_to_body, ras), expected, atol=0.03)


def test_the_manifest_counts_people_sources_and_voxels_of_certain_labels(published, tmp_path, monkeypatch):
    output = tmp_path / "prepared"
    run(monkeypatch, "--totalsegmentator", published, "-o", output)
    manifest = json.loads((output / "manifest.json").read_text())
    people = [Subject.load(path) for path in output.glob("*.npz")]
    assert manifest["sources"] == {"totalsegmentator data set": 2}
    assert [person["name"] for person in manifest["people"]] == ["totalseg_s2_v2", "totalseg_s1_v2"]
    assert len(manifest["skipped"]) == 1
    for concept, count in (("vertebrae_T12", 1), ("liver", 2)):
        owners = [person for person in people if (concept,) in person.label_concepts]
        voxels = sum(int((p.labels_kji == p.label_concepts.index((concept,))).sum()) for p in owners)
        assert manifest["concepts"][concept] == {"people": count, "voxels": voxels} and len(owners) == count


def test_a_label_that_may_be_one_of_several_concepts_counts_for_none():
    person = little_person(concepts=("liver", "spleen"))
    person.label_concepts[3] = ("stomach", "duodenum")
    manifest = prepare_data.Manifest()
    manifest.add(person, None)
    assert set(manifest.voxels) == {"liver"}


def test_people_before_the_first_reference_come_last_and_the_unreadable_not_at_all():
    def broken():
        raise UnreadableSubject("b: no file")

    skipped = []
    no_reference = partial(little_person, "a", concepts=NO_T12)
    readers = [no_reference, broken, partial(little_person, "c"), partial(little_person, "d")]
    assert [p.name for p in prepare_data.reference_first(readers, skipped)] == ["c", "d", "a"]
    assert skipped == ["b: no file"]


def test_a_vertebra_that_the_scan_cuts_is_no_reference():
    cut = little_person("a")
    cut.labels_kji[0, 0, 0] = cut.label_concepts.index(("vertebrae_T12",))
    order = prepare_data.reference_first([lambda: cut, lambda: little_person("b")], [])
    assert [p.name for p in order] == ["b", "a"]


def test_people_without_any_reference_are_refused():
    readers = [lambda: little_person("a", concepts=NO_T12)]
    with pytest.raises(ValueError, match="whole of vertebrae_T12 .* got none among 1 people"):
        list(prepare_data.reference_first(readers, []))


def test_a_person_who_is_there_twice_is_written_once(tmp_path):
    readers = [lambda: little_person("a"), lambda: little_person("a", ct=False)]
    manifest = prepare_data.prepare(readers, tmp_path, VOCABULARY)
    assert len(manifest.people) == 1 and Subject.load(tmp_path / "a.npz").ct_kji is not None


def test_nobody_of_the_evaluation_is_ever_prepared(tmp_path):
    name = read_split()["evaluation"][0]
    with pytest.raises(ValueError, match="must not be trained on"):
        prepare_data.prepare([lambda: little_person(f"{name}_chest")], tmp_path, VOCABULARY)
    assert not list(tmp_path.glob("*.npz"))


def test_people_of_an_earlier_run_are_named(tmp_path, caplog):
    (tmp_path / "old.npz").touch()
    prepare_data.prepare([lambda: little_person("a")], tmp_path, VOCABULARY)
    assert "not of this run" in caplog.text and "old" in caplog.text


def test_rounding_moves_no_voxel_by_more_than_half_a_step():
    person = little_person()
    person.ct_kji = np.random.default_rng(0).integers(-1024, 2000, person.ct_kji.shape).astype(np.int16)
    before = person.ct_kji.copy()
    prepare_data.round_hu(person)
    assert np.abs(person.ct_kji - before).max() == prepare_data.HU_STEP / 2
    assert person.ct_kji.dtype == np.int16


def test_a_set_above_the_size_asked_for_fails(published, tmp_path, monkeypatch):
    arguments = ("--totalsegmentator", published, "-o", tmp_path / "prepared", "--max-mb")
    run(monkeypatch, *arguments, 1)
    with pytest.raises(SystemExit, match=r"at most 0\.001 MB, got 0\.\d MB"):
        run(monkeypatch, *arguments, 0.001)


def test_a_run_without_any_data_says_what_is_missing(tmp_path, monkeypatch, capsys):
    with pytest.raises(SystemExit):
        run(monkeypatch, "-o", tmp_path)
    assert "expected DATA_FOLDER, --totalsegmentator FOLDER or both" in capsys.readouterr().err


def test_a_folder_that_is_no_data_set_is_one_sentence(tmp_path, monkeypatch):
    with pytest.raises(SystemExit, match=r"expected .*meta\.csv"):
        run(monkeypatch, "--totalsegmentator", tmp_path, "-o", tmp_path / "prepared")


def test_a_person_of_the_evaluation_is_refused_until_the_second_phase_releases_him(tmp_path):
    readers = [partial(little_person, "LIDC-IDRI-0001_chest"), partial(little_person, "CORT_liver_trunk")]
    with pytest.raises(ValueError, match="LIDC-IDRI-0001_chest is an evaluation subject"):
        prepare_data.prepare(readers[:1], tmp_path, VOCABULARY)
    released = frozenset({prepare_data.SECOND_PHASE})
    assert prepare_data.prepare(readers[:1], tmp_path, VOCABULARY, released).names == {"LIDC-IDRI-0001_chest"}
    with pytest.raises(ValueError, match="CORT_liver_trunk is an evaluation subject"):
        prepare_data.prepare(readers, tmp_path, VOCABULARY, released)
