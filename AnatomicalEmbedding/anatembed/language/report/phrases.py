"""What a few words of a report name: the resolver's answer, and whether it counts as a mention."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from anatembed.language.query.resolution import Resolution
from anatembed.language.query_words import load_query_words
from anatembed.language.report.names import ReportNames, Role
from anatembed.language.report.tokens import Token
from anatembed.language.report.words import load_report_words

NAME, ADJECTIVE = "name", "adjective"


@dataclass(frozen=True)
class Reading:
    """The structure that words mean; `kind` is "adjective" where only its adjective stands there ("hepatic")."""

    resolution: Resolution
    kind: str = NAME


@dataclass(frozen=True)
class _Phrase:
    """Words of a report; plain: those of a name, without sides and links; numbered: whether one of them is a number."""

    tokens: list[Token]
    shouted: bool
    plain: list[str]
    sides: list[str]
    numbered: bool

    @property
    def text(self) -> str:
        return phrase_of(self.tokens, self.shouted)


class PhraseReader:
    """Asks a resolver about words of a report; every phrase is asked once."""

    def __init__(self, resolver):
        self.resolver, self.vocabulary = resolver, resolver.vocabulary
        self.words, self._tables = load_report_words(), load_query_words()
        self.names = ReportNames(self.vocabulary, self._tables, self.words)
        self._resolved: dict[str, Resolution] = {}

    def resolve(self, phrase: str) -> Resolution:
        if phrase not in self._resolved:
            self._resolved[phrase] = self.resolver.by_rules(phrase)
        return self._resolved[phrase]

    def read(self, tokens: list[Token], shouted: bool) -> Reading | None:
        """What the words name; None where they name nothing, or more than one thing one after the other."""
        phrase = self._phrase(tokens, shouted)
        plain = phrase.plain
        if not plain or (len(plain) == 1 and plain[0] in self.words.not_alone):
            return None
        noun = self.names.noun_of(plain)
        if noun is not None and not self.names.is_spelt(phrase.text):
            found = self.resolve(" ".join([*phrase.sides, noun]))
            return Reading(found, ADJECTIVE) if found.outcome in ("accept", "ask") else None
        if not self.names.may_name(plain):
            return None
        found = self.resolve(phrase.text)
        return Reading(found) if self._counts[found.outcome](phrase, found) else None

    def _phrase(self, tokens: list[Token], shouted: bool) -> _Phrase:
        roles = [self.names.role(token, shouted) for token in tokens]
        pairs = list(zip(tokens, roles, strict=True))
        content = (token for token, role in pairs if role not in (Role.SIDE, Role.LINK))
        plain = [word for token in content for word in token.word.split()]
        sides = [token.word for token, role in pairs if role is Role.SIDE]
        return _Phrase(tokens, shouted, plain, sides, Role.NUMBER in roles)

    @cached_property
    def _counts(self) -> dict[str, Callable[[_Phrase, Resolution], bool]]:
        """By outcome, whether an answer counts as a mention."""
        return {
            "accept": lambda phrase, found: True,
            "confirm": self._is_named,
            "ask": self._is_question,
            "refuse": lambda phrase, found: False,
        }

    def _is_named(self, phrase: _Phrase, found: Resolution) -> bool:
        """Whether a name is there to be confirmed; a side that is not written is not offered alone."""
        if self.vocabulary[found.candidates[0].id].base and not phrase.sides:
            return False
        segment = phrase.numbered and not self._tables.segment_words.isdisjoint(phrase.plain)
        return segment or self.names.is_name(phrase.plain)

    def _is_question(self, phrase: _Phrase, found: Resolution) -> bool:
        """Whether several structures may be meant by one name, whole ("hip") or begun ("mesenteric artery")."""
        plain = phrase.plain
        if found.place is not None or any(any(map(str.isdigit, word)) for word in plain):
            return True
        begun = plain[-1] in self._tables.head_nouns
        begun = begun and all(plain[-1] in self.names.words_of(one.name) for one in found.candidates)
        return (begun or self.names.is_name(plain)) and not self._is_several(phrase, found)

    def _is_several(self, phrase: _Phrase, found: Resolution) -> bool:
        """True when a question is about two structures that are named one after the other."""
        families = {self.vocabulary[one.id].base or one.id for one in found.candidates}
        if len(families) < 2:
            return False
        tokens, shouted = phrase.tokens, phrase.shouted
        cuts = range(1, len(tokens))
        return any(self.read(tokens[:cut], shouted) and self.read(tokens[cut:], shouted) for cut in cuts)


def phrase_of(tokens: list[Token], shouted: bool) -> str:
    """The words as the resolver gets them; capitals that mean nothing are made small."""
    return " ".join(token.raw.lower() if shouted else token.raw for token in tokens)
