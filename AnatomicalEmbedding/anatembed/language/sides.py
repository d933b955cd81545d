"""Read left and right out of a query; nothing else in the resolver may decide a side."""

from dataclasses import dataclass

from anatembed.language.query_words import QueryWords

_LETTERS = {"l": "left", "r": "right"}
# "L spine" is the lumbar spine, "L 3" a vertebra.
_NOT_A_SIDE_BEFORE = ("spine", "vertebra", "vertebrae", "disc", "level")


@dataclass(frozen=True)
class SideReading:
    """The words without side words, and what these said.

    `kind` is none, one, both (both sides wanted or named), negated ("not the left"), screen (a side of the picture)
    or relative ("to the left of"). `side` is set for one only. `typo` is a side word that was misspelt.
    """

    words: tuple[str, ...]
    kind: str = "none"
    side: str | None = None
    typo: str | None = None
    negation: bool = False


def read_sides(text: str, known: frozenset[str], tables: QueryWords) -> SideReading:
    """The sides in a normalised text; `known` words are never taken for a misspelt side."""
    screen = any(pattern.search(text) for pattern in tables.screen_side)
    relative = any(pattern.search(text) for pattern in tables.relative_side)
    for pattern, new in tables.side_phrases:
        text = pattern.sub(new, text)
    words = _split_glued(text.split(), known)
    kept: list[str] = []
    wanted: list[str] = []
    negated: list[str] = []
    typo = None
    for position, word in enumerate(words):
        side, misspelt = _side_of(words, position, known, tables)
        if side is None:
            kept.append(word)
            continue
        typo = word if misspelt else typo
        (negated if _is_negated(words, position, tables) else wanted).append(side)
    both = not tables.both.isdisjoint(kept)
    denying = tables.negation | {"than"}
    dropped = tables.both | denying if negated else tables.both
    kind, side = _kind(wanted, negated, both, screen, relative)
    rest = tuple(word for word in kept if word not in dropped)
    return SideReading(rest, kind, side, typo, not denying.isdisjoint(kept))


def _kind(
    wanted: list[str], negated: list[str], both: bool, screen: bool, relative: bool
) -> tuple[str, str | None]:
    named = set(wanted)
    if screen:
        return "screen", None
    if relative and named:
        return "relative", None
    if both or len(named) == 2:
        return "both", None
    if named and not named & set(negated):
        return "one", wanted[0]
    return ("negated", None) if negated else ("none", None)


def _side_of(words: list[str], position: int, known: frozenset[str], tables: QueryWords) -> tuple[str | None, bool]:
    """The side that a word names and whether it was misspelt."""
    word = words[position]
    if word in tables.side_words:
        return tables.side_words[word], False
    if word in _LETTERS:
        return (_LETTERS[word] if _is_side_letter(words, position, tables) else None), False
    if word in known or word in tables.ignorable or word in tables.side_look_alikes or word in tables.expansions:
        return None, False
    misspelt = next((side for side in ("left", "right") if _is_misspelt(word, side)), None)
    return misspelt, misspelt is not None


def _is_side_letter(words: list[str], position: int, tables: QueryWords) -> bool:
    """ "L kidney"; not "L 3", which is a vertebra, but for "rib L 3"."""
    following = words[position + 1] if position + 1 < len(words) else ""
    counted = following.isdigit() and tables.rib_words.isdisjoint(words)
    return len(words) > 1 and not counted and following not in _NOT_A_SIDE_BEFORE


def _is_misspelt(word: str, side: str) -> bool:
    """True for one typing error in a side word; its beginning must still be seen."""
    same_start = sorted(word[:2]) == sorted(side[:2]) or word[0] == side[0]
    if len(word) < len(side) - 1 or not same_start:
        return False
    from rapidfuzz.distance import OSA

    return OSA.distance(word, side) <= 1


def _is_negated(words: list[str], position: int, tables: QueryWords) -> bool:
    """True when one of the two content words before the side negates; an earlier side ends the search."""
    seen = 0
    for word in reversed(words[:position]):
        if word in tables.grammar:
            continue
        if word in tables.negation or (word == "than" and not seen):
            return True
        seen += 1
        if seen == 2 or word in tables.side_words:
            return False
    return False


def _split_glued(words: list[str], known: frozenset[str]) -> list[str]:
    """ "leftkidney" and "kidneyleft" as two words."""
    return [part for word in words for part in ([word] if word in known else _without_glue(word, known))]


def _without_glue(word: str, known: frozenset[str]) -> list[str]:
    for side in ("left", "right"):
        name = word.removeprefix(side) if word.startswith(side) else word.removesuffix(side)
        if name != word and name in known:
            return [side, name]
    return [word]
