import numpy as np
import pytest
from anatembed.geometry import transform_points
from anatembed.maps.slice_planes import AXIAL, CORONAL, PLANES, SAGITTAL, Field, Slice, along, box_of, in_words
from hypothesis import given
from hypothesis import strategies as st
from phantoms import LEFT_HU, RIGHT_HU, torso

LOW, HIGH = np.array([-100.0, -80.0, -60.0]), np.array([100.0, 90.0, 70.0])


def view(plane, position_mm=0.0, pixel_mm=2.0) -> Slice:
    return Slice(plane, position_mm, LOW, HIGH, pixel_mm)


@given(st.sampled_from(PLANES), st.floats(0.5, 9), st.data())
def test_a_pixel_and_its_position_lead_to_each_other(plane, pixel_mm, data):
    one = view(plane, 5.0, pixel_mm)
    width, height = one.size
    column = data.draw(st.integers(0, width - 1))
    row = data.draw(st.integers(0, height - 1))
    position = one.positions_ras()[row, column]
    assert position[plane.normal] == 5.0
    np.testing.assert_allclose(one.pixel(position), (column, row), atol=1e-9)


@pytest.mark.parametrize(
    ("plane", "first", "last"),
    [(AXIAL, (99, 89), (-99, -79)), (CORONAL, (99, 69), (-99, -59)), (SAGITTAL, (89, 69), (-79, -59))],
    ids=lambda value: getattr(value, "name", ""),
)
def test_the_picture_begins_right_anterior_and_above(plane, first, last):
    positions = view(plane).positions_ras()
    shown = [axis for axis in (0, 1, 2) if axis != plane.normal]
    np.testing.assert_allclose(positions[0, 0, shown], first)
    np.testing.assert_allclose(positions[-1, -1, shown], last)


@pytest.mark.parametrize("plane", PLANES, ids=lambda plane: plane.name)
def test_the_letters_name_the_sides_that_the_pixels_are_on(plane):
    positions = view(plane).positions_ras()
    corners = [(0, 0, plane.across), (0, -1, plane.across), (0, 0, plane.down), (-1, 0, plane.down)]
    for letter, (row, column, (axis, _)) in zip(plane.letters, corners, strict=True):
        assert along(axis, positions[row, column, axis]).startswith(letter)


@given(st.tuples(*[st.floats(-2, 2)] * 3), st.sampled_from(PLANES))
def test_a_linear_field_is_sampled_exactly_in_any_geometry(slope, plane):
    ijk_to_ras = np.array([[0, -7.0, 0, 130], [6.0, 0, 1.0, -120], [0, 0, -5.0, 100], [0, 0, 0, 1]])
    k, j, i = np.indices((41, 37, 45))
    values = transform_points(ijk_to_ras, np.stack([i, j, k], axis=-1)) @ slope + 3
    inner = Slice(plane, 2.0, np.full(3, -30.0), np.full(3, 30.0), 3.0)
    np.testing.assert_allclose(Field(values, ijk_to_ras).on(inner), inner.positions_ras() @ slope + 3, atol=1e-3)


@pytest.mark.parametrize("smooth", [False, True])
def test_beyond_the_faces_of_the_grid_is_outside(smooth):
    field = Field(np.ones((10, 10, 10), np.float32), np.eye(4), outside=-5, smooth=smooth)
    picture = field.on(Slice(AXIAL, 4.0, np.full(3, -6.5), np.full(3, 15.5), 1.0))
    assert set(np.unique(picture.round(4))) == {-5, 1}
    assert (picture > 0).sum() == 100
    assert (field.on(Slice(AXIAL, 9.6, np.zeros(3), np.full(3, 9.0), 1.0)) == -5).all()


@pytest.mark.parametrize("geometry", ["canonical", "flipped left-right", "oblique", "sagittal", "gantry tilt"])
def test_the_right_of_the_patient_is_at_the_left_of_the_picture(geometry):
    phantom = torso(geometry)
    centre = phantom.centre_ras
    one = Slice(AXIAL, centre[2] - 10, centre - 120, centre + 120, 2.0)
    picture = Field(phantom.volume.array_kji, phantom.volume.ijk_to_ras, -1000).on(one)
    columns = np.broadcast_to(np.arange(picture.shape[1]), picture.shape)
    right, left = (np.abs(picture - value) < 20 for value in (RIGHT_HU, LEFT_HU))
    assert columns[right].mean() < columns[left].mean()


def test_a_box_encloses_the_mask_with_its_voxels_and_a_margin():
    mask = np.zeros((10, 11, 12), bool)
    mask[2:4, 3:6, 4:9] = True
    ijk_to_ras = np.diag([-2.0, 3.0, 4.0, 1.0])
    low, high = box_of(mask, ijk_to_ras, margin_mm=1)
    np.testing.assert_allclose(low, (-8.5 * 2 - 1, 2.5 * 3 - 1, 1.5 * 4 - 1))
    np.testing.assert_allclose(high, (-3.5 * 2 + 1, 5.5 * 3 + 1, 3.5 * 4 + 1))


def test_the_box_of_nobody_is_the_whole_grid():
    low, high = box_of(np.zeros((2, 3, 4), bool), np.eye(4), margin_mm=0)
    np.testing.assert_allclose((low, high), ((-0.5,) * 3, (3.5, 2.5, 1.5)))


def test_positions_in_words():
    assert in_words((78.2, -10.4, -149)) == "R 78, P 10, I 149 mm"
    assert in_words((-0.6, 3, 12)) == "L 1, A 3, S 12 mm"
