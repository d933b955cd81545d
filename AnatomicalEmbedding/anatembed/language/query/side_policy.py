"""What a name means once the side of the query is known."""

from dataclasses import dataclass

from anatembed.language.query.phrase_index import Meaning
from anatembed.language.sides import SideReading

# one: structures that fit. sides: left and right fit, nothing chose. wrong_side: exists on the other side only.
# unpaired: the structure has no sides.
_PRIORITY = ("one", "sides", "wrong_side", "unpaired")


@dataclass(frozen=True)
class Verdict:
    """`kind` is one of the words above; `weak` when only a loosely related name fits."""

    kind: str
    term_ids: tuple[str, ...]
    weak: bool = False
    abbreviation: bool = False


def judge(meanings: list[Meaning], reading: SideReading, vocabulary) -> Verdict:
    """The best verdict over the meanings of one name; names that fit exactly go before related ones."""
    strong = [meaning for meaning in meanings if not meaning.weak]
    verdict = _judge(strong, reading, vocabulary) if strong else None
    if verdict is None or (verdict.kind not in ("one", "sides") and len(strong) < len(meanings)):
        weak = _judge(meanings, reading, vocabulary)
        verdict = weak if verdict is None or weak.kind in ("one", "sides") else verdict
        return Verdict(verdict.kind, verdict.term_ids, True, verdict.abbreviation)
    return verdict


def _judge(meanings, reading, vocabulary) -> Verdict:
    found: dict[str, dict[str, bool]] = {kind: {} for kind in (*_PRIORITY, "needs_side", "other_side")}
    for meaning in meanings:
        kind, term_ids = _one(meaning, reading, vocabulary)
        for term_id in term_ids:
            found[kind][term_id] = found[kind].get(term_id, True) and meaning.abbreviation
    if not found["one"] and not found["sides"]:
        # "hepatic vein" is a name of its own; "lobe of liver" only becomes one with a side.
        found["sides"] = found["needs_side"]
    if not any(found[kind] for kind in _PRIORITY):
        found["wrong_side"] = found["other_side"]
    if found["one"] and found["sides"]:  # "SV": the splenic vein, or a seminal vesicle
        found["one"].update(found["sides"])
    kind = next(kind for kind in _PRIORITY if found[kind])
    return Verdict(kind, tuple(found[kind]), abbreviation=all(found[kind].values()))


def _one(meaning, reading, vocabulary) -> tuple[str, tuple[str, ...]]:
    term = vocabulary[meaning.term_id]
    sides = vocabulary.sides(term.id) if term.laterality == "none" else {}
    if reading.side:
        return _sided(meaning, term, sides, reading.side)
    if meaning.side:
        return "needs_side", (term.id,)
    if sides:
        return "sides", tuple(sides.values())
    asked_for_sides = reading.kind in ("both", "negated")
    return ("unpaired", (term.id,)) if asked_for_sides else ("one", (term.id,))


def _sided(meaning, term, sides, side) -> tuple[str, tuple[str, ...]]:
    if term.laterality != "none":
        return ("one" if term.laterality == side else "wrong_side"), (term.id,)
    if meaning.side:  # "right colon": the side is part of the name of a structure without sides
        return ("one" if meaning.side == side else "other_side"), (term.id,)
    return ("one", (sides[side],)) if side in sides else ("unpaired", (term.id,))
