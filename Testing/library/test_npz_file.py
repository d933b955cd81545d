import zipfile

import numpy as np
import pytest
from anatembed.npz_file import UNREADABLE, content_sha256, save_arrays
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

KINDS = st.sampled_from(["<f2", "<f4", ">i2", "|u1", "|b1", "<i8"])


def read(path) -> np.ndarray:
    with np.load(path) as file:
        return file["a"]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_arrays_come_back_as_they_were_saved(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("arrays") / "a.npz"
    shape = data.draw(arrays.array_shapes(min_dims=0, max_dims=4, max_side=4))
    array = data.draw(arrays.arrays(data.draw(KINDS), shape, elements=st.integers(0, 1)))
    array = np.asarray(array, order=data.draw(st.sampled_from("CF")))
    save_arrays(path, compressed=data.draw(st.booleans()), before=np.zeros(3), a=array)
    found = read(path)
    assert (found.dtype, found.shape) == (array.dtype, array.shape)
    np.testing.assert_array_equal(found, array)


@pytest.mark.parametrize(("compressed", "kind"), [(False, zipfile.ZIP_STORED), (True, zipfile.ZIP_DEFLATED)])
def test_arrays_are_compressed_only_when_asked_for(tmp_path, compressed, kind):
    save_arrays(tmp_path / "a.npz", compressed=compressed, a=np.zeros(1000))
    with zipfile.ZipFile(tmp_path / "a.npz") as archive:
        assert [member.compress_type for member in archive.infolist()] == [kind]


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_one_changed_byte_is_noticed_or_harmless(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("arrays") / "a.npz"
    save_arrays(path, header=np.array("x"), a=np.arange(20, dtype="<f2"))
    content = bytearray(path.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    try:
        found = read(path)
    except UNREADABLE:
        return
    np.testing.assert_array_equal(found, np.arange(20))


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_a_file_that_was_cut_off_is_noticed(tmp_path, share):
    path = tmp_path / "a.npz"
    save_arrays(path, a=np.arange(10_000))
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(UNREADABLE):
        read(path)


def test_only_the_named_arrays_are_compressed(tmp_path):
    save_arrays(tmp_path / "a.npz", compressed={"b"}, a=np.zeros(1000), b=np.zeros(1000))
    with zipfile.ZipFile(tmp_path / "a.npz") as archive:
        kinds = {member.filename: member.compress_type for member in archive.infolist()}
    assert kinds == {"a.npy": zipfile.ZIP_STORED, "b.npy": zipfile.ZIP_DEFLATED}
    np.testing.assert_array_equal(read(tmp_path / "a.npz"), np.zeros(1000))


def test_objects_are_not_saved(tmp_path):
    with pytest.raises(ValueError, match="[Oo]bject arrays cannot be saved"):
        save_arrays(tmp_path / "a.npz", a=np.array([{}, []], dtype=object))
    assert not list(tmp_path.iterdir())


def test_a_limit_on_the_size_of_files_acts_like_a_full_disk(tmp_path):
    resource = pytest.importorskip("resource")
    path = tmp_path / "a.npz"
    save_arrays(path, a=np.arange(3))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, before[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            save_arrays(path, a=np.zeros(10_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    np.testing.assert_array_equal(read(path), np.arange(3))
    assert list(tmp_path.iterdir()) == [path]


@given(st.sampled_from(["name", "dtype", "shape", "value", "meta"]))
def test_the_checksum_sees_names_types_shapes_values_and_meta_data(what):
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    changed = {
        "name": ({"b": array}, "m"),
        "dtype": ({"a": array.view(np.int32)}, "m"),
        "shape": ({"a": array.reshape(3, 2)}, "m"),
        "value": ({"a": array + [[0, 0, 0], [0, 1e-6, 0]]}, "m"),
        "meta": ({"a": array}, "n"),
    }
    assert content_sha256(*changed[what]) != content_sha256({"a": array}, "m")
