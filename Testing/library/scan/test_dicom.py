import os
import shutil
import sys

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from anatembed.geometry import ras_from_lps
from anatembed.scan.files import read_volume
from anatembed.scan.modality import NotACT, check_is_ct
from bad_scans import is_read_or_refused
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from phantoms import torso
from zipped_scans import zipped

SMALL = (slice(0, 12), slice(0, 20), slice(0, 30))
UID = "1.2.826.0.1.3680043.8.498."


def write_series(
    folder, array_kji, ijk_to_ras, *, series=1, modality="CT", intercept=None, skip=(), move=None, compressor=None
):
    """One DICOM file per slice, as a scanner would write it; `move` maps a slice number to an extra shift in LPS mm."""
    folder.mkdir(parents=True, exist_ok=True)
    ijk_to_lps = ras_from_lps(ijk_to_ras)
    spacing = np.linalg.norm(ijk_to_lps[:3, :3], axis=0)
    row, column = (ijk_to_lps[:3, :2] / spacing[:2]).T
    writer = sitk.ImageFileWriter()
    writer.KeepOriginalImageUIDOn()
    if compressor:
        writer.UseCompressionOn()
        writer.SetCompressor(compressor)
    for k, plane in enumerate(array_kji):
        if k in skip:
            continue
        image = sitk.GetImageFromArray(plane[None])
        image.SetSpacing([spacing[0], spacing[1], 1.0])
        position = ijk_to_lps @ [0, 0, k, 1]
        position = position[:3] + (move or {}).get(k, (0, 0, 0))
        tags = {
            "0008|0016": "1.2.840.10008.5.1.4.1.1.2",
            "0008|0018": f"{UID}{series}.{k + 1}",
            "0008|0060": modality,
            "0020|000d": f"{UID}9",
            "0020|000e": f"{UID}{series}",
            "0020|0013": str(100 - k),
            "0020|0032": "\\".join(f"{value:.6f}" for value in position),
            "0020|0037": "\\".join(f"{value:.9f}" for value in (*row, *column)),
            "0018|0050": "5",
        }
        if intercept is not None:
            tags |= {"0028|1052": str(intercept), "0028|1053": "1"}
        for tag, value in tags.items():
            image.SetMetaData(tag, value)
        writer.SetFileName(str(folder / f"{series}-{(k * 7) % 100:03d}.dcm"))
        writer.Execute(image)
    return folder


@pytest.mark.parametrize(
    "geometry", ["as DICOM stores it", "gantry tilt", "oblique", "off origin", "sagittal", "anisotropic"]
)
def test_a_series_comes_back_with_its_voxels_at_their_place(geometry, tmp_path):
    volume = torso(geometry).volume
    read = read_volume(write_series(tmp_path / "series", volume.array_kji, volume.ijk_to_ras))
    assert read.modality == "CT"
    assert read.name == "series"
    right_handed = np.linalg.det(volume.ijk_to_ras[:3, :3]) > 0
    expected = volume.array_kji if right_handed else volume.array_kji[::-1]
    np.testing.assert_array_equal(read.array_kji, expected)
    first = volume.ijk_to_ras if right_handed else volume.ijk_to_ras @ from_the_last_slice(len(volume.array_kji))
    np.testing.assert_allclose(read.ijk_to_ras, first, atol=1e-4)


def test_dicom_coordinates_are_lps_and_the_world_is_ras(scan, tmp_path):
    folder = write_series(tmp_path, *scan)
    tags = sitk.ReadImage(str(folder / "1-000.dcm"))
    assert numbers(tags, "0020|0037") == [1, 0, 0, 0, 1, 0]
    assert numbers(tags, "0020|0032") == [-172.5, -122.5, -72.5]
    expected = [[-5, 0, 0, 172.5], [0, -5, 0, 122.5], [0, 0, 5, -72.5], [0, 0, 0, 1]]
    np.testing.assert_allclose(read_volume(folder).ijk_to_ras, expected, atol=1e-6)


def numbers(image, tag):
    return [float(part) for part in image.GetMetaData(tag).split("\\")]


def from_the_last_slice(count):
    matrix = np.diag([1.0, 1, -1, 1])
    matrix[2, 3] = count - 1
    return matrix


@pytest.fixture
def scan():
    volume = torso("as DICOM stores it").volume
    return volume.array_kji[SMALL], volume.ijk_to_ras


