"""A scan in which no body lies as its file says gets a word of warning with every place."""

from dataclasses import replace

import numpy as np
import pytest
from anatembed.ask import orientation
from anatembed.ask.explorer import Explorer
from anatembed.ask.index import QueryIndex
from anatembed.ask.locating import CHOOSE
from anatembed.ask.orientation import UNUSUAL, fit_along_body
from anatembed.ask.report import read_report
from phantoms import rotation
from planted import planted_checkpoint, whole_body_map

UPSIDE_DOWN = np.diag([1.0, -1.0, -1.0, 1.0])
SHIFTED = np.eye(4)
SHIFTED[:3, 3] = 200, -90, 1400
TILTED = np.eye(4)
TILTED[:3, :3] = rotation((1, 0, 0), 15)


@pytest.fixture(autouse=True)
def small_bodies_count(monkeypatch):
    """The planted body is a child's toy."""
    monkeypatch.setattr(orientation, "SHORTEST_MM", 60.0)


def moved(motion_ras: np.ndarray):
    """The same body, of which the file says that it lies elsewhere."""
    body = whole_body_map()
    return replace(body, ijk_to_ras=motion_ras @ body.ijk_to_ras)


def turned_grid():
    """The same body in a file that stores K from head to feet and I from right to left."""
    body = whole_body_map()
    flip = np.diag([-1.0, 1.0, -1.0, 1.0])
    flip[[0, 2], 3] = body.shape_kji[2] - 1, body.shape_kji[0] - 1
    return replace(body, features_ckji=body.features_ckji[:, ::-1, :, ::-1], body_kji=body.body_kji[::-1, :, ::-1],
                   hu_kji=None, ijk_to_ras=body.ijk_to_ras @ flip)  # fmt: skip


@pytest.mark.parametrize("made", [whole_body_map, turned_grid, lambda: moved(SHIFTED), lambda: moved(TILTED)])
def test_a_body_that_lies_as_its_file_says_is_answered_without_a_word(made):
    explorer = Explorer(made(), planted_checkpoint())
    assert explorer.orientation == ""
    assert explorer.locate("liver").places and UNUSUAL not in explorer.locate("liver").caution


def test_a_body_upside_down_is_answered_with_a_warning():
    explorer = Explorer(moved(UPSIDE_DOWN), planted_checkpoint())
    assert fit_along_body(explorer.index).slope < 0
    answer = explorer.locate("liver")
    assert answer.places and answer.caution.startswith(UNUSUAL)


def test_a_scan_in_which_heights_follow_nothing_is_unusual():
    body = whole_body_map()
    heights = np.random.default_rng(0).permutation(body.features_ckji[2].ravel()).reshape(body.shape_kji)
    features = body.features_ckji.copy()
    features[2] = heights
    fit = fit_along_body(QueryIndex(replace(body, features_ckji=features), planted_checkpoint().readout,
                                    body.encoder_id))  # fmt: skip
    assert fit.is_unusual and fit.explained < 0.1


def test_a_short_piece_of_a_body_is_not_judged():
    fit = fit_along_body(QueryIndex(moved(UPSIDE_DOWN), planted_checkpoint().readout, whole_body_map().encoder_id))
    assert not replace(fit, extent_mm=50.0).is_unusual and fit.is_unusual


def test_the_warning_comes_with_names_of_a_place_and_with_options_too_and_not_with_a_refusal():
    explorer = Explorer(moved(UPSIDE_DOWN), planted_checkpoint())
    options = explorer.locate("kidney")
    assert options.decision == CHOOSE and options.caution.startswith(UNUSUAL)
    assert explorer.describe(options.marked[0].position_ras).caution.startswith(UNUSUAL)
    assert explorer.locate("mandible").caution == ""
    upright = Explorer(whole_body_map(), planted_checkpoint())
    assert upright.describe(upright.locate("liver").places[0].position_ras).caution == ""


def test_a_report_is_read_with_the_warning():
    assert read_report(Explorer(moved(UPSIDE_DOWN), planted_checkpoint()), "Liver and kidneys.").caution == UNUSUAL
    assert read_report(Explorer(whole_body_map(), planted_checkpoint()), "Liver and kidneys.").caution == ""
