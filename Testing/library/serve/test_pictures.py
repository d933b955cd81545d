from dataclasses import replace

import numpy as np
import pytest
from anatembed.ask.explorer import Explorer
from anatembed.scan.volume import Volume
from anatembed.serve import pictures
from planted import CENTRES_RAS, planted_checkpoint, planted_map, whole_body_map


@pytest.fixture(scope="module")
def explorer():
    return Explorer(whole_body_map(left_out=("spleen",)), planted_checkpoint())


@pytest.fixture(scope="module")
def ct(explorer):
    """Soft tissue on the map's own grid."""
    values = np.where(explorer.map.body_kji, 40, -1000).astype(np.int16)
    return Volume(values, explorer.map.ijk_to_ras, "CT", "person")


def drawn(explorer, volume, text) -> tuple[np.ndarray, object]:
    probability, answer = explorer.probability(text)
    under = pictures.backdrop(explorer, volume)
    return np.asarray(pictures.answer_picture(under, answer, probability)), answer


def tiles(picture: np.ndarray) -> list[slice]:
    """Columns of the three slices of an answer, found by their black frames' gaps."""
    background = (picture[pictures.HEAD + 100 : -60] == pictures.BACKGROUND).all(axis=(0, 2))
    edges = np.flatnonzero(np.diff(np.concatenate([[1], background.astype(int), [1]])))
    return [slice(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def hot_columns(picture: np.ndarray, columns: slice) -> np.ndarray:
    body = picture[pictures.HEAD : -40, columns].astype(int)
    warm = (body[..., 0] > 200) & (body[..., 0] - body[..., 2] > 90) & (body[..., 1] < 245)
    letters = np.abs(body - pictures.LETTER).sum(axis=-1) < 120
    return np.nonzero(warm & ~letters)[1] / body.shape[1]


@pytest.mark.parametrize(("text", "at_the_left"), [("right kidney", True), ("left kidney", False)])
def test_the_right_of_the_patient_is_drawn_at_the_left(explorer, ct, text, at_the_left):
    picture, _ = drawn(explorer, ct, text)
    axial, coronal, _ = tiles(picture)
    for columns in (axial, coronal):
        where = hot_columns(picture, columns)
        assert where.size > 50
        assert bool(np.median(where) < 0.5) is at_the_left


def test_the_cross_marks_the_best_hit(explorer, ct):
    picture, answer = drawn(explorer, ct, "liver")
    cross = (picture == pictures.CROSS).all(axis=-1)
    axial = tiles(picture)[0]
    columns = np.nonzero(cross[:, axial])[1]
    box = pictures.box_of(explorer.map.body_kji, explorer.map.ijk_to_ras)
    pixel_mm = (box[1][0] - box[0][0]) / (axial.stop - axial.start)
    expected = (box[1][0] - answer.places[0].position_ras[0]) / pixel_mm
    assert abs((columns.min() + columns.max()) / 2 - expected) < 2
    assert cross.any(axis=0)[tiles(picture)[2]].any()


def test_nothing_found_is_nothing_to_draw(explorer):
    probability, answer = explorer.probability("spleen")
    with pytest.raises(ValueError, match="expected an answer with a place"):
        pictures.answer_picture(pictures.backdrop(explorer, None), answer, probability)


def test_the_overview_has_a_row_of_slices_for_each_plane(explorer, ct):
    picture = np.asarray(pictures.overview(pictures.backdrop(explorer, ct)))
    rows = (picture[:, 200:-200] == pictures.BACKGROUND).all(axis=(1, 2))
    starts = np.flatnonzero(np.diff(rows.astype(int)) == -1)
    assert len(starts[starts > pictures.HEAD - 20]) >= 3
    assert picture.shape[1] <= 1700


def test_a_map_alone_is_drawn_in_its_colours(explorer):
    picture = np.asarray(pictures.overview(pictures.backdrop(explorer, None)), int)
    red, _, blue = np.moveaxis(picture, -1, 0)
    assert (np.abs(red - blue) > 40).mean() > 0.05


def test_the_colours_of_the_overlay_are_those_of_the_map(explorer):
    under = pictures.backdrop(explorer, None)
    fields = pictures._colour_fields(explorer)
    position = np.array(CENTRES_RAS["liver"])
    view = pictures.Slice(pictures.AXIAL, float(position[2]), position - 60, position + 60, 1.0)
    expected = explorer.checkpoint.readout.colours(explorer.map.sample(position[None]))[0]
    tile = np.asarray(pictures._coloured(under, view, fields), int)
    assert np.abs(tile[60, 60] - expected).max() < 25


@pytest.mark.parametrize(("place", "sure"), [("liver", True), ("spleen", False)])
def test_sure_names_are_blue_and_unsure_ones_yellow(explorer, place, sure):
    position = np.array(CENTRES_RAS[place])
    shades = pictures._shade(explorer.index.uncertainty_kji(), pictures.UNSURE_STOPS)
    fields = pictures._fields(explorer, np.concatenate([shades, np.ones((*shades.shape[:3], 1))], axis=-1))
    view = pictures.Slice(pictures.AXIAL, float(position[2]), position - 60, position + 60, 1.0)
    red, _, blue = np.asarray(pictures._coloured(pictures.backdrop(explorer, None), view, fields), int)[60, 60]
    assert (blue > red + 40) if sure else (red > blue + 40)


def test_the_scale_of_uncertainty_grows_lighter_all_the_way():
    light = pictures._shade(np.linspace(0, 1, 50), pictures.UNSURE_STOPS) @ (0.2126, 0.7152, 0.0722)
    assert (np.diff(light) > 0).all()


def test_the_overview_of_uncertainty_has_a_legend_with_both_ends_of_the_scale(explorer, ct):
    page = np.asarray(pictures.uncertainty_overview(pictures.backdrop(explorer, ct)), int)
    head = page[: pictures.HEAD].reshape(-1, 3)
    for end in pictures.UNSURE_STOPS[[0, -1]]:
        assert (np.abs(head - end).sum(axis=-1) < 12).sum() >= 10


def test_air_is_left_black_around_the_body(explorer, ct):
    under = pictures.backdrop(explorer, ct)
    low, _ = pictures.box_of(explorer.map.body_kji, explorer.map.ijk_to_ras, 40)
    view = pictures.Slice(pictures.AXIAL, 0.0, low, low + 30, 1.0)
    tile = np.asarray(pictures._coloured(under, view, pictures._colour_fields(explorer)))
    assert (tile == 0).all(axis=-1).mean() > 0.3


def test_what_is_filled_with_air_is_shown_in_the_lung_window(explorer, ct):
    airy = replace(ct, array_kji=np.full_like(ct.array_kji, -850))
    view = pictures.Slice(pictures.AXIAL, 0.0, np.full(3, -40.0), np.full(3, 40.0), 2.0)
    found = np.ones(view.size[::-1], bool)
    for volume, window in ((airy, pictures.LUNG_WINDOW_HU), (ct, pictures.WINDOW_HU)):
        assert pictures._windowed(pictures.backdrop(explorer, volume), view, found).window == window


def test_other_images_than_ct_are_shown_in_their_own_range(explorer, ct):
    values = np.random.default_rng(0).uniform(0, 5000, ct.array_kji.shape)
    under = pictures.backdrop(explorer, replace(ct, array_kji=values), is_ct=False)
    assert under.window[0] == pytest.approx(50, abs=40)
    assert under.window[1] == pytest.approx(4950, abs=40)


@pytest.mark.parametrize("text", ["左肾", "left kidney " * 40])
def test_titles_fit_whatever_was_typed(explorer, text):
    probability, answer = explorer.probability("left kidney")
    answer = replace(answer, query=text)
    image = pictures.answer_picture(pictures.backdrop(explorer, None), answer, probability)
    right_rim = np.asarray(image)[: pictures.HEAD, -6:]
    assert (right_rim == pictures.BACKGROUND).all()


def test_a_thin_map_is_drawn_too():
    thin = planted_map([(["liver"], (0, 0, 0))], shape_kji=(3, 20, 32))
    image = pictures.overview(pictures.backdrop(Explorer(thin, planted_checkpoint()), None))
    assert image.width > 500
