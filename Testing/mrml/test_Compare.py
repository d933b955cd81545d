"""Two scans of one person, of which the second lies 100 mm higher and 7 mm more to the right."""

import gc
import weakref
from types import SimpleNamespace

import numpy as np
import pytest
import slicer
import slicer.util
from anatembed.ask.matching import Match
from AnatomicalEmbeddingLib.Compare import Compare, PlaceThere, placeThere
from AnatomicalEmbeddingLib.SceneNodes import nodesOfClass
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from placements import addBentTransform, addScan, addTransform, affine, rotation, translation

SHIFT_RAS = np.array([7.0, 0.0, 100.0])
ORIGIN_RAS = np.array([-47.0, -39.0, -34.5])


class MatchDouble:
    """Knows the shift between the scans; counts how often it is asked; nothing above 20 mm can be matched."""

    def __init__(self, scan):
        self.scan, self.asked = scan, []

    def __call__(self, fromNode, position_ras, toNode) -> PlaceThere:
        forward = fromNode is self.scan
        self.asked.append((fromNode.GetName(), tuple(position_ras), toNode.GetName()))
        own = np.asarray(position_ras) - (0 if forward else SHIFT_RAS)
        if own[2] > 20:
            raise RuntimeError("outside the body")
        return PlaceThere(own + (SHIFT_RAS if forward else 0), 0.87)


class Idle:
    """Runs what is scheduled when the test says so, as an application does when nothing else is to be done."""

    def __init__(self):
        self.waiting = []

    def __call__(self, function):
        self.waiting.append(function)

    def run(self):
        waiting, self.waiting = self.waiting, []
        for function in waiting:
            function()


@pytest.fixture
def other(scene):
    return addScan(scene, affine(origin_ras=ORIGIN_RAS + SHIFT_RAS), name="Follow-up")


@pytest.fixture
def match(scan):
    return MatchDouble(scan)


@pytest.fixture
def compare(scene):
    compare = Compare(scene)
    yield compare
    compare.unlink()


@pytest.fixture
def sideBySide(scan, other, views):
    """The axial view shows the first scan, sagittal and coronal the other one."""
    views["axial"].show(scan)
    views["sagittal"].show(other)
    views["coronal"].show(other)
    return views


@pytest.fixture
def linked(compare, scan, other, match, sideBySide):
    said = []
    compare.linked.connect(said.append)
    compare.link(scan, other, match)
    return said


@pytest.fixture
def crosshair(scene):
    return scene.GetFirstNodeByClass("vtkMRMLCrosshairNode")


def hover(crosshair, view, position_ras):
    """Move the mouse in a view to a world position of its plane."""
    view.sliceNode.JumpSliceByCentering(*position_ras)
    xyz = np.linalg.inv(slicer.util.arrayFromVTKMatrix(view.sliceNode.GetXYToRAS())) @ [*position_ras, 1]
    crosshair.SetCursorPositionXYZ(list(xyz[:3]), view.sliceNode)


def marker(scene):
    nodes = [n for n in nodesOfClass(scene, "vtkMRMLMarkupsFiducialNode") if n.GetName() == "Same place"]
    return nodes[0] if nodes else None


def markerPosition(scene):
    return slicer.util.arrayFromMarkupsControlPoints(marker(scene), world=True)[0]


def test_the_views_of_the_other_scan_follow_the_cursor(linked, scene, crosshair, sideBySide):
    hover(crosshair, sideBySide["axial"], (10, -5, 6))
    for name in ("sagittal", "coronal"):
        assert sideBySide[name].distance_mm((17, -5, 106)) == pytest.approx(0, abs=1e-6)
    np.testing.assert_allclose(markerPosition(scene), (17, -5, 106))
    assert marker(scene).GetNthControlPointLabel(0) == "same place (87% there and back)"
    (place,) = linked
    np.testing.assert_allclose(place.position_ras, (17, -5, 106))
    assert place.confidence == 0.87


def test_it_works_in_the_other_direction_too(linked, scene, crosshair, sideBySide, match):
    hover(crosshair, sideBySide["sagittal"], (17, -5, 106))
    assert sideBySide["axial"].distance_mm((10, -5, 6)) == pytest.approx(0, abs=1e-6)
    np.testing.assert_allclose(markerPosition(scene), (10, -5, 6), atol=1e-9)
    assert [(one, to) for one, _, to in match.asked] == [("Follow-up", "CT")]


