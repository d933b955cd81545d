"""Which words of a report may belong to the name of a structure: a quick look before the resolver is asked."""

import re
from collections import defaultdict
from collections.abc import Callable
from enum import Enum
from functools import cached_property

from anatembed.language.query_words import QueryWords
from anatembed.language.report.tokens import Token
from anatembed.language.report.words import ReportWords
from anatembed.language.text_normalisation import base_forms, normalise

LEVEL = re.compile(r"(?:c|t|th|d|l|s)\d{1,2}")
_NUMBER = re.compile(r"\d{1,2}(?:st|nd|rd|th|[ab])?")
_ROMAN = re.compile(r"(?:i{1,3}|i?v|vi{0,3}|ix|xi{0,2})[ab]?", re.IGNORECASE)
_NATIVE = ("en", "la")
_LONGEST_BEGUN = 4
"""Words of a name that is not complete, such as "mesenteric artery"."""


class Role(Enum):
    """What a word can be in a name."""

    NAME, MODIFIER, SIDE, NUMBER, LINK = range(5)


class ReportNames:
    """The English and Latin names of a vocabulary by their words, and the adjectives with their nouns."""

    def __init__(self, vocabulary, tables: QueryWords, words: ReportWords):
        self._words, self._tables = words, tables
        self._names: dict[str, list[frozenset[str]]] = defaultdict(list)
        counts = (str(number) for number in range(100))
        categories = (word for nouns in tables.generic_for_category.values() for word in nouns)
        self._plain = frozenset().union(
            tables.generic, tables.part_words, tables.vertebra_words, tables.segment_words, tables.numbers,
            words.directions, words.parts, counts, categories,
        )
        """Words that explain themselves beside a name."""
        self._short: set[str] = set()
        self._adjectives: dict[str, str] = {}
        self._nouns: set[str] = set()
        for term in vocabulary.terms:
            self._add(term.preferred)
            for synonym in term.synonyms:
                if synonym.type == "abbreviation":
                    self._short.add(normalise(synonym.text))
                elif synonym.type == "adjective" and term.laterality == "none":
                    self._adjectives[normalise(synonym.text)] = term.preferred
                if synonym.type != "adjective" and synonym.lang in _NATIVE:
                    self._add(synonym.text)
        self._adjectives = {
            adjective: noun
            for adjective, noun in self._adjectives.items()
            if adjective not in words.not_adjectives and adjective not in self._nouns
        }
        for adjective in self._adjectives:
            self._add_words(adjective)
        self.known = frozenset(self._names)

    def role(self, token: Token, shouted: bool) -> Role | None:
        """What a word can be; None when no name holds it. `shouted`: its capitals mean nothing."""
        return next((role for applies, role in self._roles if applies(token, shouted)), None)

    @cached_property
    def _roles(self) -> tuple[tuple[Callable[[Token, bool], bool], Role | None], ...]:
        """What a word may be, the first that applies; whatever is left is in no name."""
        words = self._words
        return (
            (self._is_small_letter_of_a_side, None),
            (lambda token, _: token.word in words.sides or token.word in words.sided, Role.SIDE),
            (lambda token, _: token.word in words.links, Role.LINK),
            (lambda token, _: token.word in words.connectors, None),
            (lambda token, _: token.word in words.directions or token.word in words.parts, Role.MODIFIER),
            (self._is_not_allowed, None),
            (self._is_joined_or_short_form, Role.NAME),
            (self._is_number, Role.NUMBER),
            (self._is_level_or_segment, Role.NAME),
            (self._is_doubtful_short_form, None),
            (self._is_known, Role.NAME),
        )

    def _is_small_letter_of_a_side(self, token: Token, shouted: bool) -> bool:
        return token.word in self._words.sides and len(token.word) == 1 and not token.raw.isupper()

    def _is_not_allowed(self, token: Token, shouted: bool) -> bool:
        return token.word in self._words.not_allowed and (shouted or not token.raw.isupper())

    def _is_joined_or_short_form(self, token: Token, shouted: bool) -> bool:
        """ "C-spine", "SMA"."""
        short = token.word in self._short and token.raw.isupper() and len(token.word) > 2
        return " " in token.word or short and not shouted

    def _is_number(self, token: Token, shouted: bool) -> bool:
        roman = token.raw.isupper() and _ROMAN.fullmatch(token.word)
        return bool(_NUMBER.fullmatch(token.word) or token.word in self._tables.numbers or roman)

    def _is_level_or_segment(self, token: Token, shouted: bool) -> bool:
        return bool(LEVEL.fullmatch(token.word)) or token.word in self._tables.segment_words

    def _is_doubtful_short_form(self, token: Token, shouted: bool) -> bool:
        """A short form that may be another word: in small letters, or among capitals that mean nothing."""
        word = token.word
        if word not in self._short:
            return False
        if not shouted:
            return not token.raw.isupper() or len(word) < 2
        return len(word) < 3 or word in self._tables.everyday_words or word in self._tables.ignorable

    def _is_known(self, token: Token, shouted: bool) -> bool:
        word = token.word
        if word in self._short:
            return True
        return len(word) > 1 and word not in self._tables.ignorable and bool(self._forms(word))

    def may_name(self, plain: list[str]) -> bool:
        """Whether the words hold every word of some name, or a number with what is counted, and nothing foreign."""
        forms = [{word, *self._forms(word)} for word in plain]
        for at, (one, other) in enumerate(zip(plain, plain[1:], strict=False)):
            joined = self._forms(one + other)
            forms[at].update(joined)
            forms[at + 1].update(joined)
        present = set().union(*forms)
        inside = [name for word in present for name in self._names.get(word, ()) if name <= present]
        explained = self._plain.union(*inside)
        counted = (LEVEL.fullmatch(word) or _NUMBER.fullmatch(word) or _ROMAN.fullmatch(word) for word in plain)
        if not all(count or group & explained for count, group in zip(counted, forms, strict=True)):
            return 1 < len(plain) <= _LONGEST_BEGUN and plain[-1] in self._tables.head_nouns
        return bool(inside) or bool(present & self._tables.segment_words) or any(map(LEVEL.fullmatch, plain))

    def is_name(self, plain: list[str]) -> bool:
        """Whether the words are a name, no more and no less, in any order and number."""
        forms = [set(self._forms(word)) for word in plain]
        names = {name for group in forms for word in group for name in self._names.get(word, ())}
        return any(len(name) == len(plain) and all(name & group for group in forms) for name in names)

    def is_spelt(self, phrase: str) -> bool:
        """Whether a phrase is a name as it stands, with its side words ("left anterior descending")."""
        return normalise(phrase) in self._nouns

    def words_of(self, name: str) -> set[str]:
        """The words of a name and their plurals."""
        words = normalise(name).split()
        return {*words, *(word + "s" for word in words), *(word[:-1] + "ies" for word in words if word.endswith("y"))}

    def noun_of(self, plain: list[str]) -> str | None:
        """The structure whose adjective the words are ("renal": kidney)."""
        return self._adjectives.get(" ".join(plain))

    def _forms(self, word: str) -> list[str]:
        forms = [one for one in (word, *base_forms(word)) if one in self._names]
        expanded = self._tables.expansions.get(word, "").split()
        noun = normalise(self._adjectives.get(word, "")).split()
        return [*forms, *expanded, *noun]

    def _add(self, text: str) -> None:
        self._nouns.add(normalise(text))
        self._add_words(normalise(text))

    def _add_words(self, plain: str) -> None:
        words = self._tables.canonical_numbers(plain.split())
        named = frozenset(words) - set(self._tables.side_words)
        content = named - self._tables.grammar or named
        for word in content:
            self._names[word].append(content)
