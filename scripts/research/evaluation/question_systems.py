"""Systems that questions are put to: the resolver, and plain baselines over the same names."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from anatembed.language.query.resolver import Resolver
from anatembed.language.text_normalisation import is_chinese, normalise
from anatembed.language.vocabulary import Vocabulary
from rapidfuzz import fuzz, process

from research.evaluation.questions import Reply, System

RESOLVER, EXACT, FUZZY = "resolver", "exact look-up", "rapidfuzz"
FUZZY_LEVEL = 90.0
"""From this score (0..100) on rapidfuzz answers where a level is asked for."""
COSINE_LEVEL = 0.75
Encode = Callable[[list[str]], np.ndarray]


def resolver_system(resolver: Resolver) -> System:
    """The resolver as it ships."""

    def answer(text: str) -> Reply:
        resolution = resolver.resolve(text)
        place = resolution.place
        ids = tuple(one.id for one in resolution.candidates)
        return Reply(resolution.outcome, ids, (place.kind, *place.directions) if place else ())

    return answer


class NameTable:
    """Every name of a vocabulary, normalised, with the structures that it may mean."""

    def __init__(self, vocabulary: Vocabulary):
        self.vocabulary = vocabulary
        self.ids: dict[str, list[str]] = {}
        for term in vocabulary.terms:
            for text in (term.preferred, *(one.text for one in term.synonyms)):
                ids = self.ids.setdefault(normalise(text), [])
                if term.id not in ids:
                    ids.append(term.id)
        self.ids.pop("", None)

    def reply(self, name: str) -> Reply:
        """Accept the structure of a name; ask where it has two sides or means several structures."""
        sides = [
            self.vocabulary.sides(one) if self.vocabulary[one].laterality == "none" else {} for one in self.ids[name]
        ]
        ids = tuple(
            dict.fromkeys(
                found for one, both in zip(self.ids[name], sides, strict=True) for found in (both.values() or (one,))
            )
        )
        return Reply("accept" if len(ids) == 1 else "ask", ids)


def exact_system(table: NameTable) -> System:
    """The text must be a name, letter by letter after normalisation."""

    def answer(text: str) -> Reply:
        name = normalise(text)
        return table.reply(name) if name in table.ids else Reply("refuse")

    return answer


def fuzzy_system(table: NameTable, level: float = 0.0) -> System:
    """The name with the best mean of WRatio and token-set ratio, if it reaches `level` (0..100)."""
    names = list(table.ids)

    def answer(text: str) -> Reply:
        plain = normalise(text)
        if not plain:
            return Reply("refuse")
        scores = [process.cdist([plain], names, scorer=scorer)[0] for scorer in (fuzz.WRatio, fuzz.token_sort_ratio)]
        mixed = (scores[0] + scores[1]) / 2
        best = int(np.argmax(mixed))
        return table.reply(names[best]) if mixed[best] >= level else Reply("refuse")

    return answer


def cosine_system(table: NameTable, encode: Encode, level: float = 0.0) -> System:
    """The name whose text vector is nearest, if the cosine reaches `level`; names in Chinese are left out."""
    names = [name for name in table.ids if not is_chinese(name)]
    vectors = encode(names)

    def answer(text: str) -> Reply:
        plain = normalise(text)
        if not plain:
            return Reply("refuse")
        cosine = vectors @ encode([plain])[0]
        best = int(np.argmax(cosine))
        return table.reply(names[best]) if cosine[best] >= level else Reply("refuse")

    return answer


def baselines(vocabulary: Vocabulary) -> dict[str, System]:
    """The systems that need nothing but the names."""
    table = NameTable(vocabulary)
    return {
        EXACT: exact_system(table),
        FUZZY: fuzzy_system(table),
        f"{FUZZY} from {FUZZY_LEVEL:.0f} on": fuzzy_system(table, FUZZY_LEVEL),
    }