def test_the_rescale_gives_hounsfield_units(scan, tmp_path):
    array, ijk_to_ras = scan
    folder = write_series(tmp_path, array, ijk_to_ras, intercept=-1024)
    raw = read_raw(folder / "1-000.dcm")
    read = read_volume(folder)
    np.testing.assert_array_equal(read.array_kji, array)
    np.testing.assert_array_equal(raw, array[0] + 1024)


def read_raw(path):
    """Stored pixel values, read behind GDCM's back: the last bytes of an uncompressed file."""
    image = sitk.ReadImage(str(path))
    count = int(np.prod(image.GetSize()))
    return np.frombuffer(path.read_bytes()[-2 * count :], "<i2").reshape(image.GetSize()[1::-1])


def test_the_series_with_most_slices_is_taken_wherever_it_lies(scan, tmp_path):
    array, ijk_to_ras = scan
    write_series(tmp_path / "a", array[:3], ijk_to_ras, series=1)
    write_series(tmp_path / "b" / "c", array, ijk_to_ras, series=2)
    write_series(tmp_path / "b" / "c", array[:5] + 7, ijk_to_ras, series=3)
    np.testing.assert_array_equal(read_volume(tmp_path).array_kji, array)


def test_the_modality_is_that_of_the_files(scan, tmp_path):
    assert read_volume(write_series(tmp_path, *scan, modality="MR")).modality == "MR"


def test_a_missing_slice_is_refused_with_the_distances(scan, tmp_path):
    with pytest.raises(ValueError, match="steps from 5.00 to 10.00 mm.*missing or damaged after slice 4 of 11"):
        read_volume(write_series(tmp_path, *scan, skip=(4,)))


def test_two_slices_at_one_place_are_refused(scan, tmp_path):
    with pytest.raises(ValueError, match="several at one place"):
        read_volume(write_series(tmp_path, *scan, move={5: (0, 0, -5.0)}))


def test_a_slice_that_lies_beside_the_others_is_refused(scan, tmp_path):
    with pytest.raises(ValueError, match="4.00 mm beside"):
        read_volume(write_series(tmp_path, *scan, move={5: (4.0, 0, 0)}))


@pytest.mark.parametrize(("thickness_mm", "allowed_mm"), [(5.0, 0.25), (1.0, 0.1)])
def test_how_far_a_slice_may_lie_beside_the_others_is_a_twentieth_of_the_step_or_a_tenth_of_a_mm(
    scan, tmp_path, thickness_mm, allowed_mm
):
    array, ijk_to_ras = scan
    thin = ijk_to_ras @ np.diag([1, 1, thickness_mm / 5, 1])
    near = write_series(tmp_path / "near", array, thin, move={5: (0.96 * allowed_mm, 0, 0)})
    np.testing.assert_allclose(read_volume(near).ijk_to_ras, thin, atol=1e-3)
    far = write_series(tmp_path / "far", array, thin, move={5: (1.04 * allowed_mm, 0, 0)})
    with pytest.raises(ValueError, match="beside"):
        read_volume(far)


def test_rounded_positions_are_allowed(scan, tmp_path):
    array, ijk_to_ras = scan
    read = read_volume(write_series(tmp_path, array, ijk_to_ras, move={3: (0, 0, 0.02), 7: (0.01, 0, -0.03)}))
    np.testing.assert_allclose(read.ijk_to_ras, ijk_to_ras, atol=1e-3)


def test_turned_slices_in_one_series_are_refused(scan, tmp_path):
    array, ijk_to_ras = scan
    write_series(tmp_path, array, ijk_to_ras, skip=range(6, 12))
    tilted = ijk_to_ras.copy()
    tilted[:3, :2] = ijk_to_ras[:3, :2] @ [[0.995, -0.0998], [0.0998, 0.995]]
    write_series(tmp_path / "more", array, tilted, skip=range(6))
    for path in (tmp_path / "more").iterdir():
        shutil.move(path, tmp_path / path.name)
    with pytest.raises(ValueError, match="it has 2 that fit alike: 6 x CT, such as 1-000.dcm; 6 x CT"):
        read_volume(tmp_path)


