"""Lists in which one name is shared: "right upper and lower lobes", "segments VI and VII of the liver"."""

from dataclasses import dataclass, replace

from anatembed.language.query.resolution import ask
from anatembed.language.report.names import Role
from anatembed.language.report.phrases import NAME, PhraseReader, Reading
from anatembed.language.report.tokens import COMMA, JOINED, SLASH, Token

_MOST_MEMBERS = 6
_LONGEST_TAIL = 6
_MOST_ASKED = 8
_SEVERAL = "More than one structure is named. Choose one."
_DIFFERS = (Role.MODIFIER, Role.SIDE, Role.NUMBER)


@dataclass(frozen=True)
class List:
    """The words `first` to before `last` of a clause, read together."""

    first: int
    last: int
    reading: Reading


class ReportLists:
    """Finds lists whose members differ in a side, a direction, a part or a number and share the rest."""

    def __init__(self, reader: PhraseReader):
        self._reader = reader

    def find(self, tokens: list[Token], roles: list[Role | None], shouted: bool) -> list[List]:
        """The lists of a clause, from left to right, without overlap."""
        found: list[List] = []
        begin = 0
        while begin < len(tokens):
            members = self._members(tokens, roles, begin)
            one = self._read(tokens, roles, members, shouted) if len(members) > 1 else None
            if one is not None:
                found.append(one)
            begin = one.last if one else begin + 1
        return found

    def find_shared_nouns(self, tokens: list[Token], roles: list[Role | None], shouted: bool) -> list[List]:
        """Lists such as "portal and hepatic veins", whose members are names of their own with one noun; without sides,
        which would be carried from one name to another."""
        found = []
        for at, token in enumerate(tokens):
            if token.word in self._reader.words.connectors and (one := self._shared_noun(tokens, roles, at, shouted)):
                found.append(one)
        return found

    def _shared_noun(self, tokens, roles, at, shouted) -> List | None:
        left = _run(tokens, roles, range(at - 1, max(-1, at - 4), -1))
        right = _run(tokens, roles, range(at + 1, min(len(tokens), at + 6)))
        for words_before in range(min(2, left), 0, -1):
            begin = at - words_before
            if begin and roles[begin - 1] is Role.SIDE and tokens[begin].gap == JOINED:
                return None
            for last in range(at + 1 + right, at + 2, -1):
                for noun in range(at + 2, last):
                    parts = [tokens[begin:at], tokens[at + 1 : noun]]
                    reading = self._together([], parts, tokens[noun:last], shouted)
                    if reading is not None and reading.kind == NAME and not self._is_whole(tokens[begin:at], shouted):
                        return List(begin, last, reading)
        return None

    def _is_whole(self, tokens, shouted) -> bool:
        """Whether words are a name without more ("liver"), not the beginning of one ("portal")."""
        alone = self._reader.read(tokens, shouted)
        return alone is not None and alone.kind == NAME and alone.resolution.outcome == "accept"

    def _members(self, tokens, roles, begin) -> list[tuple[int, int]]:
        """(first, last) of every member of a list that begins here; fewer than two where there is none."""
        members: list[tuple[int, int]] = []
        at: int | None = begin
        closed = False
        while at is not None and len(members) < _MOST_MEMBERS:
            end = at
            while end < len(tokens) and roles[end] in _DIFFERS and (end == at or tokens[end].gap == JOINED):
                end += 1
            if end == at:
                return []
            members.append((at, end))
            if closed:
                break
            at, closed = self._after_separator(tokens, end)
        return members if closed else []

    def _after_separator(self, tokens, at) -> tuple[int | None, bool]:
        """Where the next member begins, and whether the separator before it was the last one."""
        if at >= len(tokens):
            return None, False
        if tokens[at].word in self._reader.words.connectors and at + 1 < len(tokens):
            return at + 1, True
        if tokens[at].gap in (COMMA, SLASH):
            return at, tokens[at].gap == SLASH
        return None, False

    def _read(self, tokens, roles, members, shouted) -> List | None:
        first, end = members[0][0], members[-1][1]
        if first > 1 and tokens[first - 1].word == "the" and tokens[first - 2].word in ("on", "to"):
            return None  # "on the right and left ..." ends one thought and begins another
        parts = _shared_sides([tokens[one:other] for one, other in members], roles, members)
        if parts is None:
            return None
        for head in _heads(tokens, roles, first):
            for tail in _tails(tokens, roles, end):
                if not tokens[head:first] and not tokens[end:tail]:
                    continue
                reading = self._together(tokens[head:first], parts, tokens[end:tail], shouted)
                if reading is not None:
                    return List(head, tail, reading)
        return None

    def _together(self, head, parts, tail, shouted) -> Reading | None:
        readings: list[Reading] = []
        for part in parts:
            one = self._reader.read([*head, *part, *tail], shouted)
            if one is None or one.resolution.outcome == "refuse" or one.resolution.place:
                return None
            readings.append(one)
        ids = list(dict.fromkeys(candidate.id for one in readings for candidate in one.resolution.candidates))
        if not 2 <= len(ids) <= _MOST_ASKED or len({one.kind for one in readings}) > 1:
            return None
        return replace(readings[0], resolution=ask(self._reader.vocabulary, ids, _SEVERAL))


def _shared_sides(parts, roles, members) -> list[list[Token]] | None:
    """The members with the side of the first one ("right upper and lower") or of the last ("4th and 5th left")."""
    sides = [[place for place in range(*member) if roles[place] is Role.SIDE] for member in members]
    if all(sides):
        return _with_words_of_the_last(parts, sides, members[-1])
    if not any(sides):
        return parts
    opens = bool(sides[0]) and sides[0][0] == members[0][0] and len(parts[0]) > 1
    closes = bool(sides[-1]) and sides[-1][-1] == members[-1][1] - 1 and len(parts[-1]) > 1
    if opens == closes or any(sides[1:] if opens else sides[:-1]):
        return None
    side = parts[0][0] if opens else parts[-1][-1]
    return [part if own else [side, *part] for part, own in zip(parts, sides, strict=True)]


def _with_words_of_the_last(parts, sides, last_member: tuple[int, int]) -> list[list[Token]]:
    """ "Right and left upper": a member that is only a side takes the other words of the last one."""
    places = range(*last_member)
    rest = [token for place, token in zip(places, parts[-1], strict=True) if place not in sides[-1]]
    bare = [len(own) == len(part) for own, part in zip(sides, parts, strict=True)]
    return [[*part, *rest] if is_bare else part for is_bare, part in zip(bare, parts, strict=True)]


def _heads(tokens, roles, first):
    """Where a shared beginning ("segments ...") may start, none first."""
    yield first
    if first and roles[first - 1] is Role.NAME and tokens[first].gap == JOINED:
        yield first - 1


def _tails(tokens, roles, end):
    """Where a shared end ("... lobes", "... of the liver") may stop, the longest first, none last."""
    stop = end
    while stop < min(len(tokens), end + _LONGEST_TAIL) and roles[stop] is not None and tokens[stop].gap == JOINED:
        stop += 1
    yield from (one for one in range(stop, end, -1) if roles[one - 1] is not Role.LINK)
    yield end


def _run(tokens, roles, places) -> int:
    """How many words in a row, from the first place on, may stand in a name without a side."""
    count = 0
    for at in places:
        if roles[at] not in (Role.NAME, Role.MODIFIER) or (at > places[0] and tokens[at].gap != JOINED):
            break
        count += 1
        if at < places[0] and tokens[at + 1].gap != JOINED:
            return count - 1
    return count
