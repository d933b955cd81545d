import nibabel
import numpy as np
import pytest
from anatembed.geometry import transform_points
from anatembed.maps.slice_planes import AXIAL, CORONAL, SAGITTAL
from anatembed.scan.files import read_volume, write_volume
from anatembed.scan.volume import Volume
from anatembed.serve import patch
from hypothesis import given
from hypothesis import strategies as st
from phantoms import GEOMETRIES, LEFT, LEFT_HU, RIGHT, SPINE, centre_of_values, proper_affines, torso

LEVEL, WIDTH, SIZE = 250.0, 500.0, 300.0
every_geometry = pytest.mark.parametrize("geometry", GEOMETRIES)


def grey(hu: float) -> int:
    return round(255 * np.clip((hu - LEVEL + WIDTH / 2) / WIDTH, 0, 1))


def shown(phantom, offset, plane) -> np.ndarray:
    """uint8 (512,512) of a picture around the middle of the phantom and an offset in mm."""
    centre = phantom.centre_ras + np.array(offset)
    drawn = patch.picture(phantom.volume, centre, SIZE, plane, LEVEL, WIDTH, letters=False)
    assert drawn.image.size == (512, 512)
    return np.asarray(drawn.image)[..., 0]


def pixel(mm_from_left_or_top: float) -> int:
    return round((SIZE / 2 + mm_from_left_or_top) / SIZE * 512)


@every_geometry
@pytest.mark.parametrize("plane", [AXIAL, CORONAL])
def test_the_right_of_the_patient_is_at_the_left_of_the_picture(geometry, plane):
    pixels = shown(torso(geometry), (0, 10, -10), plane)
    assert abs(int(pixels[256, pixel(-70)]) - grey(150)) <= 2
    assert abs(int(pixels[256, pixel(70)]) - grey(LEFT_HU)) <= 2
    assert pixels[256, 256] == grey(0)


@every_geometry
def test_anterior_is_at_the_top_of_an_axial_picture_and_at_the_left_of_a_sagittal_one(geometry):
    phantom = torso(geometry)
    axial, sagittal = shown(phantom, (0, 0, 45), AXIAL), shown(phantom, (0, 0, 0), SAGITTAL)
    assert axial[pixel(60), 256] == sagittal[256, pixel(60)] == 255  # the spine lies 60 mm behind
    assert axial[pixel(-60), 256] == grey(0)
    assert sagittal[256, pixel(-60)] == grey(0)


@pytest.mark.parametrize("geometry", ["canonical", "upside down", "oblique", "off origin", "sagittal"])
def test_superior_is_at_the_top_of_coronal_and_sagittal_pictures(geometry):
    phantom = torso(geometry)
    offset = (-70, 10, 10)  # 20 mm above the middle of the ball on the left
    for plane in (CORONAL, SAGITTAL):
        pixels = shown(phantom, offset, plane)
        assert abs(int(pixels[pixel(20), 256]) - grey(LEFT_HU)) <= 2
        assert pixels[pixel(-20), 256] == grey(0)


def test_the_letters_say_what_is_where_and_are_drawn_at_the_edges():
    volume = torso().volume
    expected = {AXIAL: "RLAP", CORONAL: "RLSI", SAGITTAL: "APSI"}
    for plane, letters in expected.items():
        with_letters = patch.picture(volume, (0, 0, 0), 100, plane, LEVEL, WIDTH)
        without = patch.picture(volume, (0, 0, 0), 100, plane, LEVEL, WIDTH, letters=False)
        assert "".join(with_letters.letters) == letters
        changed = (np.asarray(with_letters.image) != np.asarray(without.image)).any(axis=-1)
        for place in (changed[200:312, :40], changed[200:312, -40:], changed[:40, 200:312], changed[-40:, 200:312]):
            assert place.any()
        assert not changed[40:-40, 40:-40].any()


def test_beyond_the_scan_it_is_black_and_a_pixel_has_its_size():
    drawn = patch.picture(torso().volume, (170, 0, 0), 100, AXIAL, -500, 1000, letters=False)
    assert (np.asarray(drawn.image)[:, :100] == 0).all()
    assert drawn.pixel_mm == 100 / 512


@every_geometry
def test_the_voxels_that_are_cut_out_keep_their_place_in_the_world(geometry, tmp_path):
    phantom = torso(geometry)
    path = tmp_path / "patch.nii.gz"
    write_volume(patch.crop(phantom.volume, phantom.centre_of(LEFT), 70), path)
    image = nibabel.load(path)
    found = centre_of_values(np.asarray(image.dataobj).T, image.affine, 350, 450)
    step = np.abs(phantom.volume.ijk_to_ras[:3, :3]).max()
    np.testing.assert_allclose(found, phantom.centre_of(LEFT), atol=0.5 * step)
    whole = centre_of_values(phantom.volume.array_kji, phantom.volume.ijk_to_ras, 350, 450)
    np.testing.assert_allclose(found, whole, atol=1e-3)
    assert np.asarray(image.dataobj).size < phantom.volume.array_kji.size


