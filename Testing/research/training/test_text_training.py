"""A text encoder that learns: names of one structure come together, and point at its voxels."""

import numpy as np
import pytest
from anatembed.language.query_words import load_query_words
from anatembed.language.vocabulary_phrases import phrases_of
from anatembed.language.word_pieces import WordPieces
from little_people import VOCABULARY
from little_text import PIECES, LittleTeacher
from planted import CONCEPTS, planted_checkpoint
from research.training.text_teacher import Remembering
from research.training.text_tower import TowerConfig
from research.training.text_training import Material, TextConfig, TextTrainer
from research.training.voxel_sample import VoxelSample

CONFIG = TextConfig(
    steps=150, families=6, names=3, voxels=64, image_phrases=24, strangers=8, learning_rate=1e-2,
    tower=TowerConfig(piece_width=6, group_width=12, buckets=1024, hidden=16, size=12, image_hidden=24),
)  # fmt: skip
FAMILIES = ("heart", "heart_ventricle", "kidney", "liver", "spleen")
STRANGERS = ["wxyz", "jumbo jet", "quiz show", "fax", "jazz", "vivid fog", "pyjama", "hobby"]


def voxels() -> VoxelSample:
    """Twenty voxels of every planted concept, and of none; of each it is known what it is and what it is not."""
    count = len(CONCEPTS)
    own = np.repeat(np.arange(count + 1), 20)
    targets = -np.ones((len(own), count), np.int8)
    named = own < count
    targets[named, own[named]] = 1
    return VoxelSample(np.eye(count + 1, dtype=np.float32)[own], targets, np.zeros(len(own), int))


def trainer(seed: int = 0, steps: int = 150) -> TextTrainer:
    phrases = [p for p in phrases_of(VOCABULARY, load_query_words()) if p.family in FAMILIES and p.lang != "zh"]
    pieces = np.random.default_rng(0).normal(size=(len(PIECES), 6)).astype(np.float32)
    material = Material(phrases, STRANGERS, ["a b", "kidney stone", "liver and spleen"], voxels())
    config = TextConfig(**{**vars(CONFIG), "seed": seed, "steps": steps})
    return TextTrainer(
        material, VOCABULARY, planted_checkpoint(), Remembering(LittleTeacher()), pieces, WordPieces(PIECES), config
    )


@pytest.fixture(scope="module")
def trained():
    one = trainer()
    return one, one.run(), one.encoder({}, {"teacher": "little"})


def test_every_loss_falls(trained):
    before = trainer().losses()
    for name, value in trained[1].items():
        assert value < before[name].item()


def test_names_of_one_structure_are_nearest_to_each_other(trained):
    encoder = trained[2]
    vectors = encoder.encode(["niere", "rein", "ren", "leber", "foie", "rate", "milz"])
    similar = vectors @ vectors.T
    assert similar[0, 1] > similar[0, 3] + 0.2
    assert similar[3, 4] > similar[3, 5] + 0.2
    assert similar[5, 6] > similar[5, 0] + 0.2


@pytest.mark.parametrize(("words", "side", "concept"), [
    ("kidney", "left", "kidney_left"), ("rein", "right", "kidney_right"), ("leber", None, "liver"),
    ("spleen", None, "spleen"),
])  # fmt: skip
def test_a_name_and_its_side_point_at_the_voxels_of_the_structure(trained, words, side, concept):
    vector = trained[2].image_vectors([words], side)[0]
    assert np.argmax(vector) == CONCEPTS.index(concept)
    assert vector.max() > 0.7


def test_a_name_without_its_side_points_at_both(trained):
    vector = trained[2].image_vectors(["kidney"])[0]
    assert set(np.argsort(-vector)[:2]) == {CONCEPTS.index("kidney_left"), CONCEPTS.index("kidney_right")}


def test_what_ships_reads_as_what_was_trained(trained):
    one, _, encoder = trained
    texts = ["niere", "left ventricle", "unheard"]
    theirs = one.student.encode(one.student.features(one.student.read(texts))).detach().numpy()
    assert np.abs(encoder.encode(texts) - theirs).max() < 0.02


def test_what_ships_belongs_to_the_image_model_and_keeps_its_record(trained):
    encoder = trained[2]
    assert encoder.space_id == planted_checkpoint().readout.space_id
    assert encoder.provenance["teacher"] == "little"
    assert encoder.provenance["training"]["steps"] == 150


def test_the_seed_decides_everything():
    vectors = []
    for seed in (3, 3, 4):
        one = trainer(seed, steps=5)
        one.run()
        vectors.append(one.encoder({}, {}).encode(["niere"]))
    assert np.array_equal(vectors[0], vectors[1])
    assert not np.array_equal(vectors[0], vectors[2])


def test_a_configuration_with_a_name_that_does_not_exist_is_refused():
    with pytest.raises(TypeError, match="stepps"):
        TextConfig.from_dict({"stepps": 3})
    assert TextConfig.from_dict({"tower": {"size": 7}}).tower.size == 7
