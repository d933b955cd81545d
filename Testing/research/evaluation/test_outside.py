"""Air and couch, drawn where they are known to be."""

import numpy as np
import pytest
from anatembed.geometry import transform_points
from phantoms import CENTRES_RAS, GEOMETRIES, LUNG, SPINE, torso, voxel_positions
from research.evaluation.outside import at_points, open_air, outside, with_couch


def test_the_couch_lies_in_the_air_behind_the_patient_and_nothing_else_changes(bench):
    prepared = bench.trunks[1].prepared
    volume, couch = with_couch(prepared)
    positions = voxel_positions(couch.shape, volume.ijk_to_ras)
    body = voxel_positions(prepared.body_kji.shape, prepared.ijk_to_ras)[prepared.body_kji]
    assert couch.any()
    assert positions[couch][:, 1].max() < body[:, 1].min()
    kji = transform_points(np.linalg.inv(volume.ijk_to_ras), body)[:, ::-1]
    same = volume.array_kji[tuple(np.rint(kji).astype(int).T)] == prepared.array_kji[prepared.body_kji].astype(np.int16)
    assert same.all()


def test_preparing_the_scan_with_the_couch_keeps_its_grid(bench):
    volume, couch = with_couch(bench.trunks[0].prepared)
    prepared = bench.prepare(volume)
    assert prepared.array_kji.shape == couch.shape
    np.testing.assert_allclose(prepared.ijk_to_ras, volume.ijk_to_ras)
    np.testing.assert_allclose(prepared.array_kji, volume.array_kji, atol=1)


def test_air_around_the_body_is_open_and_air_in_it_is_not():
    phantom = torso()
    air = open_air(np.where(phantom.labels_kji == LUNG, -1000, phantom.volume.array_kji))
    assert air[phantom.labels_kji == 0].mean() > 0.85  # smoothing keeps off the skin
    assert not air[phantom.labels_kji > 0].any()


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_points_are_looked_up_where_they_are(geometry):
    phantom = torso(geometry)
    points = np.array([phantom.centre_of(label) for label in CENTRES_RAS])
    found = [at_points(phantom.labels_kji == label, phantom.volume.ijk_to_ras, points) for label in CENTRES_RAS]
    assert found == [0.25] * 4
    assert at_points(phantom.labels_kji == SPINE, phantom.volume.ijk_to_ras, points[2:3]) == 1


def test_no_points_have_no_share():
    assert np.isnan(at_points(np.ones((2, 2, 2), bool), np.eye(4), np.empty((0, 3))))


def test_the_body_mask_knows_air_and_couch_and_a_threshold_does_not_know_the_couch(bench):
    systems = outside(bench).systems
    assert systems["embedding"]["air flagged"] > 0.99
    assert systems["embedding"]["couch flagged"] > 0.99
    assert systems["embedding"]["points kept"] == 1
    assert systems["embedding"]["first hits in air or couch"] == 0
    assert systems["HU threshold"]["couch flagged"] < 0.9