@given(proper_affines(), st.integers(0, 2**32 - 1), st.floats(patch.LEAST_MM, 60))
def test_a_crop_holds_the_cube_and_every_voxel_is_the_one_of_the_scan_at_its_place(ijk_to_ras, seed, size_mm):
    random = np.random.default_rng(seed)
    shape = tuple(random.integers(2, 12, 3))
    volume = Volume(random.integers(-1000, 1000, shape).astype(np.int16), ijk_to_ras, "CT", "random")
    position = transform_points(ijk_to_ras, random.uniform(-0.5, np.array(shape)[::-1] - 0.5))
    cut = patch.crop(volume, position, size_mm)
    to_scan = np.linalg.inv(ijk_to_ras) @ cut.ijk_to_ras
    np.testing.assert_allclose(to_scan[:3, :3], np.eye(3), atol=1e-6)
    first = np.rint(to_scan[:3, 3]).astype(int)
    np.testing.assert_allclose(to_scan[:3, 3], first, atol=1e-4)
    last = first + np.array(cut.array_kji.shape)[::-1]
    (i, j, k), (end_i, end_j, end_k) = first, last
    assert (cut.array_kji == volume.array_kji[k:end_k, j:end_j, i:end_i]).all()
    assert min(cut.array_kji.shape) >= 2
    inside = position + random.uniform(-0.5, 0.5, (50, 3)) * size_mm
    ijk = transform_points(np.linalg.inv(ijk_to_ras), inside)
    ijk = ijk[((ijk >= -0.49) & (ijk <= np.array(shape)[::-1] - 0.51)).all(axis=1)]
    assert ((ijk >= first - 0.5 - 1e-6) & (ijk <= last - 0.5 + 1e-6)).all()


def test_a_crop_can_be_opened_again(tmp_path):
    cut = patch.crop(torso("gantry tilt").volume, (0, -60, 0), 10)
    write_volume(cut, tmp_path / "patch.nii.gz")
    again = read_volume(tmp_path / "patch.nii.gz")
    assert (again.array_kji == cut.array_kji).all()
    np.testing.assert_allclose(again.ijk_to_ras, cut.ijk_to_ras, atol=1e-3)


@pytest.mark.parametrize("position", [(400, 0, 0), (0, -140, 0), (0, 0, 90), (0, 0, float("nan")), (0, 0)])
def test_a_point_outside_the_scan_is_refused(position):
    for cut in (patch.crop, lambda *what: patch.picture(*what, AXIAL, LEVEL, WIDTH)):
        with pytest.raises(ValueError, match="outside the scan|three finite"):
            cut(torso().volume, position, 50)


def test_a_point_beside_an_oblique_scan_is_outside_though_its_box_holds_it():
    volume = torso("oblique").volume
    corner = transform_points(volume.ijk_to_ras, (-0.5, -0.5, -0.5))
    far = transform_points(volume.ijk_to_ras, (-10, 28, 17))
    patch.crop(volume, corner, 50)
    with pytest.raises(ValueError, match="outside the scan"):
        patch.crop(volume, far, 50)


@pytest.mark.parametrize("size", [0, -5, 9.9, 401, float("nan"), float("inf")])
def test_a_size_out_of_bounds_is_refused(size):
    with pytest.raises(ValueError, match="expected a size of 10 to 400 mm"):
        patch.crop(torso().volume, (0, 0, 0), size)


def test_a_window_is_a_name_or_two_numbers():
    assert patch.window_of("lung") == (-600, 1500)
    assert patch.window_of("lung", 10, 20) == (10, 20)
    for mistake in (("kidney",), ("lung", 10), ("lung", None, 10), ("lung", 10, 0), ("lung", float("nan"), 10)):
        with pytest.raises(ValueError, match="expected"):
            patch.window_of(*mistake)


def test_a_plane_is_known_by_its_name():
    assert patch.plane_of("sagittal") is SAGITTAL
    with pytest.raises(ValueError, match="expected a plane of axial, coronal, sagittal, got 'oblique'"):
        patch.plane_of("oblique")


def test_what_the_phantom_is_made_of_lets_the_pictures_differ():
    assert len({grey(hu) for hu in (0, 150, LEFT_HU, 800)}) == 4
    assert {RIGHT, LEFT, SPINE} == {2, 3, 4}
