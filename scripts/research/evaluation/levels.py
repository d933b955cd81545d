"""Vertebrae and ribs one by one, first hits by kind of structure, and how far along the body a name is off."""
from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace

import numpy as np
from anatembed.language.vocabulary import Vocabulary

from research.evaluation.section import Section, Tally
from research.evaluation.truth import TOLERANCE_MM, Case, Structure, depth_error_mm, distance_mm

LEVEL_MM = 20.0
"""So far from the right vertebra or rib a level still counts as identified (Sekuboyina 2021, VerSe)."""
GROUPS = ("organs", "lobes", "vertebrae", "ribs", "other bones", "vessels", "gut", "muscles", "head and neck")
CAUTION = "drawn with caution"
VERTEBRAE = tuple(f"vertebrae_{part}{n + 1}" for part, count in (("C", 7), ("T", 12), ("L", 5)) for n in range(count))
_RIB = re.compile(r"rib_(left|right)_(\d+)")
_LOBE = re.compile(r"lung_.*lobe")
_BY_CATEGORY = {
    "bone": "other bones", "spine": "other bones", "joint": "other bones", "vessel": "vessels", "gi": "gut",
    "muscle": "muscles",
}
_NOT_BONE = ("spinal_cord", "spinal_canal")


@dataclass(frozen=True)
class Level:
    """A vertebra or rib by its number from above; `side` is empty for a vertebra."""

    kind: str
    number: int
    side: str = ""

    @property
    def concept(self) -> str | None:
        """Its id; None for a number that people do not have."""
        if self.kind == "vertebrae":
            return VERTEBRAE[self.number - 1] if 1 <= self.number <= len(VERTEBRAE) else None
        return f"rib_{self.side}_{self.number}" if 1 <= self.number <= 12 else None


def level_of(concept: str) -> Level | None:
    """Which vertebra or rib a concept is; None for everything else."""
    if concept in VERTEBRAE:
        return Level("vertebrae", VERTEBRAE.index(concept) + 1)
    rib = _RIB.fullmatch(concept)
    return Level("ribs", int(rib[2]), rib[1]) if rib else None


def group_of(concept: str, vocabulary: Vocabulary) -> str:
    """One of GROUPS; what is neither bone, vessel, gut nor muscle and lies below the neck is an organ."""
    if level := level_of(concept):
        return level.kind
    if _LOBE.match(concept):
        return "lobes"
    if {"head", "neck"} & {concept, *vocabulary.ancestors(concept)}:
        return "head and neck"
    return "organs" if concept in _NOT_BONE else _BY_CATEGORY.get(vocabulary[concept].category, "organs")


@dataclass(frozen=True)
class Asked:
    """One structure that was asked for: distance of the first hit and its part along S, in mm, infinite where there is
    none; `shown` where users see it.

    level_error: of a vertebra or rib, how many levels the nearest marked one is lower; None for others and without a
    hit. identified: the nearest marked one is the one that was asked for.
    """

    person: str
    concept: str
    group: str
    trusted: bool
    shown: bool
    mm: float
    depth_mm: float
    nearest: str = ""
    level_error: int | None = None
    identified: bool = False


@dataclass(frozen=True)
class Answers:
    """Everything about one scan; `numbering` is by how many levels its marks had to be moved down to fit best."""

    person: str
    asked: list[Asked]
    numbering: int = 0


def ask_levels(case: Case, system, vocabulary: Vocabulary) -> Answers:
    """Ask `system` (see `harness.ModelSystem`) for every structure of a scan that it has learnt.

    Where the numbering of a scan is in doubt, the one of the possible ones is taken that suits the answers best.
    """
    shifts = sorted(range(-case.level_doubt, case.level_doubt + 1), key=abs)
    known: dict[str, tuple | None] = {}

    def locate(concept: str):
        if concept not in known:
            known[concept] = system.locate(concept)
        return known[concept]

    tried = [Answers(case.person, _ask(renumbered(case, shift), locate, vocabulary), shift) for shift in shifts]
    return max(tried, key=lambda one: sum(asked.identified for asked in one.asked))


def renumbered(case: Case, shift: int) -> Case:
    """The case with every vertebra and rib named by the level that lies `shift` lower; who gets no name is left out."""

    def named(structures: list[Structure]) -> list[Structure]:
        levels = [level_of(one.concept) for one in structures]
        concepts = [
            replace(level, number=level.number + shift).concept if level else one.concept
            for one, level in zip(structures, levels, strict=True)
        ]
        return [replace(one, concept=new) for one, new in zip(structures, concepts, strict=True) if new]

    return replace(case, present=named(case.present), doubtful=named(case.doubtful)) if shift else case


