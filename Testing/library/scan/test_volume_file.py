"""A scan passes from one program to another as it is."""

import dataclasses
import io
import json

import numpy as np
import pytest
from anatembed.maps.embedding_map import EmbeddingMap
from anatembed.scan.files import read_volume
from anatembed.scan.volume import Volume
from anatembed.scan.volume_file import is_volume_file, load_volume, save_volume
from hypothesis import given, settings
from hypothesis import strategies as st
from phantoms import GEOMETRIES, proper_affines, torso


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "scan.npz"
    save_volume(torso("gantry tilt").volume, path)
    return path


@settings(max_examples=40, deadline=None)
@given(
    proper_affines(),
    st.sampled_from(["i2", "u1", "f4", "f8", ">i2", "?", "i4"]),
    st.text(max_size=30),
    st.sampled_from(["CT", "MR", "unknown"]),
)
def test_a_saved_scan_comes_back_the_same(tmp_path_factory, ijk_to_ras, kind, name, modality):
    path = tmp_path_factory.mktemp("scan") / "scan.npz"
    array = np.random.default_rng(0).integers(0, 2, (3, 4, 5)).astype(kind)
    volume = Volume(array, ijk_to_ras, modality, name)
    save_volume(volume, path)
    loaded = load_volume(path)
    np.testing.assert_array_equal(loaded.array_kji, array)
    assert loaded.array_kji.dtype == array.dtype
    np.testing.assert_array_equal(loaded.ijk_to_ras, ijk_to_ras)
    assert (loaded.modality, loaded.name, loaded.content_hash) == (modality, name, volume.content_hash)


@pytest.mark.parametrize("name", GEOMETRIES)
def test_reading_a_scan_takes_it_too_wherever_it_lies(tmp_path, name):
    volume = torso(name).volume
    save_volume(volume, tmp_path / "scan.npz")
    read = read_volume(tmp_path / "scan.npz")
    assert (read.content_hash, read.name, read.modality) == (volume.content_hash, volume.name, "CT")


def test_voxels_that_are_not_in_one_piece_of_memory_are_saved_in_their_order(tmp_path):
    array = np.arange(60, dtype=np.int16).reshape(5, 4, 3).T[:, ::-1]
    save_volume(Volume(array, np.eye(4)), tmp_path / "scan.npz")
    np.testing.assert_array_equal(load_volume(tmp_path / "scan.npz").array_kji, array)


def test_scans_and_maps_are_told_apart(saved, tmp_path):
    features = np.zeros((2, 3, 3, 3), np.float16)
    EmbeddingMap(features, np.eye(4), "m", np.ones((3, 3, 3), bool)).save(tmp_path / "map.npz")
    (tmp_path / "text.npz").write_text("text")
    assert [is_volume_file(tmp_path / name) for name in ("scan.npz", "map.npz", "text.npz", "none.npz")] == [
        True, False, False, False
    ]  # fmt: skip
    with pytest.raises(ValueError, match=r"expected a scan, map\.npz .* 'anatembed-map/2', not anatembed-volume/1"):
        read_volume(tmp_path / "map.npz")
    with pytest.raises(ValueError, match=r"expected an embedding map, scan\.npz"):
        EmbeddingMap.load(saved)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_file_with_one_changed_byte_is_refused_or_unharmed(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("scan") / "scan.npz"
    volume = Volume(np.arange(8, dtype=np.int16).reshape(2, 2, 2), np.diag([1, 2, 3, 1.0]), "CT", "n")
    save_volume(volume, path)
    content = bytearray(path.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    try:
        loaded = load_volume(path)
    except ValueError as error:
        assert "scan.npz is damaged or something else" in str(error)
    else:
        assert loaded.content_hash == volume.content_hash


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_file_that_was_cut_off_is_refused(saved, share):
    saved.write_bytes(saved.read_bytes()[: int(share * saved.stat().st_size)])
    with pytest.raises(ValueError, match="damaged or something else"):
        read_volume(saved)


def test_a_scan_that_cannot_be_is_refused(saved):
    content = io.BytesIO()
    header = json.dumps({"format": "anatembed-volume/1", "modality": "CT", "name": ""})
    np.savez(content, header=np.array(header), voxels_kji=np.zeros((3, 3)), ijk_to_ras=np.eye(4))
    saved.write_bytes(content.getvalue())
    with pytest.raises(ValueError, match="expected a 3D volume"):
        load_volume(saved)


def test_a_scan_that_is_not_there_is_named(tmp_path):
    for read in (load_volume, read_volume):
        with pytest.raises(FileNotFoundError, match=r"gone\.npz"):
            read(tmp_path / "gone.npz")


def test_a_failing_write_leaves_the_old_file_and_nothing_beside_it(saved, fill_disk):
    before = saved.read_bytes()
    fill_disk()
    with pytest.raises(OSError, match="no space left"):
        save_volume(dataclasses.replace(torso().volume, name="other"), saved)
    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]
