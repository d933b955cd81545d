"""Lists that share a name, and those that do not."""

import pytest
from anatembed.language.query.resolver import Resolver
from anatembed.language.report.lists import ReportLists
from anatembed.language.report.phrases import PhraseReader
from anatembed.language.report.tokens import clauses
from anatembed.language.vocabulary import Vocabulary

READER = PhraseReader(Resolver(Vocabulary.load()))
LISTS = ReportLists(READER)


def found(text, nouns=False):
    (tokens,) = clauses(text, READER.words)
    roles = [READER.names.role(token, False) for token in tokens]
    lists = (LISTS.find_shared_nouns if nouns else LISTS.find)(tokens, roles, False)
    words = [" ".join(token.raw for token in tokens[one.first : one.last]) for one in lists]
    return list(zip(words, ([c.id for c in one.reading.resolution.candidates] for one in lists), strict=True))


def test_a_side_reaches_over_the_members_of_one_list():
    assert found("right upper and lower lobes") == [
        ("right upper and lower lobes", ["lung_upper_lobe_right", "lung_lower_lobe_right"])]
    assert found("fourth, fifth and sixth left ribs")[0][1] == ["rib_left_4", "rib_left_5", "rib_left_6"]
    assert found("left and right upper lobes")[0][1] == ["lung_upper_lobe_left", "lung_upper_lobe_right"]
    assert found("right middle and left lower lobes")[0][1] == ["lung_middle_lobe_right", "lung_lower_lobe_left"]


@pytest.mark.parametrize("text", [
    "cyst on the right and left kidney stone", "right kidney and left adrenal gland", "upper, lower lobes",
    "right spleen and left liver", "left and spleen", "and", "right and left",
])
def test_no_list_is_made_up(text):
    assert found(text) == []


def test_names_share_a_noun_without_a_side_only():
    assert found("portal and hepatic veins", nouns=True)[0][1] == ["portal_vein", "hepatic_veins"]
    assert found("left portal and hepatic veins", nouns=True) == []
    assert found("liver and adrenal glands", nouns=True) == []
