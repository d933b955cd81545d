import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("slicer", reason="needs slicer-core")
from web_demo import words


@pytest.mark.parametrize(("direction", "letter"), [
    ((1, 0, 0), "R"), ((-1, 0, 0), "L"), ((0, 1, 0), "A"), ((0, -1, 0), "P"), ((0, 0, 1), "S"), ((0, 0, -1), "I"),
    ((0.2, 0.3, -0.9), "I"), ((-0.8, 0.5, 0.3), "L"),
])
def test_a_direction_has_the_letter_of_the_side_that_it_points_to(direction, letter):
    assert words.axis_letter(direction) == letter


@given(st.lists(st.floats(-1, 1), min_size=3, max_size=3).filter(lambda one: max(map(abs, one)) > 1e-3))
def test_the_opposite_direction_has_the_opposite_letter(direction):
    opposite = {"R": "L", "L": "R", "A": "P", "P": "A", "S": "I", "I": "S"}
    assert words.axis_letter(-np.array(direction)) == opposite[words.axis_letter(direction)]


def test_numbers_are_in_the_words_of_the_panel():
    assert words.position((12.4, -3.0, 0.0)) == "R 12, P 3, S 0 mm"
    assert words.placeConfidence(0.3) == "30%, uncertain place"