def test_a_single_slice_is_refused_as_file_and_as_folder(scan, tmp_path):
    folder = write_series(tmp_path / "one", *scan, skip=range(1, 12))
    for path in (folder, folder / "1-000.dcm"):
        with pytest.raises(ValueError, match="single slice \\(30 x 20 x 1\\)"):
            read_volume(path)


def test_a_dicom_file_without_a_suffix_is_recognised(scan, tmp_path):
    folder = write_series(tmp_path / "one", *scan, skip=range(1, 12))
    (folder / "1-000.dcm").rename(folder / "IM0001")
    with pytest.raises(ValueError, match="IM0001 is a single slice"):
        read_volume(folder / "IM0001")


@pytest.mark.parametrize("name", [None, "notes.txt"])
def test_a_folder_without_dicom_is_refused(name, tmp_path):
    if name:
        (tmp_path / name).write_text("nothing to see")
    with pytest.raises(ValueError, match="folder with a DICOM series"):
        read_volume(tmp_path)


def test_a_cut_off_slice_is_refused_in_one_sentence(scan, tmp_path):
    folder = write_series(tmp_path, *scan)
    broken = folder / "1-021.dcm"
    broken.write_bytes(broken.read_bytes()[:-500])
    with pytest.raises(ValueError, match="1 of 12 files are empty, cut off or damaged \\(1-021.dcm\\)") as caught:
        read_volume(folder)
    assert "\n" not in str(caught.value)


def test_reading_a_series_says_nothing_on_the_console(tmp_path, capfd):
    volume = torso("gantry tilt").volume
    read_volume(write_series(tmp_path, volume.array_kji[SMALL], volume.ijk_to_ras))
    assert capfd.readouterr() == ("", "")


def edit(path, **fields):
    """The file with fields of its header changed; None takes one away."""
    data = pydicom.dcmread(path)
    for field, value in fields.items():
        if value is None:
            if field in data:
                delattr(data, field)
        else:
            setattr(data, field, value)
    data.save_as(path)


def edit_all(folder, **fields):
    for path in sorted(folder.iterdir()):
        edit(path, **fields)
    return folder


def test_a_series_in_several_folders_or_with_a_folder_for_each_slice_is_one_scan(scan, tmp_path):
    folder = write_series(tmp_path / "whole", *scan)
    for number, path in enumerate(sorted(folder.iterdir())):
        for place in (tmp_path / "split" / f"DIR{number % 3}", tmp_path / "each" / f"{number:032x}" / "0"):
            place.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, place / "IM0001" if place.name == "0" else place / path.name)
    for name in ("split", "each"):
        read = read_volume(tmp_path / name)
        np.testing.assert_array_equal(read.array_kji, scan[0])
        assert read.notes == ()


def test_the_ct_is_taken_beside_a_longer_series_of_another_modality_which_is_named(scan, tmp_path):
    array, ijk_to_ras = scan
    write_series(tmp_path, np.concatenate([array, array]), ijk_to_ras, series=1, modality="PT")
    edit_all(tmp_path, SeriesDescription="WB PET")
    write_series(tmp_path / "ct", array, ijk_to_ras, series=2)
    read = read_volume(tmp_path)
    assert read.modality == "CT"
    np.testing.assert_array_equal(read.array_kji, array)
    (note,) = read.notes
    assert "12 x CT" in note
    assert "left out: 24 x PT 'WB PET'" in note