def _ask(case: Case, locate, vocabulary: Vocabulary) -> list[Asked]:
    marked = [one for one in (*case.present, *case.doubtful) if level_of(one.concept)]
    found = []
    for trusted, structures in ((True, case.present), (False, case.doubtful)):
        for structure in structures:
            if (answer := locate(structure.concept)) is not None:
                group = group_of(structure.concept, vocabulary)
                found.append(_judge(Asked(case.person, structure.concept, group, trusted, False, np.inf, np.inf),
                                    structure, answer, marked))
    return found


def _judge(asked: Asked, structure: Structure, answer: tuple, marked: list[Structure]) -> Asked:
    place, shown, _ = answer
    if place is None:
        return asked
    own = distance_mm(place, structure)
    judged = replace(asked, shown=bool(shown), mm=own, depth_mm=depth_error_mm(place, structure))
    level = level_of(structure.concept)
    if level is None:
        return judged
    rivals = [one for one in marked if level_of(one.concept).kind == level.kind]
    nearest = min(rivals, key=lambda one: (distance_mm(place, one), one.concept != structure.concept))
    right = nearest.concept == structure.concept
    return replace(
        judged, nearest=nearest.concept, level_error=level_of(nearest.concept).number - level.number,
        identified=right and own <= LEVEL_MM,
    )


def tally_places(name: str, answers: Iterable[Answers]) -> Tally:
    """First hits by group of structures, trusted drawings only, with the doubtful ones as a row of their own."""
    tally, everything = Tally(), [asked for one in answers for asked in one.asked]
    for row in ("all", *GROUPS, CAUTION):
        for asked in everything:
            if row not in (("all", asked.group) if asked.trusted else (CAUTION,)):
                continue
            tally.add(name, f"{row}: asked", asked.person, 1, np.sum)
            tally.add(name, f"{row}: hit@1", asked.person, asked.mm <= TOLERANCE_MM)
            tally.add(name, f"{row}: median mm", asked.person, asked.mm, np.median)
            tally.add(name, f"{row}: mean mm along the body", asked.person, asked.depth_mm)
    return tally


def tally_levels(name: str, answers: Iterable[Answers]) -> Tally:
    """How well vertebrae and ribs are told apart; trusted drawings only."""
    tally = Tally()
    for one in answers:
        for asked in one.asked:
            if not (asked.trusted and level_of(asked.concept)):
                continue
            group, error = asked.group, np.nan if asked.level_error is None else abs(asked.level_error)
            tally.add(name, f"{group}: asked", one.person, 1, np.sum)
            tally.add(name, f"{group}: right level", one.person, asked.identified)
            tally.add(name, f"{group}: right level, shown to users", one.person, asked.identified and asked.shown)
            tally.add(name, f"{group}: mean level error", one.person, error)
            tally.add(name, f"{group}: median mm", one.person, asked.mm, np.median)
    return tally


PLACES_TEXT = (
    "Every structure that is marked in an annotated scan and that the model knows: does the first hit lie within "
    f"{TOLERANCE_MM:g} mm of the structure (of the nearest of the spheres or voxels that fill it, where it has such)? "
    "*Along the body*: how far above or below the structure the hit lies. *Drawn with caution*: what the drawing "
    "itself calls doubtful, counted nowhere else."
)
LEVELS_TEXT = (
    "Vertebrae and ribs one by one. *Right level*: the nearest marked vertebra (rib of either side) is the one that "
    f"was asked for, at most {LEVEL_MM:g} mm away. *Level error*: how many levels the nearest marked one is off. Where "
    "the numbering of a scan is certain to one level only, that of the possible numberings counts which suits the "
    "answers best."
)


def levels_sections(name: str, answers: list[Answers]) -> list[Section]:
    """The tables of one system, with a row a structure: first hits by group, and levels, where there are any."""
    places, levels = tally_places(name, answers), tally_levels(name, answers)
    rows = [asdict(asked) | {"numbering": one.numbering} for one in answers for asked in one.asked]
    sections = [
        Section("places", "First hits by kind of structure", PLACES_TEXT, places.systems(), places.intervals(), rows),
        Section("levels", "Vertebrae and ribs", LEVELS_TEXT, levels.systems(), levels.intervals()),
    ]
    return [section for section in sections if section.systems]
