"""Say which structure a typed text means, or why that cannot be said.

Structure decides first (side, number, negation), names second, spelling last; every content word must be explained.
"""

import re
from dataclasses import replace
from functools import cached_property

from anatembed.language.query.chinese import best_name, read_chinese
from anatembed.language.query.completion import Completion
from anatembed.language.query.foreign_names import ForeignNames
from anatembed.language.query.foreign_words import ForeignWords
from anatembed.language.query.name_decision import NameDecision
from anatembed.language.query.negated_names import without_negated
from anatembed.language.query.numbered_structures import NumberedStructures
from anatembed.language.query.phrase_index import PhraseIndex
from anatembed.language.query.place_reader import PlaceReader
from anatembed.language.query.place_words import load_place_words
from anatembed.language.query.resolution import Candidate, Resolution, accept, ask, refuse
from anatembed.language.query.side_policy import judge
from anatembed.language.query.suggested_names import SuggestedNames
from anatembed.language.query_words import load_query_words
from anatembed.language.sides import SideReading, read_sides
from anatembed.language.text_normalisation import is_chinese, normalise, upper_case_words
from anatembed.shipped_file import shipped_file

__all__ = ["Candidate", "Resolution", "Resolver"]

GUARD_PATH = shipped_file("guard_words.txt")
MAX_LENGTH = 300
_MAX_LISTED = 8
_GLUED_SIDE = re.compile(r"\b([A-Z][a-z]{2,})([LR])(?=_|\s|$)")
_LIST_MARKS = re.compile(r"[,;/&+]")
_NOTHING_TYPED = "Nothing was typed. Type the name of a structure, for example “left kidney”."
_ANOTHER_MEANING = "“{text}” is not the name of a structure. Type the name of a structure, for example “left kidney”."


class Resolver:
    """Resolve text against a vocabulary; the answer is accept, confirm, ask or refuse, never a guessed side."""

    def __init__(self, vocabulary):
        self.vocabulary = vocabulary
        self._tables = load_query_words()
        guards = frozenset(GUARD_PATH.read_text(encoding="utf-8").split())
        self._index = PhraseIndex(vocabulary, self._tables, guards)
        self._numbers = NumberedStructures(vocabulary, self._tables, self._index.known, self._index.is_real)
        self._decision = NameDecision(vocabulary, self._index, self._tables)

    def resolve(self, text: str) -> Resolution:
        """The structure that a text means, and the place in, at or beside it."""
        text = _GLUED_SIDE.sub(self._with_side_apart, self._tables.written_out(text[:MAX_LENGTH]))
        found = self._resolve_english(text)
        plain = normalise(text[:MAX_LENGTH])
        settled = is_chinese(plain) or self._index.exact(plain) or self._tables.other_meanings.search(plain)
        if found.outcome == "accept" or settled:
            return found
        reading = read_sides(self._tables.drop_commands(plain), self._index.known, self._tables)
        words = tuple(word for word in reading.words if word not in self._tables.ignorable)
        foreign = self._foreign.resolve(reading, words, found, self._resolve_english)
        if foreign or not found.unknown:
            return foreign or found
        return self._suggested.resolve(reading, words, found)

    def _with_side_apart(self, found: re.Match) -> str:
        """ "KidneyR" as "Kidney R"; "UreteR" is a word with a slip of the shift key, and says no side."""
        return " ".join(found.groups()) if normalise(found[1]) in self._index.known else found[0]

    def by_rules(self, text: str) -> Resolution:
        """The structure that English or Latin words name by the rules alone: quick, for every few words of a report."""
        return self._resolve_english(text)

    def _resolve_english(self, text: str) -> Resolution:
        found = self._resolve_name(text)
        plain = normalise(text[:MAX_LENGTH])
        return found if is_chinese(plain) else self._places.read(text, plain, found, self._resolve_name)

    def _resolve_name(self, text: str) -> Resolution:
        text = text[:MAX_LENGTH].strip()
        plain = normalise(text)
        if not text:
            return refuse(self.vocabulary, _NOTHING_TYPED)
        if not plain:
            return self._decision.unknown(text)
        if is_chinese(plain):
            return self._resolve_chinese(plain, text)
        if self._tables.other_meanings.search(plain):
            return replace(refuse(self.vocabulary, _ANOTHER_MEANING.format(text=text[:60])), unknown=True)
        upper = upper_case_words(text)
        return self._resolve_id(text) or self._resolve_exact(plain, upper) or self._resolve_words(plain, upper, text)

    def complete(self, prefix: str, limit: int = 10) -> list[tuple[str, str]]:
        """Up to `limit` (id, display text) for what has been typed so far, names that begin with it first."""
        return self._completion.complete(prefix, limit)

    @cached_property
    def _places(self) -> PlaceReader:
        return PlaceReader(self.vocabulary, self._tables, load_place_words())

    @cached_property
    def _suggested(self) -> SuggestedNames:
        return SuggestedNames(self.vocabulary, self._load_suggestions, self._decision.could_name)

    def _load_suggestions(self):
        from anatembed.language.query.suggestions import Suggestions  # NumPy and six megabytes, for few texts
        from anatembed.language.text_encoder import TextEncoder

        return Suggestions(self.vocabulary, TextEncoder.load())

    @cached_property
    def _foreign(self) -> ForeignNames:
        return ForeignNames(self.vocabulary, ForeignWords(self._tables, self._index.native))

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
            return replace(self._decision.unknown(text), unknown=False)
        whole = self._decision.of_words(words, reading, upper, text)
        if reading.negation and whole.outcome != "accept" and reading.kind == "none":
            return without_negated(text, whole, self._resolve_name)
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
        found = [self._resolve_name(part) for part in parts] if 1 < len(parts) <= _MAX_LISTED else []
        if not found or any(one.outcome in ("refuse", "confirm") for one in found):
            return None
        ids = list(dict.fromkeys(one.id for resolution in found for one in resolution.candidates))
        if len(ids) < 2:
            return None
        return ask(self.vocabulary, ids[:_MAX_LISTED], "More than one structure is named. Choose one.")

    def _resolve_chinese(self, plain, text) -> Resolution:
        body, reading = read_chinese(plain, self._tables)
        name, rest = best_name(body, self._index.chinese_names(), self._index.chinese_wholes)
        if name is None:
            return self._decision.unknown(text)
        rest = self._tables.chinese_generic.sub("", rest)
        return self._decision.of_chinese_name(judge(name.meanings, reading, self.vocabulary), reading, rest, text)
