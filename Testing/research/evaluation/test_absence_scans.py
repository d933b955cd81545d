"""Scans in which something is missing, made of a box of voxels with a few organs."""

from dataclasses import replace

import numpy as np
import pytest
from anatembed.geometry import bounds_ras, transform_points
from anatembed.scan.volume import Volume
from little_people import VOCABULARY
from phantoms import centred_affine, rotation, voxel_positions
from research.evaluation import views
from research.evaluation.absence_scans import (
    ENDS,
    FAR,
    GAP_MM,
    KINDS,
    LISTED,
    MIRRORED,
    PER_SCAN,
    PHANTOM,
    REPLACED,
    SIDE,
    SLAB,
    TURNED,
    cut,
    cut_scans,
    few_alike,
    listed,
    made_scans,
    marked_mask,
    phantoms,
    replaced_scans,
    reversed_scans,
)
from research.evaluation.label_maps import HEAD_NECK
from research.evaluation.truth import Case, Structure

GRIDS = {
    "plain": np.diag([10.0, 10.0, 10.0]),
    "flipped": np.diag([-10.0, 8.0, -12.0]),
    "permuted": np.array([[0.0, 0, 9], [-10, 0, 0], [0, 11, 0]]),
    "off axis": rotation((1, 2, 3), 6) @ np.diag([10.0, 10.0, 10.0]),
}
CENTRES = {"heart": (-20.0, 20, 120), "liver": (60.0, 10, 20), "kidney_left": (-50.0, -20, -70),
           "kidney_right": (50.0, -20, -70), "spleen": (-80.0, -20, 30), "urinary_bladder": (0.0, 20, -180)}


def box(concept, centre, half=20.0) -> Structure:
    centre = np.array(centre, float)
    return Structure(concept, centre - half, centre + half, centre, centre, True, np.array([[*centre, half / 2]]))


def trunk(linear=GRIDS["plain"], shape_kji=(44, 30, 36), **more) -> Case:
    """About 360 x 300 x 440 mm around the origin."""
    affine = centred_affine(shape_kji, linear)
    hu = np.random.default_rng(0).integers(-50, 50, shape_kji).astype(np.int16)
    present = [box(concept, centre) for concept, centre in CENTRES.items()]
    return Case("person", "annotated", Volume(hu, affine), present, ["brain"], [], **more)


@pytest.mark.parametrize("linear", GRIDS.values(), ids=GRIDS)
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_cut_keeps_the_planes_between_two_places_where_they_were(linear, axis):
    volume = trunk(linear, (30, 31, 32)).volume
    part = cut(volume, axis, -60, 40)
    places = voxel_positions(part.array_kji.shape, part.ijk_to_ras)
    middles = places.mean(axis=tuple(n for n in range(3) if n != views.axis_along(volume, axis)))
    assert (middles[:, axis] >= -60).all()
    assert (middles[:, axis] <= 40).all()
    assert len(middles) >= 100 // 12 - 1
    inside = np.rint(transform_points(np.linalg.inv(volume.ijk_to_ras), places[0, 0, 0])).astype(int)[::-1]
    assert volume.array_kji[tuple(inside)] == part.array_kji[0, 0, 0]


def test_a_cut_beside_the_scan_is_refused():
    with pytest.raises(ValueError, match="expected planes from 900 to 950 mm"):
        cut(trunk().volume, 2, 900, 950)


@pytest.mark.parametrize("linear", [GRIDS["plain"], GRIDS["flipped"]], ids=["plain", "flipped"])
def test_of_cut_scans_what_lies_outside_is_absent_and_what_lies_inside_is_present(linear):
    made = list(cut_scans(trunk(linear), VOCABULARY))
    assert {one.kind for one in made} == {ENDS, SLAB, SIDE}
    centres = {concept: np.array(centre) for concept, centre in CENTRES.items()}
    for one in made:
        low, high = bounds_ras(one.volume.array_kji.shape, one.volume.ijk_to_ras)
        for concept in one.absent:
            gap = np.maximum(centres[concept] - 20 - high, low - centres[concept] - 20).max()
            assert gap >= GAP_MM - 12, (one.detail, concept)  # up to a plane
        for structure in one.present:
            assert (structure.low >= low - 12).all(), (one.detail, structure.concept)
            assert (structure.high <= high + 12).all(), (one.detail, structure.concept)
        assert not set(one.absent) & {structure.concept for structure in one.present}
    sides = {one.detail: one.absent for one in made if one.kind == SIDE}
    assert set(sides["right side only"]) >= {"spleen"}
    assert set(sides["left side only"]) >= {"liver"}


def test_a_scan_ends_three_five_and_ten_centimetres_before_an_organ():
    details = [one.detail for one in cut_scans(trunk(), VOCABULARY) if one.kind == ENDS]
    assert any(detail.startswith("30 mm") for detail in details)
    assert any(detail.startswith("50 mm") for detail in details)
    assert any(detail.startswith("100 mm") for detail in details)


def test_a_level_of_a_doubtful_number_and_a_place_along_the_colon_are_not_asked():
    place = np.array([0.0, -40, 190])
    marks = [Structure(c, place - 4, place + 4, place, place, False) for c in ("vertebrae_T4", "descending_colon")]
    sure, doubtful = trunk(), trunk(level_doubt=1)
    for case in (sure, doubtful):
        case.present.extend(marks)
    known, unknown = ({c for one in cut_scans(case, VOCABULARY) for c in one.absent} for case in (sure, doubtful))
    assert "vertebrae_T4" in known
    assert "vertebrae_T4" not in unknown
    assert "descending_colon" not in known


