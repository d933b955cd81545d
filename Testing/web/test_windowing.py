import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("trame_slicer", reason="needs trame-slicer: make test-web installs it")
from web_demo.windowing import WINDOWS, dragged

pixels = st.floats(-2000, 2000)


@given(st.sampled_from(sorted(WINDOWS.values())), pixels, pixels)
def test_a_dragged_window_stays_a_window(start, right, up):
    width, centre = dragged(start, right, up)
    assert 1 <= width <= 5000 and -4000 <= centre <= 4000


@given(st.sampled_from(sorted(WINDOWS.values())), st.floats(20, 400))
def test_to_the_right_widens_and_upwards_darkens(start, length):
    assert dragged(start, length, 0)[0] > start[0] > dragged(start, -length, 0)[0]
    assert dragged(start, 0, length)[1] > start[1] > dragged(start, 0, -length)[1]
    assert dragged(start, 0, 0) == start
