"""Find every structure that an English radiology report mentions, with its place in the text.

Only words that are a name count, the longest names first. A side belongs to the name that it stands in; it is never
carried from one sentence or name to another.
"""

from dataclasses import dataclass
from functools import lru_cache

from anatembed.language.query.resolution import Resolution, refuse
from anatembed.language.report.lists import ReportLists
from anatembed.language.report.names import LEVEL, Role
from anatembed.language.report.negation import negated_spans
from anatembed.language.report.phrases import NAME, PhraseReader, Reading, phrase_of
from anatembed.language.report.tokens import COMMA, JOINED, SLASH, Token, clauses, in_capitals

_LONGEST = 9
_FARTHEST_SIDE = 3


@dataclass(frozen=True)
class Mention:
    """Characters `start` to before `end` of a report, and the structure that they name.

    resolution: accept, confirm or ask, or refuse where the report gives a structure a side that it does not have;
    negated: what is said there is denied ("no lesion in the liver"); kind: "name", or "adjective" ("hepatic").
    """

    start: int
    end: int
    text: str
    resolution: Resolution
    negated: bool
    kind: str = NAME


def mentions(text: str, resolver) -> list[Mention]:
    """The mentions in a report from its beginning to its end, without overlap."""
    return _reader(resolver).mentions(text)


@lru_cache(maxsize=2)
def _reader(resolver) -> "_MentionReader":
    return _MentionReader(resolver)


@dataclass(frozen=True)
class _Span:
    """The words `first` to before `last` of a clause, and what they name."""

    first: int
    last: int
    reading: Reading


class _Clause:
    """The words of a clause, what each can be in a name, and which are taken by a mention."""

    def __init__(self, tokens: list[Token], reader: PhraseReader):
        self.tokens, self._names = tokens, reader.names
        self.shouted = in_capitals(tokens)
        self.roles = [reader.names.role(token, self.shouted) for token in tokens]
        self.taken = [False] * len(tokens)
        for at, token in enumerate(tokens):
            if self.roles[at] is Role.SIDE and len(token.word) == 1 and not self._is_short_side(at):
                self.roles[at] = None

    def _is_short_side(self, at: int) -> bool:
        """ "R kidney", but neither "L 5" nor "L > R"."""
        following = self.roles[at + 1] if at + 1 < len(self.tokens) else None
        return following in (Role.NAME, Role.MODIFIER) and self.tokens[at + 1].gap == JOINED

    def is_window(self, first: int, last: int) -> bool:
        """Whether these words can be one name."""
        inside = range(first, last)
        if any(self.taken[at] or self.roles[at] is None for at in inside):
            return False
        ends = (self.roles[first], self.roles[last - 1])
        if ends[0] is Role.SIDE and self.roles[first + 1 : first + 2] == [Role.LINK]:
            return False  # "left of the aorta" is not the aorta
        if Role.LINK in ends or not (any(self.roles[at] is Role.NAME for at in inside) or self._is_spelt(first, last)):
            return False
        return all(self._goes_on(at) for at in inside[1:])

    def _is_spelt(self, first: int, last: int) -> bool:
        """Whether words that are no name each are one together ("left anterior descending")."""
        return last - first > 1 and self._names.is_spelt(phrase_of(self.tokens[first:last], self.shouted))

    def _goes_on(self, at: int) -> bool:
        """Whether a word may belong to the name that the word before it belongs to."""
        token, before = self.tokens[at], self.tokens[at - 1]
        if before.word == "on" and self.roles[at] is not Role.SIDE and token.word != "the":
            return False
        if at > 1 and self.tokens[at - 2].word == "on" and before.word == "the" and self.roles[at] is not Role.SIDE:
            return False
        levels = bool(LEVEL.fullmatch(before.word)) and (token.word.isdigit() or bool(LEVEL.fullmatch(token.word)))
        return token.gap == JOINED or (token.gap == SLASH and levels)


