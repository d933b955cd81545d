"""What is wanted and what is not: "not the spleen, the liver", "the liver instead of the spleen"."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from anatembed.language.query.resolution import Resolution

_NEGATORS = re.compile(
    r"\b(?:instead of|rather than|except for|and not|but not|not|nicht|pas|except|without"
    r"|excluding|neither|nor|ignor(?:e|ing)|disregard|skip(?! to))\b",
    re.I,
)
_ENDS = re.compile(r"[,;.]|\b(?:but|sondern|mais|sino|and (?:go|show|jump|take|move))\b", re.I)


@dataclass(frozen=True)
class _Piece:
    text: str
    negated: bool


def without_negated(text: str, found: Resolution, resolve: Callable[[str], Resolution]) -> Resolution:
    """The one structure that is named outside the negation, to be confirmed; `found` when that is not plain.

    resolve: gives the meaning of a piece of the text.
    """
    pieces = _pieces(text)
    if len({piece.negated for piece in pieces}) < 2:
        return found
    wanted = [one for piece in pieces if not piece.negated if (one := resolve(piece.text)).outcome != "refuse"]
    unwanted = [resolve(piece.text) for piece in pieces if piece.negated]
    if len(wanted) != 1 or not _excludes(unwanted, wanted[0]):
        return found
    if wanted[0].outcome == "ask":
        return wanted[0]
    name = wanted[0].candidates[0].name
    return replace(wanted[0], outcome="confirm", reason=f"The text holds a “not”. Go to “{name}”?")


def _excludes(unwanted: list[Resolution], wanted: Resolution) -> bool:
    """True when every piece after a "not" names a structure, and none of them the one that is wanted for sure."""
    if wanted.outcome == "confirm" or any(one.outcome == "refuse" for one in unwanted):
        return False
    ids = {one.id for resolution in unwanted for one in resolution.candidates}
    return ids.isdisjoint(one.id for one in wanted.candidates)


def _pieces(text: str) -> list[_Piece]:
    """The text in pieces; a negation reaches to the next comma, full stop or "but"."""
    pieces = []
    for clause in _ENDS.split(text):
        plain, *negated = _NEGATORS.split(clause)
        pieces += [_Piece(plain, False), *(_Piece(one, True) for one in negated)]
    return [piece for piece in pieces if piece.text.strip()]