def test_a_scout_and_a_screen_save_in_the_series_are_left_out_and_named(scan, tmp_path):
    array, ijk_to_ras = scan
    folder = write_series(tmp_path, array, ijk_to_ras)
    scout = write_series(tmp_path / "scout", array[:2, ::2], np.array(ijk_to_ras)[:, [1, 2, 0, 3]], skip=(1,))
    edit(scout / "1-000.dcm", ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"], SOPInstanceUID=f"{UID}77")
    save = write_series(tmp_path / "save", array[:1], ijk_to_ras)
    edit(save / "1-000.dcm", ImagePositionPatient=None, SOPInstanceUID=f"{UID}78")
    shutil.move(scout / "1-000.dcm", folder / "scout.dcm")
    shutil.move(save / "1-000.dcm", folder / "save.dcm")
    read = read_volume(folder)
    np.testing.assert_array_equal(read.array_kji, array)
    assert "left out: 1 x CT (scout), such as scout.dcm; save.dcm (without a place)" in read.notes[0]


@pytest.mark.parametrize("field", ["AcquisitionNumber", "TemporalPositionIdentifier"])
def test_of_two_phases_in_a_series_the_first_is_taken_and_the_other_named(scan, tmp_path, field):
    array, ijk_to_ras = scan
    edit_all(write_series(tmp_path / "a", array, ijk_to_ras), **{field: "10"})
    edit_all(write_series(tmp_path / "b", array + 50, ijk_to_ras), **{field: "2"})
    for number, path in enumerate((tmp_path / "a").iterdir()):
        edit(path, SOPInstanceUID=f"{UID}8.{number}")
    read = read_volume(tmp_path)
    np.testing.assert_array_equal(read.array_kji, array + 50)
    assert "left out: 12 x CT" in read.notes[0]


def test_series_that_fit_alike_are_listed_and_one_is_chosen_by_a_file_of_it(scan, tmp_path):
    array, ijk_to_ras = scan
    for series, name in ((1, "ARTERIAL"), (2, "VENOUS")):
        edit_all(write_series(tmp_path / name, array + series, ijk_to_ras, series=series), SeriesDescription=name)
    for path in [*(tmp_path / "ARTERIAL").iterdir(), *(tmp_path / "VENOUS").iterdir()]:
        shutil.copy(path, tmp_path / path.name)
    with pytest.raises(ValueError, match="2 that fit alike: 12 x CT 'ARTERIAL', .*12 x CT 'VENOUS'.*one of its files"):
        read_volume(tmp_path)
    chosen = read_volume(tmp_path / "2-007.dcm", beside=True)
    np.testing.assert_array_equal(chosen.array_kji, array + 2)
    with pytest.raises(ValueError, match="single slice"):
        read_volume(tmp_path / "2-007.dcm")


@pytest.mark.parametrize(("field", "word"), [("PatientID", "patient"), ("StudyInstanceUID", "study")])
def test_scans_of_two_patients_or_studies_are_never_guessed_between(scan, tmp_path, field, word):
    array, ijk_to_ras = scan
    write_series(tmp_path / "a", array, ijk_to_ras, series=1)
    edit_all(write_series(tmp_path / "b", array[:6], ijk_to_ras, series=2), **{field: f"{UID}5"})
    with pytest.raises(ValueError, match=f"of more than one {word}"):
        read_volume(tmp_path)


def test_a_copied_slice_counts_once(scan, tmp_path):
    folder = write_series(tmp_path, *scan)
    shutil.copy(folder / "1-021.dcm", folder / "copy of 1-021.dcm")
    np.testing.assert_array_equal(read_volume(folder).array_kji, scan[0])


@pytest.mark.parametrize("kept", [0, 100, 400, -1])
@pytest.mark.parametrize("packed", [False, True])
def test_files_that_were_copied_half_are_counted_and_the_scan_is_refused(scan, tmp_path, kept, packed):
    folder = write_series(tmp_path / "series", *scan)
    for path in sorted(folder.iterdir())[-5:]:
        path.write_bytes(path.read_bytes()[:kept])
    path = folder
    if packed:
        path = zipped(tmp_path / "series.zip", {one.name: one.read_bytes() for one in folder.iterdir()})
    with pytest.raises(ValueError, match="5 of 12 files are empty, cut off or damaged .*copy them again"):
        read_volume(path)


def test_what_is_no_slice_does_not_count(scan, tmp_path):
    folder = write_series(tmp_path, *scan)
    for name in ("readme.txt", "DICOMDIR", "Thumbs.db", "preview.jpg", "index.html"):
        (folder / name).write_bytes(b"")
    np.testing.assert_array_equal(read_volume(folder).array_kji, scan[0])


def test_slices_that_may_be_missing_at_an_end_are_told(scan, tmp_path):
    array, ijk_to_ras = scan
    folder = write_series(tmp_path, array, ijk_to_ras)
    for number, path in enumerate(sorted(folder.iterdir(), key=lambda one: pydicom.dcmread(one).SOPInstanceUID)):
        edit(path, InstanceNumber=number + 6)
    assert read_volume(folder).notes == ("the slices are numbered from 6 to 17: 5 may be missing at an end",)


def test_monochrome1_changes_how_a_slice_is_shown_and_not_its_hounsfield_units(scan, tmp_path):
    folder = write_series(tmp_path, *scan, intercept=-1024)
    edit_all(folder, PhotometricInterpretation="MONOCHROME1")
    np.testing.assert_array_equal(read_volume(folder).array_kji, scan[0])


def test_every_slice_has_its_own_rescale_and_number_type(scan, tmp_path):
    array, ijk_to_ras = scan
    folder = write_series(tmp_path, array, ijk_to_ras, intercept=-1024)
    first = folder / "1-000.dcm"
    data = pydicom.dcmread(first)
    data.RescaleSlope, data.RescaleIntercept, data.PixelRepresentation = "2", "-2000", 0
    data.BitsStored, data.HighBit = 16, 15
    stored = (array[0].astype(np.int32) + 2000) // 2
    data.PixelData = stored.astype("<u2").tobytes()
    data.save_as(first)
    read = read_volume(folder).array_kji
    np.testing.assert_array_equal(read[1:], array[1:])
    np.testing.assert_array_equal(read[0], stored * 2 - 2000)


def test_values_that_no_longer_fit_into_16_bits_are_kept(scan, tmp_path):
    folder = edit_all(write_series(tmp_path, *scan, intercept=-1024), RescaleIntercept="60000")
    np.testing.assert_array_equal(read_volume(folder).array_kji, scan[0].astype(np.int32) + 61_024)


def test_signed_numbers_of_12_bits_are_widened(scan, tmp_path):
    array, ijk_to_ras = scan
    folder = write_series(tmp_path, array, ijk_to_ras)
    for path in folder.iterdir():
        data = pydicom.dcmread(path)
        stored = np.frombuffer(data.PixelData, "<i2") & 0x0FFF
        data.PixelData, data.BitsStored, data.HighBit = stored.astype("<i2").tobytes(), 12, 11
        data.save_as(path)
    np.testing.assert_array_equal(read_volume(folder).array_kji, array)


@pytest.mark.parametrize("text", [None, ""])
def test_stored_values_without_a_rescale_are_not_taken_for_hounsfield_units(tmp_path, text):
    volume = torso("as DICOM stores it").volume
    noise = np.random.default_rng(0).normal(0, 8, volume.array_kji.shape).astype(np.int16)
    folder = write_series(tmp_path, volume.array_kji + noise, volume.ijk_to_ras, intercept=-1024)
    check_is_ct(read_volume(folder))
    edit_all(folder, RescaleSlope=text, RescaleIntercept=text)
    with pytest.raises(NotACT, match="without its rescale"):
        check_is_ct(read_volume(folder))


def test_a_rescale_of_zero_or_in_a_part_of_the_slices_is_refused(scan, tmp_path):
    folder = write_series(tmp_path, *scan, intercept=-1024)
    edit(folder / "1-007.dcm", RescaleSlope=None, RescaleIntercept=None)
    with pytest.raises(ValueError, match="rescale to HU in every slice .* 1 of 12 have none"):
        read_volume(folder)
    edit_all(folder, RescaleSlope="0", RescaleIntercept="0")
    with pytest.raises(ValueError, match="12 of 12 files"):
        read_volume(folder)


@pytest.mark.parametrize("compressor", ["JPEG", "JPEG2000"])
def test_a_packed_series_has_the_values_of_the_unpacked_one(scan, tmp_path, compressor):
    folder = write_series(tmp_path, *scan, compressor=compressor)
    assert pydicom.dcmread(folder / "1-000.dcm").file_meta.TransferSyntaxUID.is_compressed
    np.testing.assert_array_equal(read_volume(folder).array_kji, scan[0])
    edit(folder / "1-007.dcm", PhotometricInterpretation="MONOCHROME1")
    with pytest.raises(ValueError, match="1-007.dcm has MONOCHROME1"):
        read_volume(folder)


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names of files are text there")
def test_a_path_that_is_no_text_is_read(scan, tmp_path):
    folder = write_series(tmp_path / "series", *scan)
    strange = os.fsdecode(os.fsencode(tmp_path) + b"/ser\xff\xfees")
    os.rename(folder, strange)
    np.testing.assert_array_equal(read_volume(strange).array_kji, scan[0])


def enhanced(path, array_kji, ijk_to_ras, order=None, phases=1, frames=None):
    """One file of many frames, each with its place; `order` is that of the slices in the file."""
    ijk_to_lps = ras_from_lps(ijk_to_ras)
    spacing = np.linalg.norm(ijk_to_lps[:3, :3], axis=0)
    row, column = (ijk_to_lps[:3, :2] / spacing[:2]).T
    order = list(range(len(array_kji))) if order is None else order
    data = pydicom.Dataset()
    data.file_meta = pydicom.dataset.FileMetaDataset()
    data.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    data.SOPClassUID, data.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2.1", f"{UID}1"
    data.file_meta.MediaStorageSOPClassUID, data.file_meta.MediaStorageSOPInstanceUID = data.SOPClassUID, f"{UID}1"
    data.SeriesInstanceUID, data.StudyInstanceUID, data.Modality = f"{UID}2", f"{UID}9", "CT"
    data.Rows, data.Columns = array_kji.shape[1:]
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 16, 15, 0
    data.NumberOfFrames = len(order) * phases
    shared, measures, rescale, plane = (pydicom.Dataset() for _ in range(4))
    measures.PixelSpacing = [spacing[1], spacing[0]]
    rescale.RescaleIntercept, rescale.RescaleSlope = -1024, 1
    plane.ImageOrientationPatient = [*row, *column]
    shared.PixelMeasuresSequence, shared.PixelValueTransformationSequence = [measures], [rescale]
    shared.PlaneOrientationSequence = [plane]
    data.SharedFunctionalGroupsSequence = [shared]
    groups = []
    for phase in range(phases):
        for k in order:
            group, place, content = pydicom.Dataset(), pydicom.Dataset(), pydicom.Dataset()
            place.ImagePositionPatient = [float(round(value, 6)) for value in (ijk_to_lps @ [0, 0, k, 1])[:3]]
            content.TemporalPositionIndex = phase + 1
            group.PlanePositionSequence, group.FrameContentSequence = [place], [content]
            groups.append(group)
    data.PerFrameFunctionalGroupsSequence = groups[:frames]
    stored = np.concatenate([array_kji[order] + 1024 + 10 * phase for phase in range(phases)])
    data.PixelData = stored.astype("<u2").tobytes()
    data.save_as(path, enforce_file_format=True)
    return path


@pytest.mark.parametrize("geometry", ["as DICOM stores it", "gantry tilt", "oblique"])
@pytest.mark.parametrize("is_shuffled", [False, True])
def test_the_frames_of_an_enhanced_ct_lie_where_their_places_say(geometry, is_shuffled, tmp_path):
    volume = torso(geometry).volume
    array = volume.array_kji[SMALL]
    if np.linalg.det(volume.ijk_to_ras[:3, :3]) < 0:
        pytest.skip("the slices come back in the other order")
    order = [*range(0, 12, 2), *range(11, 0, -2)] if is_shuffled else None
    read = read_volume(enhanced(tmp_path / "scan.dcm", array, volume.ijk_to_ras, order))
    np.testing.assert_array_equal(read.array_kji, array)
    np.testing.assert_allclose(read.ijk_to_ras, volume.ijk_to_ras, atol=1e-4)
    assert read.modality == "CT"


def test_of_an_enhanced_ct_with_two_phases_the_first_is_read(scan, tmp_path):
    read = read_volume(enhanced(tmp_path / "scan.dcm", *scan, phases=2))
    np.testing.assert_array_equal(read.array_kji, scan[0])
    assert "left out: 12 x CT" in read.notes[0]


def test_an_enhanced_ct_that_is_cut_off_or_has_frames_without_a_place_is_refused(scan, tmp_path):
    path = enhanced(tmp_path / "scan.dcm", *scan)
    path.write_bytes(path.read_bytes()[:-3000])
    with pytest.raises(ValueError, match="bytes of pixels, as its header says, but scan.dcm has .*cut off"):
        read_volume(path)
    for frames in (0, 11):
        with pytest.raises(ValueError, match=f"a place for each of the 12 frames, but scan.dcm has {frames}"):
            read_volume(enhanced(path, *scan, frames=frames))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_damage_to_a_file_is_one_sentence_or_does_no_harm(scan, tmp_path, data):
    path = tmp_path / "scan.dcm"
    if not path.exists():
        enhanced(path, *scan)
        (tmp_path / "good").write_bytes(path.read_bytes())
    content = bytearray((tmp_path / "good").read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(128, 4000))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    is_read_or_refused(path)
