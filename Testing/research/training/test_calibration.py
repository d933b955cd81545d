"""What is measured on training people after training."""

import json

import numpy as np
import pytest
from little_model import TAXONOMY, anywhere, checkpoint_of
from little_people import CENTRES_RAS, VOCABULARY, little_person
from research import reliability
from research.training.body_frame import body_positions
from research.training.calibration import BETWEEN_PEOPLE, answers, calibrated, fitted, hit_rows, label_moments, places
from research.training.synthesis import CropGenerator, CropSource
from research.training.targets import Taxonomy


def test_a_concepts_place_is_its_middle_in_the_body_frame_every_person_alike():
    people = [little_person(centre_ras=(100.0, 0.0, -500.0)), little_person("big", scale=(1.1, 1.1, 1.1))]
    mean, covariance = places(people, TAXONOMY)
    for concept in CENTRES_RAS:
        number = TAXONOMY.ids.index(concept)
        np.testing.assert_allclose(mean[number], np.array(CENTRES_RAS[concept]) / 100, atol=0.02)
        assert np.linalg.eigvalsh(covariance[number]).min() > BETWEEN_PEOPLE**2
        ball = 0.13**2 / 5  # variance of a ball of radius 0.13 along an axis
        np.testing.assert_allclose(covariance[number], (BETWEEN_PEOPLE**2 + ball) * np.eye(3), atol=0.002)


def test_a_persons_size_in_voxels_does_not_count():
    here = little_person(concepts=("liver",))
    shifted = little_person("moved", concepts=("liver",))
    shifted.ras_to_body[0, 3] += 0.4
    shifted.labels_kji[::2][shifted.labels_kji[::2] == 2] = 1
    mean, _ = places([here, shifted], Taxonomy({"liver"}, VOCABULARY))
    assert mean[0, 0] == pytest.approx(0.36 + 0.2, abs=0.01)


def test_what_no_one_in_the_frame_has_may_be_anywhere():
    mean, covariance = places([little_person(in_frame=False)], TAXONOMY)
    assert (mean == 0).all()
    np.testing.assert_array_equal(covariance, np.stack([100 * np.eye(3)] * len(mean)))


def test_the_place_of_a_whole_is_made_of_its_parts():
    person = little_person(concepts=("liver", "spleen"))
    person.label_concepts[2:] = [("heart_ventricle_left",), ("heart_ventricle_right",)]
    taxonomy = Taxonomy({"heart_ventricle_left", "heart_ventricle_right"}, VOCABULARY)
    mean, _ = places([person], taxonomy)
    parts = [mean[taxonomy.ids.index(f"heart_ventricle_{side}")] for side in ("left", "right")]
    np.testing.assert_allclose(mean[taxonomy.ids.index("heart")], np.mean(parts, axis=0), atol=0.01)


def test_label_moments_count_voxels_of_named_labels_only():
    person = little_person()
    moments = label_moments(person)
    assert set(moments) == set(range(2, 8))
    assert moments[2][0] == (person.labels_kji == 2).sum()


def test_the_warp_of_a_person_counts_for_where_things_lie():
    person = little_person()
    person.body_warp = np.full((3, 3, 3, 3), 0.25, np.float32)
    person.warp_to_ras = person.ijk_to_ras @ np.diag([20, 20, 20, 1.0])
    straight, _ = places([little_person()], TAXONOMY)
    warped, _ = places([person], TAXONOMY)
    np.testing.assert_allclose(warped, straight + 0.25, atol=1e-5)
    liver = np.array([CENTRES_RAS["liver"]])
    np.testing.assert_allclose(body_positions(person, liver)[0], warped[TAXONOMY.ids.index("liver")], atol=0.02)


