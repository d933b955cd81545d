"""Grey values for kinds of structures."""

from anatembed.language.hu_window import FITTING, WINDOWS, fitting_window
from anatembed.language.vocabulary import Vocabulary


def test_every_kind_of_structure_has_a_window_and_those_that_are_named_exist():
    kinds = {term.category for term in Vocabulary.load().terms}
    assert set(FITTING) <= kinds
    assert {fitting_window(kind) for kind in kinds} == set(WINDOWS)
    assert fitting_window("lung") == "lung" and fitting_window("organ") == "soft tissue"