def test_the_marker_is_in_the_views_of_the_scan_that_it_belongs_to(linked, scene, crosshair, sideBySide):
    hover(crosshair, sideBySide["axial"], (10, -5, 6))
    displayNode = marker(scene).GetDisplayNode()
    assert not displayNode.IsDisplayableInView(sideBySide["axial"].sliceNode.GetID())
    assert displayNode.IsDisplayableInView(sideBySide["coronal"].sliceNode.GetID())
    assert displayNode.GetVisibility()
    hover(crosshair, sideBySide["coronal"], (17, -5, 106))
    assert displayNode.IsDisplayableInView(sideBySide["axial"].sliceNode.GetID())
    assert not displayNode.IsDisplayableInView(sideBySide["coronal"].sliceNode.GetID())


def test_a_jump_that_does_not_come_from_the_mouse_is_followed(linked, crosshair, sideBySide):
    crosshair.SetCrosshairRAS(3, 4, 5)
    assert sideBySide["coronal"].distance_mm((10, 4, 105)) == pytest.approx(0, abs=1e-6)
    crosshair.SetCrosshairRAS(3, 4, 105)
    assert sideBySide["axial"].distance_mm((-4, 4, 5)) == pytest.approx(0, abs=1e-6)
    assert len(linked) == 2


def test_a_jump_beside_both_scans_is_not_followed(linked, crosshair, match):
    crosshair.SetCrosshairRAS(900, 0, 0)
    assert linked == [] and match.asked == []


def test_the_looks_of_the_crosshair_are_no_move(linked, crosshair):
    crosshair.SetCrosshairMode(crosshair.ShowBasic)
    assert linked == []


def test_a_place_that_cannot_be_matched_hides_the_marker_and_moves_nothing(linked, scene, crosshair, sideBySide):
    hover(crosshair, sideBySide["axial"], (10, -5, 6))
    before = slicer.util.arrayFromVTKMatrix(sideBySide["coronal"].sliceNode.GetSliceToRAS())
    hover(crosshair, sideBySide["axial"], (10, -5, 24))
    assert linked[-1] is None and not marker(scene).GetDisplayNode().GetVisibility()
    after = slicer.util.arrayFromVTKMatrix(sideBySide["coronal"].sliceNode.GetSliceToRAS())
    np.testing.assert_array_equal(before, after)
    hover(crosshair, sideBySide["axial"], (10, -5, 9))
    assert marker(scene).GetDisplayNode().GetVisibility()


def test_the_mouse_in_no_view_or_in_a_view_of_a_third_scan_moves_nothing(linked, scene, crosshair, sideBySide):
    sideBySide["axial"].show(addScan(scene, affine(), name="Third"))
    hover(crosshair, sideBySide["axial"], (10, -5, 6))
    crosshair.SetCursorPositionInvalid()
    assert linked == []


def test_however_fast_the_mouse_moves_one_match_waits(scene, scan, other, match, crosshair, sideBySide):
    idle = Idle()
    compare = Compare(scene, idle)
    compare.link(scan, other, match)
    for x in range(30):
        hover(crosshair, sideBySide["axial"], (x, 0, 6))
    assert match.asked == [] and len(idle.waiting) == 1
    idle.run()
    assert [position for _, position, _ in match.asked] == [pytest.approx((29, 0, 6))]
    assert idle.waiting == []
    compare.unlink()


def test_a_match_that_waits_is_dropped_when_the_link_ends(scene, scan, other, match, crosshair, sideBySide):
    idle = Idle()
    compare = Compare(scene, idle)
    compare.link(scan, other, match)
    hover(crosshair, sideBySide["axial"], (1, 0, 6))
    compare.unlink()
    idle.run()
    assert match.asked == [] and marker(scene) is None


def test_the_same_place_is_matched_once(linked, crosshair, sideBySide, match):
    for _ in range(3):
        hover(crosshair, sideBySide["axial"], (10, -5, 6))
    assert len(match.asked) == 1


