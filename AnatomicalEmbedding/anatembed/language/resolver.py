"""Say which structure a typed text means, or why that cannot be said.

Structure decides first (side, number, negation), names second, spelling last; every content word must be explained.
"""

import re
from functools import cached_property
from pathlib import Path

from anatembed.language.chinese import longest_name, read_chinese
from anatembed.language.completion import Completion
from anatembed.language.name_decision import NameDecision
from anatembed.language.numbered_structures import NumberedStructures
from anatembed.language.phrase_index import PhraseIndex
from anatembed.language.query_words import load_query_words
from anatembed.language.resolution import Candidate, Resolution, accept, ask, refuse
from anatembed.language.side_policy import judge
from anatembed.language.sides import SideReading, read_sides
from anatembed.language.text_normalisation import is_chinese, normalise, upper_case_words

__all__ = ["Candidate", "Resolution", "Resolver"]

GUARD_PATH = Path(__file__).parents[1] / "resources" / "guard_words.txt"
MAX_LENGTH = 300
_MAX_LISTED = 8
_LIST_MARKS = re.compile(r"[,;/&+]")
_NOTHING_TYPED = "Nothing was typed. Type the name of a structure, for example “left kidney”."


class Resolver:
    """Resolve text against a vocabulary; the answer is accept, confirm, ask or refuse, never a guessed side."""

    def __init__(self, vocabulary):
        self.vocabulary = vocabulary
        self._tables = load_query_words()
        guards = frozenset(GUARD_PATH.read_text(encoding="utf-8").split())
        self._index = PhraseIndex(vocabulary, self._tables, guards)
        self._numbers = NumberedStructures(vocabulary, self._tables, self._index.known)
        self._decision = NameDecision(vocabulary, self._index, self._tables)

    def resolve(self, text: str) -> Resolution:
        """The structure that a text means."""
        text = text[:MAX_LENGTH].strip()
        plain = normalise(text)
        if not text:
            return refuse(self.vocabulary, _NOTHING_TYPED)
        if not plain:
            return self._decision.unknown(text)
        if is_chinese(plain):
            return self._resolve_chinese(plain, text)
        upper = upper_case_words(text)
        return self._resolve_id(text) or self._resolve_exact(plain, upper) or self._resolve_words(plain, upper, text)

    def complete(self, prefix: str, limit: int = 10) -> list[tuple[str, str]]:
        """Up to `limit` (id, display text) for what has been typed so far, names that begin with it first."""
        return self._completion.complete(prefix, limit)

    @cached_property
    def _completion(self) -> Completion:
        return Completion(self.vocabulary)

    def _resolve_id(self, text) -> Resolution | None:
        """An id as programs write it ("kidney_left"), of this vocabulary or an alias."""
        word = text.lower()
        term_id = self.vocabulary.id_spelt(word) if "_" in word else None
        if term_id is None:
            return None
        sides = self.vocabulary.sides(term_id)
        if self.vocabulary[term_id].laterality == "none" and sides:
            return ask(self.vocabulary, sides.values(), "This structure exists on both sides. Choose left or right.")
        return accept(self.vocabulary, term_id, f"“{self.vocabulary.name(term_id)}” is named.")

    def _resolve_exact(self, plain, upper) -> Resolution | None:
        """A text that is a name as it stands, with its own side words."""
        meanings = self._index.exact(plain)
        if not meanings:
            return None
        everyday = self._index.is_everyday(plain) and plain not in upper
        if everyday and any(meaning.native for meaning in meanings):
            everyday = False
        return self._decision.of_exact_name(judge(meanings, SideReading(()), self.vocabulary), plain, everyday)

    def _resolve_words(self, plain, upper, text) -> Resolution:
        tables = self._tables
        cleaned = tables.drop_commands(plain)
        reading = read_sides(self._expand(cleaned), self._index.known, tables)
        numbered_words = tables.canonical_numbers(cleaned.split())
        bare = " ".join(word for word in numbered_words if word not in tables.ignorable)
        exact = self._resolve_exact(bare, upper) if reading.kind not in ("screen", "relative") else None
        if exact:
            return exact
        numbered = self._numbers.resolve(reading)
        if numbered:
            return numbered
        words = tuple(tables.canonical_numbers([word for word in reading.words if word not in tables.grammar - upper]))
        if all(word in tables.ignorable - upper for word in words):
            return self._decision.unknown(text)
        whole = self._decision.of_words(words, reading, upper, text)
        if whole.outcome == "accept" or reading.negation:
            return whole
        return self._resolve_list(text) or whole

    def _expand(self, text) -> str:
        """Short forms written out: "inf" is inferior, "RUL nodule" has the words of the lobe."""
        expansions, known = self._tables.expansions, self._index.known
        words = text.split()
        return " ".join(
            expansions[word] if word in expansions and (word not in known or " " in expansions[word]) else word
            for word in words
        )

    def _resolve_list(self, text) -> Resolution | None:
        """ "Liver and spleen": every part must be a structure of its own."""
        parts, current = [], []
        for word in _LIST_MARKS.sub(" and ", text).split():
            if normalise(word) in self._tables.connectors:
                parts.append(" ".join(current))
                current = []
            else:
                current.append(word)
        parts = [part for part in [*parts, " ".join(current)] if part]
        found = [self.resolve(part) for part in parts] if 1 < len(parts) <= _MAX_LISTED else []
        if not found or any(one.outcome in ("refuse", "confirm") for one in found):
            return None
        ids = list(dict.fromkeys(one.id for resolution in found for one in resolution.candidates))
        if len(ids) < 2:
            return None
        return ask(self.vocabulary, ids[:_MAX_LISTED], "More than one structure is named. Choose one.")

    def _resolve_chinese(self, plain, text) -> Resolution:
        body, reading = read_chinese(plain, self._tables)
        name = longest_name(body, self._index.chinese_names())
        if name is None:
            return self._decision.unknown(text)
        rest = body.replace(name.words[0], "", 1)
        return self._decision.of_chinese_name(judge(name.meanings, reading, self.vocabulary), reading, rest, text)
