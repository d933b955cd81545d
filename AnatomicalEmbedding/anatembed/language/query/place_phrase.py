"""A place in, at or beside a structure, as it is typed: "upper pole of", "at the level of", "between ... and ..."."""

from dataclasses import dataclass

from anatembed.language.query.candidate import Candidate, candidate
from anatembed.language.query.place_words import PlaceWords

PART, LEVEL, BETWEEN, BESIDE = "part", "level", "between", "beside"


@dataclass(frozen=True)
class PlacePhrase:
    """Where in, at or beside a structure.

    kind: part, level, between or beside. directions: of superior, inferior, anterior, posterior, left, right, medial,
    lateral and middle; none for between, around and next to. share: pole, third, half or tip, how much of the
    structure a part is. others: the structure that gives a level (both sides of it where none is named), or the second
    one of between. words: what stands before the name, for people ("upper pole of", "between ... and ...").
    """

    kind: str
    directions: tuple[str, ...]
    share: str
    others: tuple[Candidate, ...]
    words: str

    def label(self, name: str) -> str:
        """The place in a structure called `name`, in words."""
        others = " and ".join(other.name for other in self.others)
        if self.kind == LEVEL:
            return f"{name} {self.words} {others}"
        return f"between {name} and {others}" if self.kind == BETWEEN else f"{self.words} {name}"


def part_of(directions: tuple[str, ...], noun: str, words: PlaceWords) -> PlacePhrase:
    """The part in these directions; `noun` says how large it is (pole, third, half, part, border, end ...)."""
    leads = " ".join(words.leads[one] for one in directions)
    return PlacePhrase(PART, directions, words.share_of_noun[noun], (), f"{leads} {noun} of")


def at_level(others: tuple[Candidate, ...]) -> PlacePhrase:
    """At the height of other structures."""
    return PlacePhrase(LEVEL, (), "", others, "at the level of")


def between(other: Candidate) -> PlacePhrase:
    """Between a structure and another one."""
    return PlacePhrase(BETWEEN, (), "", (other,), "between ... and ...")


def beside(relation: str, words: PlaceWords) -> PlacePhrase:
    """Outside a structure, on the side that the relation names; "around" and "near" name none."""
    directions = () if relation in ("around", "near") else (relation,)
    return PlacePhrase(BESIDE, directions, "", (), words.relation_names[relation])


def place_of_term(vocabulary, term_id: str, words: PlaceWords) -> tuple[str, PlacePhrase] | None:
    """The structure and the place in or beside it that a term is nothing else than ("upper pole of left kidney", the
    disc between two vertebrae); None for all others."""
    if term_id in words.terms_between:
        first, second = words.terms_between[term_id]
        return first, between(candidate(vocabulary, second, 1.0))
    term = vocabulary[term_id]
    part = words.terms.get(term.base or term.id)
    if part is None or not term.part_of:
        return None
    return term.part_of[0], part_of(tuple(part[:-1]), part[-1], words)