def test_a_crosshair_that_follows_the_jump_makes_no_loop(compare, scan, other, match, crosshair, sideBySide):
    """Someone else's observer sets the cross-hair whenever a match was shown."""
    compare.link(scan, other, match)
    compare.linked.connect(lambda place: crosshair.SetCrosshairRAS(*place.position_ras) if place else None)
    hover(crosshair, sideBySide["axial"], (10, -5, 6))
    assert len(match.asked) <= 2


@given(st.lists(st.tuples(st.sampled_from(["axial", "coronal"]), *[st.integers(-20, 15)] * 3), max_size=10))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_after_any_moves_the_views_show_the_same_place(linked, crosshair, sideBySide, moves):
    for name, *place in moves:
        here = np.add(place, SHIFT_RAS if name == "coronal" else 0)
        there = np.add(place, 0 if name == "coronal" else SHIFT_RAS)
        hover(crosshair, sideBySide[name], here)
        for view in (["axial"] if name == "coronal" else ["sagittal", "coronal"]):
            assert sideBySide[view].distance_mm(there) == pytest.approx(0, abs=1e-6)


def test_a_place_outside_a_view_is_brought_into_it(linked, crosshair, sideBySide):
    narrow = sideBySide["coronal"]
    narrow.sliceNode.SetFieldOfView(20, 16, 1)
    narrow.sliceNode.JumpSliceByCentering(-30, 0, 70)
    hover(crosshair, sideBySide["axial"], (25, -5, 6))
    row, column = narrow.pixel_of((32, -5, 106))
    height, width, _ = narrow.picture().shape
    assert 0 <= row < height and 0 <= column < width


def test_a_place_inside_a_view_only_moves_its_plane(linked, crosshair, sideBySide):
    view = sideBySide["coronal"]
    before = view.pixel_of((7, view.sliceNode.GetSliceOffset(), 100))
    hover(crosshair, sideBySide["axial"], (3, -5, 6))
    assert view.pixel_of((7, -5, 100)) == before


def test_scans_in_the_same_views_get_the_marker_only(compare, scene, scan, other, match, crosshair, axial):
    axial.show(scan)
    axial.compositeNode.SetForegroundVolumeID(other.GetID())
    compare.link(scan, other, match)
    hover(crosshair, axial, (10, -5, 6))
    assert axial.distance_mm((10, -5, 6)) == pytest.approx(0, abs=1e-6)
    np.testing.assert_allclose(markerPosition(scene), (17, -5, 106))
    assert marker(scene).GetDisplayNode().IsDisplayableInView(axial.sliceNode.GetID())


def test_a_scan_that_no_view_shows_gets_no_marker_in_the_wrong_views(compare, scene, scan, other, match, axial):
    axial.show(scan)
    compare.findThere(scan, (10, -5, 6), other, match)
    assert not marker(scene).GetDisplayNode().GetVisibility()


def test_finding_a_place_there_centres_the_views_of_the_other_scan(compare, scene, scan, other, match, sideBySide):
    place = compare.findThere(scan, (10, -5, 6), other, match)
    np.testing.assert_allclose(place.position_ras, (17, -5, 106))
    for name in ("sagittal", "coronal"):
        row, column = sideBySide[name].pixel_of((17, -5, 106))
        height, width, _ = sideBySide[name].picture().shape
        assert abs(row - height / 2) <= 1 and abs(column - width / 2) <= 1
    np.testing.assert_allclose(markerPosition(scene), (17, -5, 106))


def test_finding_what_cannot_be_matched_is_said_and_leaves_everything(compare, scene, scan, other, match, sideBySide):
    with pytest.raises(RuntimeError, match="outside the body"):
        compare.findThere(scan, (10, -5, 26), other, match)
    assert marker(scene) is None


def test_the_marker_follows_a_scan_that_is_moved(compare, scene, scan, other, match, sideBySide):
    other.SetAndObserveTransformNodeID(addTransform(scene, np.eye(4)).GetID())
    compare.findThere(scan, (10, -5, 6), other, match)
    moved = slicer.util.vtkMatrixFromArray(translation((0, 0, 50)))
    other.GetParentTransformNode().SetMatrixTransformToParent(moved)
    np.testing.assert_allclose(markerPosition(scene), (17, -5, 156))


def test_the_marker_is_not_saved_and_not_in_the_lists(compare, scene, scan, other, match, sideBySide):
    compare.findThere(scan, (10, -5, 6), other, match)
    node = marker(scene)
    assert node.GetHideFromEditors() and not node.GetSaveWithScene() and node.GetNthControlPointLocked(0)


