"""Archives with a scan are read; the hostile, damaged or too large is refused in a sentence, and nothing is left."""

import stat
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from anatembed.scan.archive import ArchiveLimits, is_archive, unpacked
from anatembed.scan.files import read_volume, write_volume
from anatembed.scan.volume import Volume
from anatembed.scan.volume_file import save_volume
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from phantoms import torso
from zipped_scans import dicom_slices, zipped

OBLIQUE = torso("oblique").volume


@pytest.fixture(autouse=True)
def private(tmp_path_factory, monkeypatch):
    """The folder in which private folders are made; it is empty again after every test."""
    folder = tmp_path_factory.mktemp("private")
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert list(folder.iterdir()) == []


@pytest.fixture(scope="module")
def image(tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("image") / "a.nii.gz"
    write_volume(OBLIQUE, path)
    return path.read_bytes()


def test_an_archive_with_one_image_is_that_image_under_the_name_of_the_archive(tmp_path, image):
    beside = {"__MACOSX/x/._a.nii.gz": b"x", "x/._b.nii": b"x", "x/.DS_Store": b"x", "x/README.txt": b"read me"}
    read = read_volume(zipped(tmp_path / "one.zip", {"x/a.nii.gz": image, **beside}))
    assert np.array_equal(read.array_kji, OBLIQUE.array_kji)
    assert np.allclose(read.ijk_to_ras, OBLIQUE.ijk_to_ras, atol=1e-4)
    assert read.name == "one.zip"


def test_an_archive_with_dicom_is_read_as_a_ct_with_its_sides(tmp_path):
    values = np.arange(5 * 6 * 7, dtype=np.int16).reshape(5, 6, 7)
    affine = np.diag([-2.0, -3.0, 4.0, 1.0])
    affine[:3, 3] = 30, 20, -10
    files = dicom_slices(tmp_path, Volume(values, affine, "CT"))
    read = read_volume(zipped(tmp_path / "series.zip", {f"a/b/{name}": content for name, content in files.items()}))
    assert read.modality == "CT"
    assert np.array_equal(read.array_kji, values)
    assert np.allclose(read.ijk_to_ras, affine, atol=1e-4)


def test_an_archive_is_told_by_its_content_or_name(tmp_path, image):
    renamed = zipped(tmp_path / "download", {"a.nii.gz": image})
    save_volume(OBLIQUE, tmp_path / "volume.npz")
    (tmp_path / "a.nii.gz").write_bytes(image)
    (tmp_path / "broken.zip").write_bytes(b"")
    (tmp_path / "folder.zip").mkdir()
    names = ("download", "broken.zip", "volume.npz", "a.nii.gz", "folder.zip", "missing.zip")
    assert [is_archive(tmp_path / name) for name in names] == [True, True, False, False, False, False]
    assert np.array_equal(read_volume(renamed).array_kji, OBLIQUE.array_kji)


@pytest.mark.parametrize("name", ["../../out.nii", "/out.nii", "C:/out.nii", "a/../out.nii", "..\\out.nii"])
def test_a_member_outside_of_the_archive_is_refused(tmp_path, image, name):
    path = zipped(tmp_path / "bad.zip", {"a.nii.gz": image, name: image})
    with pytest.raises(ValueError, match="files lie inside of it"):
        read_volume(path)
    assert [one.name for one in tmp_path.rglob("*")] == ["bad.zip"]


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_a_link_or_device_is_refused(tmp_path, image, kind):
    path = zipped(tmp_path / "bad.zip", {"a.nii.gz": image})
    with zipfile.ZipFile(path, "a") as archive:
        member = zipfile.ZipInfo("secret.dcm")
        member.external_attr = (kind | 0o777) << 16
        archive.writestr(member, "/etc/hostname")
    with pytest.raises(ValueError, match="'secret.dcm' is a link or a device"):
        read_volume(path)


def test_an_archive_that_unpacks_to_too_much_is_refused_while_it_is_unpacked(tmp_path):
    path = zipped(tmp_path / "bomb.zip", {"a.dcm": bytes(50_000_000)})
    assert path.stat().st_size < 100_000
    with pytest.raises(ValueError, match="expected at most 2,000,000 bytes in bomb.zip, it unpacks to more"):
        read_volume(path, ArchiveLimits(unpacked_bytes=2_000_000))


def test_what_an_archive_says_of_its_size_is_not_believed(tmp_path):
    path = zipped(tmp_path / "liar.zip", {"a.dcm": bytes(5_000_000)})
    content = path.read_bytes()
    path.write_bytes(content.replace((5_000_000).to_bytes(4, "little"), (10).to_bytes(4, "little")))
    with pytest.raises(ValueError, match="damaged or has a password|unpacks to more|DICOM series"):
        read_volume(path, ArchiveLimits(unpacked_bytes=2_000_000))


def test_an_archive_of_too_many_files_is_refused(tmp_path):
    path = zipped(tmp_path / "many.zip", {f"{number}.dcm": b"x" for number in range(51)})
    with pytest.raises(ValueError, match="expected at most 50 files in many.zip, it has 51"):
        read_volume(path, ArchiveLimits(files=50))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({}, "expected a scan in bad.zip, it is empty"),
        ({"folder/": b""}, "expected a scan in bad.zip, it is empty"),
        ({"readme.txt": b"hello"}, "expected a folder with a DICOM series, but bad.zip has none"),
        ({"x/a.nii.gz": b"no image"}, "the content of a.nii.gz in bad.zip is something else"),
        ({"a.nrrd": b"no image"}, "a.nrrd in bad.zip"),
        ({"a.nii": b"1", "b.nii.gz": b"2"}, "expected one scan in bad.zip, it has 2 images: a.nii, b.nii.gz"),
    ],
)
def test_an_archive_without_one_scan_is_refused_in_a_sentence(tmp_path, private, content, words):
    with pytest.raises(ValueError, match=words) as error:
        read_volume(zipped(tmp_path / "bad.zip", content))
    assert str(private) not in str(error.value)


def test_a_member_with_a_password_is_refused(tmp_path, image):
    path = zipped(tmp_path / "secret.zip", {"a.nii.gz": image})
    content = bytearray(path.read_bytes())
    for sign, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(sign) + flags] |= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match="secret.zip is damaged or has a password"):
        read_volume(path)


def test_a_full_disk_is_not_taken_for_a_damaged_archive(tmp_path, image, monkeypatch):
    resource = pytest.importorskip("resource")
    path = zipped(tmp_path / "one.zip", {"a.dcm": bytes(100_000)})
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, before[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            read_volume(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_damage_is_a_sentence_or_does_no_harm(tmp_path, data):
    content = bytearray(zipped(tmp_path / "whole.zip", {"a/b.dcm": b"slice" * 9, "a/c.dcm": b"slice" * 5}).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "damaged.zip"
    path.write_bytes(content[: data.draw(st.integers(1, len(content)))])
    try:
        with unpacked(path, ArchiveLimits(files=5, unpacked_bytes=1000)) as inside:
            assert len(list(Path(inside).iterdir())) <= 5
    except ValueError as error:
        assert "\n" not in str(error)