def test_no_scan_is_asked_more_than_it_may_be():
    many = trunk()
    many.present.extend(box(f"rib_{side}_{n}", (0, -40, 190), 10) for side in ("left", "right") for n in range(1, 13))
    assert max(len(one.absent) for one in cut_scans(many, VOCABULARY)) == PER_SCAN


@pytest.mark.parametrize("linear", GRIDS.values(), ids=GRIDS)
def test_the_marked_voxels_are_those_in_the_spheres(linear):
    volume = trunk(linear).volume
    positions = voxel_positions(volume.array_kji.shape, volume.ijk_to_ras)
    chain = np.array([(0.0, 0, 0, 20.0), (0, 0, 60, 20), (40, 0, 60, 11)])
    marked = replace(box("liver", (20, 10, -30)), spheres=chain)
    inside = np.min([np.linalg.norm(positions - one[:3], axis=-1) - one[3] for one in chain], axis=0) <= 0
    np.testing.assert_array_equal(marked_mask(marked, volume), inside)


@pytest.mark.parametrize("linear", [np.diag([5.0, 5, 5]), np.diag([-5.0, 4, -6])], ids=["plain", "flipped"])
def test_an_organ_is_replaced_to_its_rim_though_its_marks_do_not_reach_it_and_a_neighbour_stays(linear):
    shape_kji = (50, 40, 48)
    affine = centred_affine(shape_kji, linear)
    positions = voxel_positions(shape_kji, affine)
    organ = np.linalg.norm((positions - (10, 0, 0)) / (50, 30, 40), axis=-1) <= 1
    bone = np.linalg.norm(positions - (10.0, -60, 0), axis=-1) <= 20
    hu = np.select([organ, bone], [60, 400], -100) + np.random.default_rng(0).integers(-10, 10, shape_kji)
    volume = Volume(hu.astype(np.int16), affine)
    half = np.array([50.0, 30, 40])
    middle = np.array([10.0, 0, 0])
    marks = np.array([(10.0, 0, 0, 12), (40, 0, 0, 8)])
    liver = Structure("liver", middle - half, middle + half, middle, middle, True, marks)
    case = Case("person", "annotated", volume, [liver], [], [])
    (made,) = replaced_scans(case)
    assert (made.kind, made.absent) == (REPLACED, ["liver"])
    assert np.mean(made.volume.array_kji[organ] < -20) > 0.98  # all but a tip of the ellipsoid
    np.testing.assert_array_equal(made.volume.array_kji[bone], volume.array_kji[bone])


@pytest.mark.parametrize("linear", GRIDS.values(), ids=GRIDS)
def test_a_reversed_picture_shows_a_structure_where_its_position_is_reversed_to(linear):
    case = trunk(linear)
    affine, size_ijk = case.volume.ijk_to_ras, np.array(case.volume.array_kji.shape[::-1])
    for one in reversed_scans(case, VOCABULARY):
        assert one.present
        for structure in one.present:
            voxel = np.clip(np.rint(transform_points(np.linalg.inv(affine), structure.centre)), 0, size_ijk - 1)
            there = views.mirrored_position(case.volume, transform_points(affine, voxel), one.reversed)
            shown = np.rint(transform_points(np.linalg.inv(affine), there)).astype(int)
            assert one.volume.array_kji[tuple(shown[::-1])] == case.volume.array_kji[tuple(voxel.astype(int)[::-1])]
            assert np.linalg.norm(there - transform_points(affine, voxel)) >= 25  # 40 before it went to a voxel


def test_of_a_mirrored_picture_what_has_two_sides_is_not_asked_but_of_a_turned_one():
    asked = {(one.kind, one.detail): {s.concept for s in one.present} for one in reversed_scans(trunk(), VOCABULARY)}
    assert asked[MIRRORED, "left and right"] == {"heart", "liver", "spleen"}
    assert "kidney_left" in asked[TURNED, "on the face"]
    assert "urinary_bladder" in asked[TURNED, "head down"]
    assert len(asked) == 3


def test_an_annotated_scan_gives_every_kind_and_a_labelled_one_what_its_labels_allow():
    assert {one.kind for one in made_scans(trunk(), VOCABULARY)} == set(KINDS) - {FAR, PHANTOM}
    volume = trunk().volume
    neck = Case("neck", HEAD_NECK, volume, [box("larynx", (0, 0, 0))], [], [])
    (far,) = made_scans(neck, VOCABULARY)
    assert far.kind == FAR
    assert "urinary_bladder" in far.absent
    assert [(one.kind, one.absent) for one in listed(trunk())] == [(LISTED, ["brain"])]


def test_phantoms_are_bodies_in_air_and_every_name_is_known():
    for made in phantoms():
        assert made.kind == PHANTOM
        hu = made.volume.array_kji
        assert hu[0, 0, 0] < -900
        assert -200 < np.median(hu[30:60, 30:40, 30:60]) < 100
        assert all(concept in VOCABULARY for concept in made.absent)


def test_of_many_scans_that_are_alike_a_few_are_asked():
    necks = [Case(f"neck {n}", HEAD_NECK, trunk().volume, [], [], []) for n in range(9)]
    chosen = list(few_alike([trunk(), *necks, trunk()]))
    assert [case.person for case in chosen] == ["person", "neck 0", "neck 4", "neck 8", "person"]
