"""Affine registration in RAS: between the right places of the world, and the same every time."""

import numpy as np
import pytest
import SimpleITK as sitk
from anatembed.geometry import transform_points
from anatembed.model.preprocessing import prepare
from anatembed.scan.volume import Volume
from little_people import CENTRES_RAS, little_person
from research.evaluation.registration import affine

BIG, FAR = (1.1, 1.1, 1.0), (60.0, -20.0, 500.0)


def prepared(centre_ras, scale):
    person = little_person(centre_ras=centre_ras, scale=scale, shape_kji=(32, 34, 50))
    return prepare(Volume(person.ct_kji, person.ijk_to_ras, "CT"))


@pytest.fixture(scope="module")
def people():
    return prepared((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)), prepared(FAR, BIG)


def test_a_scan_is_registered_to_another_one_in_its_own_world(people):
    one, other = people
    matrix = affine(one, other.array_kji, other.ijk_to_ras)
    start = np.array(list(CENTRES_RAS.values()))
    expected = np.add(np.multiply(start, BIG), FAR)
    assert np.linalg.norm(transform_points(matrix, start) - expected, axis=1).max() < 8


@pytest.fixture
def threads():
    before = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    yield sitk.ProcessObject.SetGlobalDefaultNumberOfThreads
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(before)


def test_the_same_scans_are_registered_the_same_way_however_many_threads_there_are(people, threads):
    one, other = people
    matrices = []
    for count in (1, 2):
        threads(count)
        matrices.append(affine(one, other.array_kji, other.ijk_to_ras))
    np.testing.assert_allclose(*matrices, atol=1e-6)


def test_where_there_is_nothing_to_hold_on_to_it_stays_with_the_middle_of_the_bodies(people):
    one, _ = people
    noise = np.random.default_rng(1).normal(0, 1, (3, 3, 3))
    np.testing.assert_allclose(affine(one, noise, np.eye(4))[:, 3], [1, 1, 1, 1], atol=1)