class _MentionReader:
    """The rules for one resolver."""

    def __init__(self, resolver):
        self._phrases = PhraseReader(resolver)
        self._lists = ReportLists(self._phrases)

    def mentions(self, text: str) -> list[Mention]:
        denied = negated_spans(text, self._phrases.words.negation)
        found = []
        for tokens in clauses(text, self._phrases.words):
            for span in self._spans(_Clause(tokens, self._phrases)):
                start, end = tokens[span.first].start, tokens[span.last - 1].end
                negated = any(one <= start < other for one, other in denied)
                reading = span.reading
                found.append(Mention(start, end, text[start:end], reading.resolution, negated, reading.kind))
        return sorted(found, key=lambda mention: mention.start)

    def _spans(self, clause: _Clause) -> list[_Span]:
        spans = []
        lists = self._lists.find(clause.tokens, clause.roles, clause.shouted)
        lists += self._lists.find_shared_nouns(clause.tokens, clause.roles, clause.shouted)
        for one in lists:
            if any(clause.taken[one.first : one.last]):
                continue
            clause.taken[one.first : one.last] = [True] * (one.last - one.first)
            spans.append(_Span(one.first, one.last, one.reading))
        for length in range(min(_LONGEST, len(clause.tokens)), 0, -1):
            for first in range(len(clause.tokens) - length + 1):
                span = self._span(clause, first, first + length)
                if span is not None:
                    clause.taken[span.first : span.last] = [True] * (span.last - span.first)
                    spans.append(span)
        return spans + self._regions(clause)

    def _regions(self, clause: _Clause) -> list[_Span]:
        """ "Neck" as a heading or in a list, not as the part of an organ."""
        words, tokens, spans = self._phrases.words, clause.tokens, []
        for at, token in enumerate(tokens):
            opens = at == 0 or tokens[at - 1].word in words.connectors | words.before_regions or token.gap == COMMA
            followed = tokens[at + 1].word if at + 1 < len(tokens) and tokens[at + 1].gap == JOINED else ""
            if token.word in words.regions and opens and followed != "of" and not clause.taken[at]:
                spans.append(_Span(at, at + 1, Reading(self._phrases.resolve(token.word))))
        return spans

    def _span(self, clause: _Clause, first: int, last: int) -> _Span | None:
        if not clause.is_window(first, last):
            return None
        tokens = clause.tokens[first:last]
        reading = self._phrases.read(tokens, clause.shouted)
        if reading is None or self._is_of_another_thing(clause, last):
            return None
        side = self._side_before(clause, first) if Role.SIDE not in clause.roles[first:last] else None
        if side is None:
            return _Span(first, last, reading)
        return _Span(side, last, self._sided(clause, side, first, last) or reading)

    def _is_of_another_thing(self, clause: _Clause, last: int) -> bool:
        """ "Gastric artery", "kidney transplant": the name stands for something else."""
        if last == len(clause.tokens) or clause.tokens[last].gap != JOINED:
            return False
        return clause.tokens[last].word in self._phrases.words.things_of_their_own

    def _side_before(self, clause: _Clause, first: int) -> int | None:
        """The place of a side that belongs to a name although directions stand between ("left distal femur")."""
        for at in range(first - 1, max(-1, first - 1 - _FARTHEST_SIDE), -1):
            if clause.tokens[at + 1].gap != JOINED or clause.taken[at]:
                return None
            if clause.tokens[at].word in self._phrases.words.sides:
                return at
            if clause.roles[at] not in (Role.MODIFIER, Role.NAME, Role.NUMBER, Role.SIDE):
                return None
        return None

    def _sided(self, clause: _Clause, side: int, first: int, last: int) -> Reading | None:
        """The name with that side; a refusal where it has none; None where the side says nothing ("both liver")."""
        for begin in range(first, last):
            if begin > first and clause.roles[begin - 1] is not Role.MODIFIER:
                break
            reading = self._phrases.read([clause.tokens[side], *clause.tokens[begin:last]], clause.shouted)
            if reading is not None:
                return reading
        tokens = [clause.tokens[side], *clause.tokens[first:last]]
        if clause.tokens[side].word in ("both", "bilateral"):
            return None
        phrase = phrase_of(tokens, clause.shouted)
        refused = self._phrases.resolve(phrase)
        if refused.outcome != "refuse" or refused.unknown:
            refused = refuse(self._phrases.vocabulary, f"No structure with this side is known: “{phrase}”.")
        return Reading(refuse(self._phrases.vocabulary, refused.reason))
