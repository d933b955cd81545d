"""The temperature of counting is the one with which true levels are likeliest."""

import numpy as np
import pytest
from anatembed.ask.levels.canal import STEP_MM
from anatembed.ask.levels.spine_atlas import SpineAtlas
from research import level_calibration
from research.level_calibration import Part, Spine, fit_temperature, judged, parts_of_scans
from spine_phantom import USUAL, spine_phantom


@pytest.fixture(scope="module")
def spine() -> Spine:
    person = spine_phantom()
    return Spine(person.canal, person.hu_kji, person.ijk_to_ras, person.middles_ras)


def test_a_part_of_a_scan_holds_what_lies_in_it_where_it_was(spine):
    part = spine.part(100.0, 260.0, 0.0, np.random.default_rng(0))
    assert part.canal.length_mm == pytest.approx(160, abs=STEP_MM)
    whole = spine.heights_mm()
    shown = part.heights_mm()
    assert set(shown) == {name for name, height in whole.items() if 97 <= height <= 263}
    for name, height in shown.items():
        assert height == pytest.approx(np.clip(whole[name] - 100, 0, 160), abs=STEP_MM)
    k = round((part.ijk_to_ras - spine.ijk_to_ras)[2, 3] / spine.ijk_to_ras[2, 2])
    np.testing.assert_array_equal(part.hu_kji, spine.hu_kji[k : k + len(part.hu_kji)])


def test_the_whole_person_is_judged_right_and_parts_are_made(spine, monkeypatch):
    monkeypatch.setattr(level_calibration, "PARTS", 1)
    whole, part = parts_of_scans(SpineAtlas.load(), spine, np.random.default_rng(1))
    assert set(whole.true_mm) == set(spine.middles_ras) > set(part.true_mm)
    true, _, right = judged(whole, 1.0)
    assert right.mean() > 0.95 and true.mean() > 0.6 and len(true) == len(USUAL)


def test_evidence_that_is_wrong_wants_a_higher_temperature(spine, monkeypatch):
    monkeypatch.setattr(level_calibration, "PARTS", 0)
    monkeypatch.setattr(level_calibration, "TEMPERATURES", (1.0, 4.0))
    (whole,) = parts_of_scans(SpineAtlas.load(), spine, np.random.default_rng(1))
    fitted, _ = fit_temperature([whole])
    order = list(whole.true_mm)
    moved = dict(zip(order[1:], (whole.true_mm[name] for name in order[:-1]), strict=True))  # all one level too high
    wrong, table = fit_temperature([Part(whole.evidence, moved, whole.heights_mm)])
    assert (fitted, wrong) == (1.0, 4.0)
    assert table[0]["right"] < 0.1 and table[0]["negative_log_likelihood"] > table[1]["negative_log_likelihood"]
