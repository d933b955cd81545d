import numpy as np
import pytest
from anatembed.ask.colour_vision import lab_of, least_distance, rgb_of
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(("rgb", "lab"), [
    ((255, 255, 255), (100, 0, 0)), ((0, 0, 0), (0, 0, 0)), ((255, 0, 0), (53.24, 80.09, 67.20)),
    ((0, 0, 255), (32.30, 79.19, -107.86)), ((119, 119, 119), (50.03, 0, 0)),
])
def test_known_colours_have_their_published_coordinates(rgb, lab):
    np.testing.assert_allclose(lab_of(rgb), lab, atol=0.05)


@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_a_colour_comes_back_from_its_coordinates(rgb):
    np.testing.assert_allclose(rgb_of(lab_of(rgb)), rgb, atol=0.1)


def test_a_colour_that_no_screen_has_is_not_invented():
    assert np.isnan(rgb_of((50, 120, -120))).all()


def test_red_and_green_of_one_lightness_are_far_apart_only_for_some():
    red, green = (213, 94, 60), (120, 140, 40)
    normal = np.linalg.norm(lab_of(red) - lab_of(green))
    assert least_distance(red, green) < 0.5 * normal


def test_grey_looks_the_same_to_everyone():
    for vision in ("protanopia", "deuteranopia"):
        np.testing.assert_allclose(lab_of((90, 90, 90), vision), lab_of((90, 90, 90)), atol=0.2)


def test_blue_and_yellow_stay_apart_for_everyone():
    assert least_distance((30, 60, 170), (235, 190, 40)) > 80
