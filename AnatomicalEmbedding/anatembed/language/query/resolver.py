"""Say which structure a typed text means, or why that cannot be said.

Structure decides first (side, number, negation), names second, spelling last; every content word must be explained.
"""

import re

from anatembed.language.query import readers
from anatembed.language.query.candidate import Candidate
from anatembed.language.query.knowledge import Knowledge
from anatembed.language.query.readers import Reader
from anatembed.language.query.resolution import Resolution
from anatembed.language.query.typed_query import MAX_LENGTH, Query
from anatembed.language.text_normalisation import normalise
from anatembed.language.vocabulary import Vocabulary

__all__ = ["Candidate", "Resolution", "Resolver"]

NAME_READERS: tuple[Reader, ...] = (
    readers.nothing_typed,
    readers.no_letter_typed,
    readers.chinese_name,
    readers.another_meaning,
    readers.identifier,
    readers.exact_name,
    readers.exact_name_in_a_sentence,
    readers.numbered,
    readers.only_commands,
    readers.every_word_understood,
    readers.negated,
    readers.several_names,
    readers.part_of_the_words_understood,
)
"""What a text names, of any part of a text too; the last one always answers."""

RULES: tuple[Reader, ...] = (readers.place, readers.name)
"""What English or Latin words mean, of the words of a report too."""

READERS: tuple[Reader, ...] = (
    readers.finding,
    readers.place,
    readers.settled_name,
    readers.foreign_name,
    readers.near_in_meaning,
    readers.name,
)
"""What a typed text means: the first reader that has an answer decides."""

_GLUED_SIDE = re.compile(r"\b([A-Z][a-z]{2,})([LR])(?=_|\s|$)")


class Resolver:
    """Resolve text against a vocabulary; the answer is accept, confirm, ask or refuse, never a guessed side."""

    def __init__(self, vocabulary: Vocabulary):
        self.vocabulary = vocabulary
        self._known = Knowledge(vocabulary)

    def resolve(self, text: str) -> Resolution:
        """The structure that a text means, and the place in, at or beside it."""
        text = self._known.tables.written_out(text[:MAX_LENGTH])
        return self._read(_GLUED_SIDE.sub(self._with_side_apart, text), READERS)

    def by_rules(self, text: str) -> Resolution:
        """The structure that English or Latin words name by the rules alone: quick, for every few words of a report."""
        return self._read(text, RULES)

    def complete(self, prefix: str, limit: int = 10) -> list[tuple[str, str]]:
        """Up to `limit` (id, display text) for what has been typed so far, names that begin with it first."""
        return self._known.completion.complete(prefix, limit)

    def _read(self, text: str, in_order: tuple[Reader, ...]) -> Resolution:
        query = Query(text[:MAX_LENGTH].strip(), self._known, self._name, self.by_rules)
        answers = (reader(query) for reader in in_order)
        return next(answer for answer in answers if answer is not None)

    def _name(self, text: str) -> Resolution:
        return self._read(text, NAME_READERS)

    def _with_side_apart(self, found: re.Match) -> str:
        """ "KidneyR" as "Kidney R"; "UreteR" is a word with a slip of the shift key, and says no side."""
        return " ".join(found.groups()) if normalise(found[1]) in self._known.index.known else found[0]
