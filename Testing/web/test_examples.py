import numpy as np
import pytest

pytest.importorskip("slicer", reason="needs slicer-core")
from web_demo.examples import EXAMPLES, FIRST, MOVED, example_volume, give_maps


def test_the_first_example_is_the_bundled_ct():
    volume = example_volume(FIRST)
    assert volume.modality == "CT" and volume.name == FIRST


def test_the_second_example_has_the_same_voxels_elsewhere_and_the_same_sides():
    first, moved = example_volume(FIRST), example_volume(MOVED)
    assert moved.array_kji.shape[0] < first.array_kji.shape[0]
    kept = moved.array_kji.shape[0]
    parts = [first.array_kji[:kept], first.array_kji[-kept:]]
    assert any(np.array_equal(part, moved.array_kji) for part in parts)
    motion = moved.ijk_to_ras[:3, :3] @ np.linalg.inv(first.ijk_to_ras[:3, :3])
    assert np.allclose(motion @ motion.T, np.eye(3)) and np.linalg.det(motion) == pytest.approx(1)
    assert not np.allclose(motion, np.eye(3))


def test_the_lowest_part_is_what_is_cut_off():
    first, moved = example_volume(FIRST), example_volume(MOVED)
    head = [volume.ijk_to_ras @ [0, 0, volume.array_kji.shape[0] - 1, 1] for volume in (first, moved)]
    foot = [volume.ijk_to_ras @ [0, 0, 0, 1] for volume in (first, moved)]
    top = [max(ends[0][2], ends[1][2]) for ends in zip(head, foot, strict=True)]
    assert top[1] - top[0] == pytest.approx(60.0)


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
