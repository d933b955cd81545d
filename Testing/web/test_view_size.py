"""No page can ask for a picture that fills the memory."""

import math

from hypothesis import given
from hypothesis import strategies as st
from web_demo.view_size import LARGEST, MOST_PIXELS, bounded_size

ANYTHING = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers(), max_size=2)


def test_a_usual_size_stays():
    assert bounded_size({"w": 460, "h": 360, "p": 2}) == {"w": 460, "h": 360, "p": 2}


@given(st.dictionaries(st.sampled_from(["w", "h", "p", "x"]), ANYTHING) | ANYTHING)
def test_whatever_is_asked_the_picture_is_one_that_can_be_drawn(asked):
    size = bounded_size(asked)
    assert 10 <= size["w"] <= LARGEST and 10 <= size["h"] <= LARGEST and size["p"] > 0
    assert math.isfinite(size["p"])
    assert size["w"] * size["p"] * size["h"] * size["p"] <= MOST_PIXELS * (1 + 1e-9)
