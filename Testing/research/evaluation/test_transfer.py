"""Labels carried over from a template: in the right place of the world, and no better than they are."""

import numpy as np
import pytest
from anatembed.maps.embedding_map import EmbeddingMap
from hypothesis import given, settings
from hypothesis import strategies as st
from little_people import VOCABULARY, little_person
from phantoms import CENTRES_RAS as BALLS
from phantoms import GEOMETRIES, rotation, torso, voxel_positions
from planted import CENTRES_RAS, planted_map
from research.evaluation.transfer import Template, dice, labels_at, organ_labels, transfer
from research.training.subject import Subject

PLACES = [([name], centre) for name, centre in CENTRES_RAS.items()]
NAMES = list(CENTRES_RAS)


class Maps:
    """A bench that embeds everything as one planted map."""

    def __init__(self, embedding_map: EmbeddingMap):
        self.embedding_map = embedding_map

    def embed(self, volume):
        return self.embedding_map


@pytest.fixture(scope="module")
def template():
    scan = planted_map(PLACES)
    labels = np.ones(scan.shape_kji, np.uint8)
    positions = voxel_positions(scan.shape_kji, scan.ijk_to_ras)
    for index, centre in enumerate(CENTRES_RAS.values(), start=2):
        labels[np.linalg.norm(positions - centre, axis=-1) < 16] = index
    concepts = [(), (), *((name,) for name in NAMES)]
    subject = Subject("template", "planted", labels, concepts, frozenset(NAMES), scan.ijk_to_ras)
    return Template(subject, np.zeros(labels.shape), Maps(scan))


@pytest.mark.parametrize("linear", [
    np.diag([6.0, 6.0, 6.0]), np.diag([-6.0, 6.0, 6.0]), np.diag([5.0, -7.0, 8.0]),
    rotation((1, 2, 3), 14) @ np.diag([-6.0, 6.0, 6.0]),
])
def test_every_organ_gets_its_own_label_on_any_grid(template, linear):
    target = planted_map(PLACES, linear=linear, shape_kji=(26, 26, 34))
    found = template.carried_over(target, np.array(list(CENTRES_RAS.values())))
    assert found.tolist() == list(range(2, 2 + len(NAMES)))


def test_between_the_organs_there_is_none(template):
    nowhere = np.array([[0.0, 0.0, 0.0], [-20.0, -40.0, 30.0]])
    assert template.carried_over(planted_map(PLACES), nowhere).tolist() == [1, 1]


def test_the_shares_of_a_voxel_add_up(template):
    np.testing.assert_allclose(template.shares.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_labels_are_read_where_they_are(geometry):
    phantom = torso(geometry)
    places = np.array([phantom.centre_of(label) for label in BALLS])
    assert labels_at(phantom.labels_kji, phantom.volume.ijk_to_ras, places).tolist() == list(BALLS)
    assert labels_at(phantom.labels_kji, phantom.volume.ijk_to_ras, places + 9999).tolist() == [0] * len(BALLS)


def test_an_organ_is_its_label_and_those_of_its_parts():
    labels = np.zeros((2, 2, 2), np.uint8)
    concepts = [(), (), ("thoracic_aorta",), ("abdominal_aorta",), ("liver",), ("aorta", "liver")]
    person = Subject("p", "s", labels, concepts, frozenset(), np.eye(4))
    assert organ_labels(person, "aorta", VOCABULARY) == [2, 3]
    assert organ_labels(person, "thoracic_aorta", VOCABULARY) == [2]
    assert organ_labels(person, "spleen", VOCABULARY) == []


@settings(deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=30))
def test_dice_is_twice_the_common_part_of_both(rows):
    one, other = (np.array(column) for column in zip(*rows, strict=True))
    found = dice(one, other)
    if one.any() or other.any():
        assert found == pytest.approx(2 * (one & other).sum() / (one.sum() + other.sum()))
        assert found == dice(other, one)
    else:
        assert np.isnan(found)


def test_registration_carries_labels_to_a_person_who_stands_elsewhere(bench):
    section = transfer(bench)
    assert section.systems["affine lookup"]["mean Dice, labelled head-neck"] > 0.6
    assert 0 <= section.systems["embedding"]["mean Dice, labelled head-neck"] <= 1
    assert [row["organ"] for row in section.rows] == section.figures[0].x
    assert all(row["scans"] == 1 for row in section.rows)


def test_a_person_is_its_own_best_template(bench):
    person = bench.person("pt_013")
    template = Template(person, person.ct_kji, bench)
    kji = np.argwhere(person.labels_kji > 0)
    positions = kji[:, ::-1] @ person.ijk_to_ras[:3, :3].T + person.ijk_to_ras[:3, 3]
    found = template.carried_over(template.map, positions)
    truth = little_person("pt_013").labels_kji[tuple(kji.T)]
    assert np.mean([dice(found == label, truth == label) for label in range(2, 8)]) > 0.7