def test_unlinking_stops_and_takes_the_marker_away(linked, compare, scene, crosshair, sideBySide, match):
    count = scene.GetNumberOfNodes()
    hover(crosshair, sideBySide["axial"], (10, -5, 6))
    compare.unlink()
    hover(crosshair, sideBySide["axial"], (1, -5, 6))
    crosshair.SetCrosshairRAS(1, 2, 3)
    assert len(match.asked) == 1
    assert scene.GetNumberOfNodes() == count
    compare.unlink()


@pytest.mark.parametrize("which", ["scan", "other"])
def test_deleting_either_scan_ends_the_link(request, linked, compare, scene, crosshair, sideBySide, which):
    hover(crosshair, sideBySide["axial"], (10, -5, 6))
    scene.RemoveNode(request.getfixturevalue(which))
    assert marker(scene) is None
    hover(crosshair, sideBySide["axial"], (1, -5, 6))
    assert len(linked) == 1


def test_closing_the_scene_ends_the_link_and_the_next_one_works(linked, compare, scene, crosshair, sideBySide):
    hover(crosshair, sideBySide["axial"], (10, -5, 6))
    scene.Clear(False)
    scan, other = addScan(scene, affine()), addScan(scene, affine(origin_ras=ORIGIN_RAS + SHIFT_RAS), name="Next")
    sideBySide["axial"].show(scan)
    sideBySide["coronal"].show(other)
    compare.link(scan, other, MatchDouble(scan))
    crosshair = scene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
    hover(crosshair, sideBySide["axial"], (1, -5, 6))
    assert sideBySide["coronal"].distance_mm((8, -5, 106)) == pytest.approx(0, abs=1e-6)


def test_linking_again_replaces_the_link(linked, compare, scene, scan, other, crosshair, sideBySide):
    second = MatchDouble(scan)
    compare.link(scan, other, second)
    hover(crosshair, sideBySide["axial"], (1, -5, 6))
    assert len(second.asked) == 1 and len(linked) == 1


def test_what_cannot_be_linked_is_said_and_follows_nothing(compare, scan, match, crosshair, sideBySide):
    with pytest.raises(RuntimeError, match="two scans"):
        compare.link(scan, None, match)
    with pytest.raises(RuntimeError, match="with itself"):
        compare.link(scan, scan, match)
    hover(crosshair, sideBySide["axial"], (1, -5, 6))
    assert match.asked == []


def test_a_scan_under_a_bent_transform_is_left_alone(linked, scene, scan, crosshair):
    scan.SetAndObserveTransformNodeID(addBentTransform(scene).GetID())
    crosshair.SetCrosshairRAS(3, 4, 5)
    assert linked == []


def test_a_compare_that_is_dropped_stops_observing(scene, scan, other, match, crosshair, sideBySide):
    compare = Compare(scene)
    compare.link(scan, other, match)
    gone = weakref.ref(compare)
    del compare
    gc.collect()
    assert gone() is None
    hover(crosshair, sideBySide["axial"], (1, -5, 6))
    assert match.asked == []


@given(st.tuples(*[st.floats(-100, 100)] * 3), st.floats(0, 1))
def test_a_library_match_is_turned_with_the_scans(position_ras, confidence):
    """The matcher knows the scans as they lay when they were embedded."""
    motion = translation((5, 60, -15)) @ rotation((0, 1, 1), 35)
    otherMotion = rotation((1, 0, 0), 90) @ translation((0, 10, 20))

    def matcher(position):
        found = np.asarray(position)[None] + SHIFT_RAS
        return Match(found, np.array([confidence]), np.zeros(1))

    moved = motion @ [*position_ras, 1]
    place = placeThere(matcher, moved[:3], motion, otherMotion)
    expected = otherMotion @ [*(position_ras + SHIFT_RAS), 1]
    np.testing.assert_allclose(place.position_ras, expected[:3], atol=1e-9)
    assert place.confidence == confidence


def test_without_motion_places_are_as_the_matcher_says():
    matcher = SimpleNamespace(positions_ras=np.array([[1.0, 2, 3]]), confidence=np.array([0.5]))
    assert placeThere(lambda position: matcher, (0, 0, 0)).position_ras.tolist() == [1, 2, 3]
