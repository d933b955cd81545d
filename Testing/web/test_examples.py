from pathlib import Path

import pytest

pytest.importorskip("slicer", reason="needs slicer-core")
from web_demo import examples
from web_demo.examples import EXAMPLES, FIRST, OTHER, example_volume, give_maps


def test_the_first_example_is_the_bundled_ct():
    volume = example_volume(FIRST)
    assert volume.modality == "CT" and volume.name == FIRST


def test_the_second_example_is_another_person_of_the_same_region():
    first, other = example_volume(FIRST), example_volume(OTHER)
    assert other.modality == "CT" and other.name == OTHER
    assert other.array_kji.shape != first.array_kji.shape
    lung = (other.array_kji < -700) & (other.array_kji > -950)
    liver = (other.array_kji > 60) & (other.array_kji < 160)
    assert lung.mean() > 0.02 and liver.mean() > 0.02


def test_the_second_example_is_small_enough_for_the_repository():
    scans = Path(examples.__file__).parent / "scans"
    assert sum(path.stat().st_size for path in scans.iterdir()) < 2_500_000


def test_an_unknown_example_is_refused():
    with pytest.raises(ValueError, match="expected one of"):
        example_volume("other")


def test_every_example_says_what_it_is_for():
    assert all(one.name and one.explanation for one in EXAMPLES)


def test_a_session_gets_its_own_maps_and_deleting_them_leaves_the_kept_ones(tmp_path):
    (tmp_path / "kept" / "maps").mkdir(parents=True)
    (tmp_path / "kept" / "maps" / "a.npz").write_bytes(b"map")
    give_maps(tmp_path / "kept", tmp_path / "session")
    (tmp_path / "session" / "a.npz").unlink()
    assert (tmp_path / "kept" / "maps" / "a.npz").read_bytes() == b"map"
