"""Whether chosen slices show what was asked for, counted on a scan where the answer is known."""

from types import SimpleNamespace

import numpy as np
import pytest
from anatembed.ask.explorer import Explorer
from anatembed.ask.key_slices import AxialSlices
from planted import CENTRES_RAS, planted_checkpoint, whole_body_map
from research.evaluation.slice_selection import (
    CHOSEN,
    EVEN,
    MIDDLE,
    RANDOM,
    crossed_slices,
    overview_hits,
    selection_hits,
    table,
)
from research.evaluation.truth import Structure


@pytest.fixture(scope="module")
def explorer():
    return Explorer(whole_body_map(), planted_checkpoint())


def box(concept, half=12.0):
    centre = np.array(CENTRES_RAS[concept])
    return Structure(concept, centre - half, centre + half, centre, centre, True)


@pytest.fixture(scope="module")
def case():
    return SimpleNamespace(person="planted", present=[box("heart"), box("kidney_left")])


def test_the_slices_that_cross_a_box_are_counted(explorer):
    slices = AxialSlices(explorer.map)
    crossed = crossed_slices(slices, box("heart"))
    heights = [slices.middle_ras(index)[2] for index in np.flatnonzero(crossed)]
    assert len(heights) == 4 and min(heights) >= 38 and max(heights) <= 62


def test_chosen_slices_hit_and_random_ones_as_often_as_chance(explorer, case):
    rows = selection_hits(case, explorer, counts=(1,))
    shares = {(row.system, number): row.share for number, row in enumerate(rows)}
    assert [value for (system, _), value in shares.items() if system == CHOSEN] == [1.0, 1.0]
    assert [value for (system, _), value in shares.items() if system == RANDOM] == pytest.approx([4 / 24] * 2)
    assert {row.system for row in rows} == {CHOSEN, RANDOM, EVEN, MIDDLE}


def test_any_of_several_random_slices_hits_more_often_than_one(explorer, case):
    rows = [row for row in selection_hits(case, explorer, counts=(1, 3)) if row.system == RANDOM]
    one, three = (next(row for row in rows if row.k == k) for k in (1, 3))
    assert one.any == pytest.approx(4 / 24) and three.any == pytest.approx(1 - (20 * 19 * 18) / (24 * 23 * 22))


def test_structures_outside_of_the_scan_or_unknown_to_the_model_are_left_out(explorer):
    far = Structure("heart", np.full(3, 900.0), np.full(3, 910.0), np.full(3, 905.0), np.full(3, 905.0), True)
    unknown = Structure("mandible", *(np.zeros(3),) * 4, True)
    assert selection_hits(SimpleNamespace(person="x", present=[far, unknown]), explorer) == []


def test_slices_without_a_question_are_counted_for_every_structure(explorer, case):
    rows = [row for row in overview_hits(case, explorer, counts=(5,)) if row.system == CHOSEN]
    assert len(rows) == 2 and all(row.any == 1 for row in rows)


def test_the_table_has_a_line_for_every_system_and_number(explorer, case):
    lines = table(selection_hits(case, explorer)).splitlines()
    assert len(lines) == 2 + 3 * 4 and "| 1 | chosen | 1.00 (1.00 to 1.00) | 1.00 (1.00 to 1.00) | 2 |" in lines
