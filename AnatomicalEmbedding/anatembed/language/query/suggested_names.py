"""Names near in meaning to words that no rule explains: a question when the text encoder is sure, else a hint."""

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property

from anatembed.language.finding_words import load_finding_words
from anatembed.language.query.candidate import candidate
from anatembed.language.query.resolution import SUGGESTION_CONFIDENCE, Resolution, ask, confirm
from anatembed.language.sides import SideReading

LIMIT = 3
NEAR = 0.7
"""From this cosine on a name is worth a hint."""


class SuggestedNames:
    """Loads the text encoder with the first text that needs it; without its file, nothing is suggested.

    load: gives a `Suggestions`; FileNotFoundError when the text encoder is not there. could_name: whether side-less
    words may name a structure at all; a name that the rules know to be another one stays refused.
    """

    def __init__(self, vocabulary, load, could_name: Callable[[tuple[str, ...], str], bool]):
        self._vocabulary = vocabulary
        self._load = load
        self._could_name = could_name
        self._findings = load_finding_words().structures

    @cached_property
    def _suggestions(self):
        try:
            return self._load()
        except FileNotFoundError:
            return None

    def resolve(self, reading: SideReading, words: tuple[str, ...], found: Resolution) -> Resolution | None:
        """`found`, a refusal of unknown words, as a question or with better hints; never on the other side.

        None where there are no such names.
        """
        near = self._near(reading, words)
        if near and near[0].sure and self._may_be_asked(words, near[0].id, found):
            return self._question([one.id for one in near])
        hints = [one.id for one in near if one.score >= NEAR]
        return self._with_hints(found, hints) if hints and not found.candidates else None

    def _near(self, reading: SideReading, words: tuple[str, ...]):
        plain = words and not reading.negation and reading.kind in ("one", "none")
        if not plain or self._suggestions is None:
            return []
        near = self._suggestions.near(" ".join(words), reading.side, LIMIT)
        return [one for one in near if self._family(one.id) not in self._findings]

    def _may_be_asked(self, words: tuple[str, ...], term_id: str, found: Resolution) -> bool:
        """False for a structure that the rules have refused, or that the words cannot name."""
        refused = {self._family(one.id) for one in found.candidates}
        return self._family(term_id) not in refused and self._could_name(words, term_id)

    def _family(self, term_id: str) -> str:
        return self._vocabulary[term_id].base or term_id

    def _with_hints(self, found: Resolution, hints: list[str]) -> Resolution:
        names = ", ".join(f"“{self._vocabulary.name(one)}”" for one in hints)
        candidates = tuple(candidate(self._vocabulary, one, SUGGESTION_CONFIDENCE) for one in hints)
        return replace(found, candidates=candidates, reason=f"{found.reason} Names that sound or mean alike: {names}.")

    def _question(self, ids: list[str]) -> Resolution:
        vocabulary, first = self._vocabulary, ids[0]
        name = vocabulary.name(first)
        sides = vocabulary.sides(first) if vocabulary[first].laterality == "none" else {}
        reason = f"The words are no known name; their meaning is near “{name}”."
        if sides:
            return ask(vocabulary, sides.values(), f"{reason} It exists on both sides. Choose left or right.")
        return confirm(vocabulary, ids, f"{reason} Is it meant?")
