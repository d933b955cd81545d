"""Places of a report in the scene: under transforms, flipped and oblique, and marked by a point."""

import numpy as np
import pytest
import slicer.util
from anatembed.ask.explorer import Explorer
from anatembed.geometry import transform_points
from anatembed.maps.embedding_map import EmbeddingMap
from placements import addTransform, rotation, translation
from planted import CENTRES_RAS, planted_checkpoint, planted_map
from scene_logic import embed, logicOn

REPORT = "Cyst in the left kidney and in the liver, both kidneys. The spleen is normal."
BALLS = [([name], centre) for name, centre in CENTRES_RAS.items() if name != "spleen"]


def planted(embeddingMap, _checkpoint=None) -> Explorer:
    """An explorer of known balls, whatever was embedded; the grid is that of the library's tests."""
    checkpoint = planted_checkpoint()
    found = planted_map(BALLS)
    return Explorer(
        EmbeddingMap(found.features_ckji, found.ijk_to_ras, checkpoint.encoder_id, found.body_kji), checkpoint)


@pytest.fixture
def logic(scene, tmp_path):
    logic = logicOn(scene, tmp_path, planted)
    yield logic
    logic.cleanUp()


def placesOf(reading, text):
    (one,) = (one for one in reading.mentions if one.mention.text == text)
    return {choice.id: choice.hit.position_ras for choice in one.found}


def test_mentions_lie_in_world_where_the_scan_was_embedded(logic, placedScan):
    embed(logic, placedScan)
    reading = logic.readReport(placedScan, REPORT)
    for text in ("left kidney", "liver", "both kidneys"):
        for concept, position_ras in placesOf(reading, text).items():
            assert np.linalg.norm(position_ras - CENTRES_RAS[concept]) < 6
    assert placesOf(reading, "spleen") == {}


def test_mentions_and_slices_follow_a_scan_that_is_moved_afterwards(logic, scene, scan):
    embed(logic, scan)
    before = logic.readReport(scan, REPORT)
    motion = translation((30, -20, 50)) @ rotation((1, 2, 3), 40)
    scan.SetAndObserveTransformNodeID(addTransform(scene, motion).GetID())
    after = logic.readReport(scan, REPORT)
    for text in ("left kidney", "liver", "both kidneys"):
        moved = placesOf(after, text)
        for concept, position_ras in placesOf(before, text).items():
            np.testing.assert_allclose(moved[concept], transform_points(motion, position_ras), atol=1e-6)
    for one, other in zip(before.slices, after.slices, strict=True):
        np.testing.assert_allclose(other.position_ras, transform_points(motion, one.position_ras), atol=1e-6)
    assert [one.answer.decision for one in after.mentions] == [one.answer.decision for one in before.mentions]


def test_a_mention_is_marked_by_a_point_and_the_views_go_there(logic, scene, placedScan, views):
    for view in views.values():
        view.show(placedScan)
    embed(logic, placedScan)
    (choice,) = logic.readReport(placedScan, REPORT).mentions[0].found
    logic.showMention(placedScan, choice)
    node = scene.GetFirstNodeByClass("vtkMRMLMarkupsFiducialNode")
    np.testing.assert_allclose(
        slicer.util.arrayFromMarkupsControlPoints(node, world=True), [choice.hit.position_ras], atol=1e-4)
    assert node.GetNthControlPointLabel(0) == "left kidney"
    assert "mentioned in the report of CT" in node.GetNthControlPointDescription(0)
    for view in views.values():
        assert view.distance_mm(choice.hit.position_ras) == pytest.approx(0, abs=1e-6)


def test_a_key_slice_goes_through_the_view_without_centring_it(logic, scan, axial):
    axial.show(scan)
    embed(logic, scan)
    (one, *_) = logic.readReport(scan, REPORT, most=1).slices
    logic.showSlice(one.position_ras)
    assert axial.distance_mm(one.position_ras) == pytest.approx(0, abs=1e-6)


def test_what_is_no_report_is_refused_in_the_users_words(logic, scan):
    embed(logic, scan)
    for text in ("", "x" * 20_001, "liver\0"):
        with pytest.raises(RuntimeError, match="That cannot be answered: expected"):
            logic.readReport(scan, text)


def test_a_scan_that_is_not_embedded_is_refused(logic, scan):
    with pytest.raises(RuntimeError):
        logic.readReport(scan, REPORT)
