import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("slicer", reason="needs slicer-core")
from web_demo import plane

SHAPE = (7, 9, 11)
AXIAL = np.diag([-1.0, 1.0, 1.0, 1.0])


def flipped(axis: int, spacing_mm=(1.5, 2.0, 3.0), origin_mm=(-40.0, 25.0, 310.0)) -> np.ndarray:
    """An affine to RAS of which one axis runs the other way, anisotropic and off the origin."""
    affine = np.diag([*spacing_mm, 1.0])
    affine[axis, axis] *= -1
    affine[:3, 3] = origin_mm
    return affine


def turned(degrees: float) -> np.ndarray:
    angle = np.deg2rad(degrees)
    motion = np.eye(4)
    motion[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return motion


volumes = st.builds(lambda axis, degrees: turned(degrees) @ flipped(axis), st.integers(0, 2), st.floats(-180, 180))


@given(volumes, st.tuples(*(st.integers(0, size - 1) for size in SHAPE)))
def test_the_hu_at_a_voxel_is_that_voxel_however_the_scan_lies(affine, kji):
    array = np.arange(np.prod(SHAPE), dtype=np.int16).reshape(SHAPE)
    position_ras = (affine @ [*kji[::-1], 1.0])[:3]
    assert plane.hu_at(array, affine, position_ras) == array[kji]


@given(volumes, st.integers(0, 2), st.sampled_from([-1.0, 1.0]))
def test_beside_the_scan_there_is_no_hu(affine, axis, side):
    ijk = (np.array(SHAPE[::-1]) - 1) / 2
    ijk[axis] += side * SHAPE[::-1][axis]
    assert plane.hu_at(np.zeros(SHAPE), affine, (affine @ [*ijk, 1.0])[:3]) is None


@given(st.integers(0, 2), st.integers(0, SHAPE[0] - 1))
def test_a_slice_has_the_number_that_it_has_in_the_scan(axis, k):
    affine = flipped(axis)
    axial = AXIAL.copy()
    axial[:3, 3] = (affine @ [5, 4, k, 1.0])[:3]
    assert plane.slice_number(axial, affine, SHAPE) == f"{k + 1} / {SHAPE[0]}"


def test_an_oblique_plane_and_one_beside_the_scan_have_no_number():
    coronal = np.array([[-1.0, 0, 0, 0], [0, 0, 1.0, 0], [0, 1.0, 0, 0], [0, 0, 0, 1]])
    assert plane.slice_number(turned(20) @ coronal, np.eye(4), SHAPE) == ""
    far = AXIAL.copy()
    far[2, 3] = 900
    assert plane.slice_number(far, np.eye(4), SHAPE) == ""


@given(st.floats(0.5, 2000))
def test_a_scale_bar_is_as_long_as_it_says(width_mm):
    bar = plane.scale_bar(width_mm)
    assert np.isclose(bar["percent"] / 100 * width_mm, bar["mm"], rtol=1e-3)
    assert bar["mm"] == 1 or bar["percent"] <= 31


def test_the_place_of_a_plane_is_in_the_words_of_its_axis():
    below = AXIAL.copy()
    below[:3, 3] = (3.0, 4.0, -21.4)
    assert plane.place(below) == "I 21 mm"
    assert plane.sides(below) == {"left": "R", "right": "L", "top": "A", "bottom": "P"}
