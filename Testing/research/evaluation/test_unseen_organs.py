"""Where unseen organs lie: the decoder is asked rightly, and one translation is all that any system is given."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from research.evaluation.truth import Structure
from research.evaluation.unseen_organs import NOWHERE_MM, misses


def organ(concept: str, centre) -> Structure:
    centre = np.asarray(centre, float)
    return Structure(concept, centre - 20, centre + 20, centre, centre, True)


ORGANS = [organ("liver", (90, 60, 10)), organ("spleen", (-100, 0, 5)), organ("heart", (-20, 70, 120)),
          organ("kidney_left", (-60, 10, -60)), organ("kidney_right", (60, 10, -70))]


@given(st.tuples(*[st.floats(-500, 500)] * 3))
def test_a_right_layout_anywhere_misses_nothing(shift):
    middles = {o.concept: o.centre + shift for o in ORGANS}
    np.testing.assert_allclose(misses(ORGANS, middles), 0, atol=1e-6)


def test_a_mirrored_layout_is_far_off():
    middles = {o.concept: o.centre * (-1, 1, 1) for o in ORGANS}
    assert np.median(misses(ORGANS, middles)) > 60


def test_one_misplaced_organ_counts_for_itself_only():
    middles = {o.concept: o.centre.copy() for o in ORGANS}
    middles["heart"] += (0, 40, 0)
    assert sorted(misses(ORGANS, middles)) == pytest.approx([0, 0, 0, 0, 40])


def test_organs_without_a_place_count_as_nowhere():
    middles = {o.concept: o.centre for o in ORGANS[:3]}
    assert sorted(misses(ORGANS, middles))[-2:] == [NOWHERE_MM] * 2
    assert (misses(ORGANS, {"liver": ORGANS[0].centre}) == NOWHERE_MM).all()