def test_a_model_is_calibrated_on_views_of_people():
    people = [little_person(), little_person("two", ct=False)]
    sources = [CropSource(person, TAXONOMY, VOCABULARY) for person in people]
    checkpoint = anywhere(checkpoint_of(people))
    generator = CropGenerator(sources, [1.0, 1.0], 0)
    after, summary = calibrated(checkpoint, generator, TAXONOMY, 8, ((16, 24, 24), (24, 24, 24)))
    assert summary["views"] == 8
    assert 0 < summary["views_of_scans"] < 8
    assert set(summary["held_out"]) == {
        "presence", "presence where cut", "first hit", "first hit where cut", "first name"}
    assert summary["held_out"]["first name"]["count"] > 0
    json.dumps(summary)
    readout = after.readout
    assert (readout.presence.shape, readout.hit.shape, readout.naming.shape) == ((4,), (4,), (2,))
    assert readout.hit_offsets.shape == (len(TAXONOMY.ids),)
    assert readout.presence_threshold == 0.5
    for name in ("typical_evidence", "presence", "hit", "hit_offsets", "naming"):
        assert np.isfinite(getattr(readout, name)).all()
    assert after.weights is checkpoint.weights


def observed(seed: int, views: int = 160) -> dict[str, np.ndarray]:
    """Observations as of a model whose similarity says much about presence, and whose clear places are mostly right."""
    random, count = np.random.default_rng(seed), len(TAXONOMY.ids)
    rows = views * count
    present = random.random(rows) < 0.6
    evidence = random.normal(size=(rows, 3)) + np.where(present, 1.2, -1.2)[:, None] * (1, 1, -1)
    scores = np.sort(random.uniform(0.02, 0.98, (rows, 3)), axis=1)[:, ::-1]
    right = (random.random((rows, 3)) < scores**1.5).astype(int)
    scores[~present], right[~present] = np.nan, -1
    logits = random.normal(scale=3, size=(views * 20, count))
    true = np.array([random.choice(count, p=p / p.sum()) for p in np.exp(logits / 2)])
    targets = np.full(logits.shape, -1, np.int8)
    targets[np.arange(len(true)), true] = 1
    return {
        "view": np.repeat(np.arange(views), count), "real": np.ones(rows, bool),
        "concept": np.tile(np.arange(count), views), "evidence": evidence, "present": present,
        "share": np.where(present, random.uniform(0.2, 1, rows), 0), "scores": scores, "right": right,
        "point_view": np.repeat(np.arange(views), 20), "logits": logits, "targets": targets,
    }


def test_what_was_fitted_means_what_it_says_on_other_observations():
    before = checkpoint_of([little_person()]).readout
    after, fresh = fitted(before, observed(0)), observed(1)
    errors = [
        {n: reliability.expected_calibration_error(*c) for n, c in answers(readout, fresh).items()}
        for readout in (before, after)
    ]
    for name in ("presence", "first hit", "first name"):
        assert errors[1][name] < 0.08, name
        assert errors[1][name] < errors[0][name], name
    assert after.naming[0] == pytest.approx(2, abs=0.3)


def test_only_structures_in_the_view_and_places_that_can_be_judged_teach_about_places():
    seen = observed(2, views=4)
    seen["right"][:, 1] = -1
    rows = list(hit_rows(checkpoint_of([little_person()]).readout, seen))
    assert len(rows) == 2 * seen["present"].sum()
    assert {rank for _, rank, _, _ in rows} == {0, 2}


def test_structures_that_the_border_cuts_are_judged_apart():
    seen = observed(3, views=20)
    readout = checkpoint_of([little_person()]).readout
    result = answers(readout, seen)
    cut = seen["present"] & (seen["share"] < 0.5)
    found = readout.presences(seen["concept"], seen["evidence"]) >= readout.presence_threshold
    assert 0 < len(result["first hit where cut"][0]) == (cut & found).sum() < cut.sum()
    assert len(result["first hit"][0]) == (seen["present"] & found).sum()
    scores, truth, weights = result["presence where cut"]
    assert truth.sum() == cut.sum()
    assert (~truth).sum() == (~seen["present"]).sum()
    assert weights[truth].sum() == pytest.approx(weights[~truth].sum())
