"""From a question to a place in an annotated scan."""

import numpy as np
import pytest
from anatembed.ask.index import Hit
from anatembed.ask.locating import GO, NOT_HERE, REFUSE, Answer, Meaning
from anatembed.language.query.resolution import NOT_UNDERSTOOD
from anatembed.language.query.resolver import Resolver
from anatembed.language.vocabulary import Vocabulary
from research.evaluation.question_places import PREFERRED, SYNONYM, TRANSLATION, ask_scan, names_to_ask, places_table
from research.evaluation.truth import Case, Structure

VOCABULARY = Vocabulary.load()
RESOLVER = Resolver(VOCABULARY)
PLACES = {"kidney_left": (-50.0, 0.0, 0.0), "kidney_right": (50.0, 0.0, 0.0), "spleen": (-80.0, 0.0, 60.0)}


def structure(concept):
    place = np.array(PLACES[concept])
    return Structure(concept, place - 20, place + 20, place, place, True)


CASE = Case("person", "annotated", None, [structure(concept) for concept in PLACES], [], [])


def locate_by(places):
    """An explorer of the places, by what the resolver makes of a text."""

    def locate(text):
        resolved = RESOLVER.resolve(text).candidates
        meant = tuple(Meaning(one.id, one.name, one.side) for one in resolved)
        known = [one.id for one in resolved if one.id in places]
        if not known:
            return Answer(text, REFUSE, "", NOT_HERE, meant=meant)
        hit = Hit(np.array(places[known[0]]), 1.0, known[0])
        return Answer(text, GO, "", places=(hit,), meant=meant)

    return locate


@pytest.fixture(scope="module")
def rows():
    return {row["asked by"]: row for row in places_table(ask_scan(CASE, locate_by(PLACES), VOCABULARY))}


def test_names_of_a_structure_are_asked_by_kind():
    asked = names_to_ask("spleen", VOCABULARY)
    assert asked[0] == (PREFERRED, "spleen")
    assert (TRANSLATION, "Milz") in asked and (TRANSLATION, "rate") in asked
    assert not any(text == "splenic" for _, text in asked)


def test_a_question_that_ends_in_its_box_is_a_hit(rows):
    assert rows[PREFERRED]["questions"] == len(PLACES)
    assert rows[PREFERRED]["hit within 10 mm"] == rows[PREFERRED]["understood"] == 1
    assert rows[SYNONYM]["hit where the id hits"] == 1
    assert rows[TRANSLATION]["wrong side"] == 0


def test_a_hit_in_the_other_kidney_is_a_wrong_side():
    swapped = PLACES | {"kidney_left": PLACES["kidney_right"], "kidney_right": PLACES["kidney_left"]}
    asked = [one for one in ask_scan(CASE, locate_by(swapped), VOCABULARY) if one.concept == "kidney_left"]
    assert all(one.wrong_side and not one.hit and not one.reachable for one in asked)


def test_what_is_not_found_is_no_hit():
    asked = ask_scan(CASE, lambda text: Answer(text, REFUSE, "", NOT_UNDERSTOOD), VOCABULARY)
    assert not any(one.understood or one.hit or one.wrong_side for one in asked)
