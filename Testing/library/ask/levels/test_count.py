"""Vertebrae are counted alike however a scan is stored, turned or cut, and where the count is unsure it says so."""

from functools import cache

import numpy as np
import pytest
from anatembed.ask.levels.count import Level, LevelCount, count_along
from anatembed.ask.levels.sequence import STATES
from spine_phantom import USUAL, SpinePhantom, spine_phantom

NEAR_MM = 12.0


@cache
def usual() -> SpinePhantom:
    return spine_phantom(bend_mm=8.0)


def counted(phantom: SpinePhantom) -> LevelCount:
    found = count_along(phantom.canal, phantom.hu_kji, phantom.ijk_to_ras)
    assert found is not None
    return found


@cache
def count_of_usual() -> LevelCount:
    return counted(usual())


def beside(found: LevelCount, place_ras: np.ndarray) -> Level | None:
    """The counted vertebra at the height of a true middle of the canal."""
    height = found.canal.heights_mm(place_ras[None])[0]
    near = [one for one in found.levels if abs(one.height_mm - height) <= NEAR_MM]
    return min(near, key=lambda one: abs(one.height_mm - height)) if near else None


def named(found: LevelCount, phantom: SpinePhantom) -> dict[str, str]:
    """What each true vertebra was called."""
    seen = {name: beside(found, place) for name, place in phantom.middles_ras.items()}
    return {name: level.name if level else "" for name, level in seen.items()}


def turned(r_degrees: float, a_degrees: float, s_degrees: float, shift_mm=(0.0, 0.0, 0.0)) -> np.ndarray:
    matrix = np.eye(4)
    for axis, degrees in enumerate((r_degrees, a_degrees, s_degrees)):
        cosine, sine = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
        one, other = (n for n in range(3) if n != axis)
        step = np.eye(4)
        step[[one, other], [one, other]] = cosine
        step[one, other], step[other, one] = -sine, sine
        matrix = step @ matrix
    matrix[:3, 3] = shift_mm
    return matrix


SAME_PERSON = {
    "as it is": lambda person: person,
    "stored from above": lambda person: person.stored_flipped((0,)),
    "stored from the left and the front": lambda person: person.stored_flipped((1, 2)),
    "tilted forwards": lambda person: person.moved(turned(15, 0, 0)),
    "tilted to the side": lambda person: person.moved(turned(0, 15, 0)),
    "rolled about the long axis": lambda person: person.moved(turned(0, 0, 20)),
    "oblique and far from the origin": lambda person: person.moved(turned(-8, 10, -12, (400.0, -900.0, 1500.0))),
    "in thick slices": lambda person: person.resampled((3.0, 3.0, 5.0)),
    "the mirror image": lambda person: person.mirrored(),
}


@pytest.mark.parametrize("way", SAME_PERSON)
def test_every_vertebra_keeps_its_number_however_the_scan_lies(way):
    person = SAME_PERSON[way](usual())
    assert named(counted(person), person) == {name: name for name in USUAL}


@pytest.mark.parametrize("scale, bend_mm", [(0.88, 0.0), (1.12, 0.0), (1.0, 28.0)])
def test_small_large_and_scoliotic_people_are_counted_alike(scale, bend_mm):
    person = spine_phantom(scale=scale, bend_mm=bend_mm)
    assert named(counted(person), person) == {name: name for name in USUAL}


@pytest.mark.parametrize("low_s, high_s", [(0, 260), (150, 420), (60, 250), (200, 330)])
def test_a_part_of_the_spine_has_its_levels_or_a_range_that_holds_them(low_s, high_s):
    part = usual().cropped(low_s, high_s)
    found = counted(part)
    for name, place in part.middles_ras.items():
        level = beside(found, place)
        if level is not None:
            assert level.name == name or name in held(level.words), (name, level)


def held(words: str) -> list[str]:
    """The levels that words name: "L2 or L3", "T9 to L1"."""
    if " to " in words:
        first, last = (STATES.index(one) for one in words.split(" to "))
        return list(STATES[first : last + 1])
    return words.split(" or ")


def test_without_an_anchor_a_range_is_said_and_no_level():
    middle = counted(usual().cropped(200, 330))
    assert all(" to " in level.words and level.probability < 0.5 for level in middle.levels)


def test_with_ribs_and_sacrum_in_view_the_count_is_sure_and_says_from_where():
    found = count_of_usual()
    assert min(level.probability for level in found.levels if level.name in USUAL) > 0.9
    assert found.anchor in ("the first rib", "the last rib", "the sacrum")
    assert found.anomaly == ""


def test_a_thirteenth_thoracic_vertebra_is_said_and_not_forced_into_twelve():
    person = spine_phantom((*USUAL[:12], "T13", *USUAL[12:]))
    found = counted(person)
    assert found.anomaly == "13 thoracic vertebrae"
    assert named(found, person)["L1"] == "L1"


def test_four_lumbar_vertebrae_are_said():
    assert counted(spine_phantom((*USUAL[:16], "S1"))).anomaly == "four lumbar vertebrae"


def test_a_sixth_lumbar_vertebra_moves_no_other_one_and_is_not_said_to_be_another_surely():
    person = spine_phantom((*USUAL[:17], "L6", "S1"))
    found = counted(person)
    assert {name: called for name, called in named(found, person).items() if name in USUAL[:17]} == {
        name: name for name in USUAL[:17]
    }
    level = beside(found, person.middles_ras["L6"])
    assert level is None or level.name == "L6" or level.probability < 0.9


def test_ribs_have_the_number_of_the_vertebra_that_they_join_and_their_side():
    person, found = usual(), count_of_usual()
    ribs = {(rib.side, rib.number): rib for rib in found.ribs}
    assert {number for _, number in ribs} == set(range(1, 13))
    for (side, number), rib in ribs.items():
        start = rib.way_ras[0]
        height = found.canal.heights_mm(start[None])[0]
        joined = found.canal.heights_mm(person.middles_ras[f"T{number}"][None])[0]
        assert abs(height - joined) < 16
        assert (start[0] > found.canal.places_ras([height])[0, 0]) == (side == "right")


def test_left_and_right_ribs_change_places_in_the_mirror():
    person = usual()
    there, mirrored = count_of_usual(), counted(person.mirrored())
    left = next(rib for rib in there.ribs if rib.concept_id == "rib_left_8")
    right = next(rib for rib in mirrored.ribs if rib.concept_id == "rib_right_8")
    np.testing.assert_allclose(right.position_ras * (-1, 1, 1), left.position_ras, atol=8)


def test_a_place_beside_the_spine_has_the_level_of_its_height():
    found = count_of_usual()
    level = found.find("vertebrae_L3")
    assert found.nearest(level.position_ras + (60.0, 30.0, 0.0)).name in ("L2", "L3", "L4")
    assert found.nearest(level.position_ras).name == "L3"
    assert found.find("vertebrae_C2") is None


def test_levels_are_named_alone_in_pairs_or_as_a_range():
    def words(*names):
        return Level(names[0][0], np.zeros(3), 0.0, names[0][1], names).words

    assert words(("L2", 0.9), ("L3", 0.1)) == "L2"
    assert words(("L3", 0.6), ("L2", 0.35)) == "L2 or L3"
    assert words(("T10", 0.45), ("T11", 0.3), ("T12", 0.2), ("T9", 0.05)) == "T10 to T12"
