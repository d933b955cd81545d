import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
from anatembed.geometry import transform_points
from anatembed.serve.overlay_volume import write_colours, write_probability
from phantoms import GEOMETRIES

SHAPE = (5, 6, 7)


def colours() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (*SHAPE, 4), dtype=np.uint8)


@pytest.mark.parametrize("name", ["canonical", "as DICOM stores it", "oblique", "sagittal"])
def test_every_colour_lies_at_its_place_in_the_world_of_simpleitk(tmp_path, name):
    ijk_to_ras, rgba = GEOMETRIES[name].ijk_to_ras, colours()
    write_colours(rgba, ijk_to_ras, tmp_path / "colours.nii.gz")
    image = sitk.ReadImage(str(tmp_path / "colours.nii.gz"))
    assert image.GetNumberOfComponentsPerPixel() == 4
    for k, j, i in ((0, 0, 0), (4, 5, 6), (1, 2, 3)):
        right, anterior, superior = transform_points(ijk_to_ras, (i, j, k))
        index = image.TransformPhysicalPointToIndex((-right, -anterior, superior))
        assert image[index] == tuple(rgba[k, j, i].tolist())


def test_colours_are_the_nifti_type_for_colours(tmp_path):
    write_colours(colours(), np.eye(4), tmp_path / "colours.nii.gz")
    header = nibabel.load(tmp_path / "colours.nii.gz").header
    assert int(header["datatype"]) == 2304
    assert int(header["sform_code"]) == int(header["qform_code"]) == 1


def test_probabilities_stay_what_they_are(tmp_path):
    probability = np.random.default_rng(1).random(SHAPE, np.float32)
    write_probability(probability, np.diag([6.0, 6.0, 6.0, 1.0]), tmp_path / "p.nii.gz")
    np.testing.assert_array_equal(sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "p.nii.gz"))), probability)


@pytest.mark.parametrize("bad", [colours()[..., :3], colours().astype(np.float32), colours()[0]])
def test_only_rgba_bytes_are_colours(tmp_path, bad):
    with pytest.raises(ValueError, match="expected uint8 colours"):
        write_colours(bad, np.eye(4), tmp_path / "colours.nii.gz")
    assert list(tmp_path.iterdir()) == []
