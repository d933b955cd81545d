"""Every name of the vocabulary as the text encoder reads it: without its side."""
from __future__ import annotations

from dataclasses import dataclass

from anatembed.language.query_words import QueryWords
from anatembed.language.side_less import side_less
from anatembed.language.vocabulary import Term, Vocabulary


@dataclass(frozen=True)
class Phrase:
    """One name: side-less words, the term, its family (a structure with its sides) and the side that the words had."""

    text: str
    term_id: str
    family: str
    side: str | None
    lang: str
    kind: str


def family_of(term: Term) -> str:
    """The id that stands for a structure and its sides."""
    return term.base or (min(term.id, term.pair) if term.pair else term.id)


def phrases_of(vocabulary: Vocabulary, tables: QueryWords) -> list[Phrase]:
    """All names and synonyms, preferred names first within their term.

    Left out: side-less words of a name whose side makes it the name of a structure without sides ("right colon").
    """
    found: dict[tuple[str, str, str | None], Phrase] = {}
    for term in vocabulary.terms:
        names = [(term.preferred, "en", "preferred"), *((s.text, s.lang, s.type) for s in term.synonyms)]
        for text, lang, kind in names:
            words, side = side_less(text, tables)
            if not words or (side and term.laterality == "none"):
                continue
            found.setdefault((words, term.id, side), Phrase(words, term.id, family_of(term), side, lang, kind))
    return list(found.values())
