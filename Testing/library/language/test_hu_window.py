"""Grey values for kinds of structures."""

import importlib.util
from pathlib import Path

from anatembed.language.hu_window import FITTING, WINDOWS, fitting_window
from anatembed.language.vocabulary import Vocabulary

PAGE = Path(__file__).resolve().parents[3] / "scripts" / "web_demo" / "windowing.py"


def test_every_kind_of_structure_has_a_window_and_those_that_are_named_exist():
    kinds = {term.category for term in Vocabulary.load().terms}
    assert set(FITTING) <= kinds
    assert {fitting_window(kind) for kind in kinds} == set(WINDOWS)
    assert fitting_window("lung") == "lung" and fitting_window("organ") == "soft tissue"


def test_the_page_and_the_panel_have_the_same_windows():
    spec = importlib.util.spec_from_file_location("windowing", PAGE)
    page = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(page)
    assert {name.lower(): window for name, window in page.WINDOWS.items()} == WINDOWS
    assert {kind: name.lower() for kind, name in page.FITTING.items()} == FITTING
