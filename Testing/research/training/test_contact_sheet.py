"""The script that shows generated crops beside real ones, on small people."""

import contact_sheet
import numpy as np
import prepare_data
import pytest
from contact_sheet import Panel
from little_people import VOCABULARY, little_person
from PIL import Image
from research.training.synthesis import CropGenerator

SHAPE_KJI = (24, 28, 40)


@pytest.fixture
def prepared(tmp_path, monkeypatch):
    """A person with a CT and one without; the names of six structures suffice."""
    monkeypatch.setattr(contact_sheet, "MIN_CONCEPTS", 6)
    monkeypatch.setattr(contact_sheet, "SHAPE_KJI", SHAPE_KJI)
    folder = tmp_path / "prepared"
    folder.mkdir()
    people = [
        lambda: little_person("mapped", ct=False, source="maps"),
        lambda: little_person("scanned", concepts=("vertebrae_T12", "liver")),
    ]
    prepare_data.prepare(people, folder, VOCABULARY)
    return folder


def test_synthetic_and_real_crops_take_turns_and_are_named(prepared):
    made, taken = contact_sheet.panels(prepared, 3, seed=0)
    assert (made.title, taken.title) == ("synthetic: mapped", "real: scanned")
    assert made.hu_kji.shape == taken.hu_kji.shape == SHAPE_KJI
    # The scan of a small person has no noise: what is not at a border is one of four values.
    assert np.isin(np.round(taken.hu_kji), (-1000, -100, 60, 300)).mean() > 0.5
    assert len(np.unique(np.round(made.hu_kji, 3))) > 1000


def test_a_person_with_labels_and_a_scan_is_shown_at_the_same_place_twice(prepared, monkeypatch):
    monkeypatch.setattr(CropGenerator, "_cut", lambda *arguments: None)  # each would be cut off at ends of its own
    prepare_data.prepare([lambda: little_person("both")], prepared, VOCABULARY)
    made, taken = contact_sheet.panels(prepared, 1, seed=4)
    assert (made.title, taken.title) == ("synthetic: both", "real: both")
    assert made.body_kji.any(axis=(1, 2)).sum() > 5
    np.testing.assert_array_equal(made.body_kji, taken.body_kji)


def test_the_same_seed_gives_the_same_sheet(prepared, tmp_path, monkeypatch):
    path = tmp_path / "sheet.png"
    monkeypatch.setattr("sys.argv", ["contact_sheet.py", str(prepared), "-o", str(path), "--seed", "1"])
    contact_sheet.main()
    again = contact_sheet.sheet(contact_sheet.panels(prepared, 4, seed=1))
    np.testing.assert_array_equal(np.asarray(Image.open(path)), again)


def test_slices_show_the_patients_right_at_the_left_and_anterior_or_superior_up():
    hu = np.zeros((4, 5, 6))
    body = np.zeros((4, 5, 6), bool)
    body[2], body[:, 3] = True, True
    hu[2, 4, 5] = 100  # right and anterior, in the axial slice with most body
    hu[3, 3, 0] = 200  # left and superior, in the coronal one
    panel = Panel("", hu, body)
    assert contact_sheet.fullest_slice(panel, "axial")[0, 0] == 100
    assert contact_sheet.fullest_slice(panel, "coronal")[0, -1] == 200


def test_a_sheet_has_a_row_per_plane_and_window_and_a_column_per_panel():
    body = np.ones(SHAPE_KJI, bool)
    hu = np.full(SHAPE_KJI, -500.0)
    picture = contact_sheet.sheet([Panel("one", hu, body), Panel("two", hu, body)])
    k, j, i = SHAPE_KJI
    line, zoom = contact_sheet.LINE, contact_sheet.ZOOM
    assert picture.shape == (line + 4 * line + 2 * (j + k) * zoom, 2 * (i * zoom + contact_sheet.GAP))
    soft, lung = picture[3 * line, 10], picture[3 * line + j * zoom + line, 10]
    assert soft == 0 and lung == int(255 * 600 / 1300)


def test_every_source_is_as_likely_as_every_other():
    people = [{"name": f"many {n}", "source": "many"} for n in range(50)] + [{"name": "single", "source": "few"}]
    chosen = [contact_sheet.choose(people, 1, np.random.default_rng(seed))[0] for seed in range(60)]
    assert 15 < chosen.count("single") < 45


def test_a_folder_without_scans_is_refused(prepared):
    prepare_data.prepare([lambda: little_person("mapped", ct=False)], prepared, VOCABULARY)
    with pytest.raises(ValueError, match="one with a CT .* got 1 and 0 among 1"):
        contact_sheet.panels(prepared, 1, seed=0)


def test_a_folder_that_is_not_prepared_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.argv", ["contact_sheet.py", str(tmp_path), "-o", str(tmp_path / "sheet.png")])
    with pytest.raises(SystemExit, match=r"expected the manifest\.json of scripts/prepare_data\.py"):
        contact_sheet.main()
