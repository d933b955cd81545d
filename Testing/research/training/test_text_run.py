"""A whole training with a part withheld: what may be learnt, and what is judged on what."""

import numpy as np
import pytest
from anatembed.language.vocabulary import Vocabulary
from little_people import VOCABULARY
from little_text import LittleTeacher
from planted import CONCEPTS, planted_checkpoint
from research.training.text_calibration import NAMES, UNKNOWN
from research.training.text_run import TextRun
from research.training.text_tower import TowerConfig
from research.training.text_training import TextConfig
from research.training.voxel_sample import VoxelSample

IDS = {*VOCABULARY.ids[::8], *CONCEPTS, *(VOCABULARY[one].base for one in CONCEPTS if VOCABULARY[one].base)}
CONFIG = TextConfig(
    steps=2, families=4, names=2, voxels=16, image_phrases=8, strangers=4,
    tower=TowerConfig(piece_width=6, group_width=4, buckets=256, hidden=8, size=6, image_hidden=8),
)  # fmt: skip


def closed(ids):
    ids = set(ids)
    while more := {n for i in ids for n in (VOCABULARY[i].base, *VOCABULARY[i].part_of,
                                            *VOCABULARY.sides(i).values()) if n} - ids:
        ids |= more
    return [term for term in VOCABULARY.terms if term.id in ids]


@pytest.fixture(scope="module")
def run():
    own = np.repeat(np.arange(len(CONCEPTS)), 4)
    targets = np.where(own[:, None] == np.arange(len(CONCEPTS)), 1, -1).astype(np.int8)
    features = np.eye(len(CONCEPTS) + 1, dtype=np.float32)[own]
    voxels = VoxelSample(features, targets, np.zeros(len(own), int))
    strangers = {"everyday": ["jazz", "fog", "a quiz", "vivid hobby", "kidney pie", "zoo", "hut", "yacht"]}
    guard = ["zebras", "kidneyish", "quartz", "xylem"]
    words = {"artery": {"de": ["arterie"], "fr": ["artere"], "es": ["arteria"], "zh": ["动脉"]}}
    return TextRun(planted_checkpoint(), Vocabulary(closed(IDS)), LittleTeacher(), voxels, [], strangers, guard,
                   CONFIG, words)


def test_texts_that_name_nothing_are_learnt_or_judged_on_but_never_both(run):
    judged = [text for texts in run.judging_strangers.values() for text in texts]
    assert judged
    assert not set(judged) & set(run.learning_strangers)


def test_a_text_with_the_word_of_a_name_is_no_stranger(run):
    texts = run.learning_strangers + [text for texts in run.judging_strangers.values() for text in texts]
    assert "kidney pie" not in texts
    assert "kidneyish" not in texts


def test_nothing_withheld_is_among_what_is_learnt(run):
    for by in ("names", "structures"):
        trainer, withheld = run.fold(0, 3, by)
        learnt = {phrase.text for phrase in trainer.material.phrases}
        assert not learnt & {phrase.text for phrase in withheld.names + withheld.unknown}


def test_every_kind_of_text_is_judged(run):
    trainer, withheld = run.fold(0, 3, "names")
    rows = run.suggestion_rows(trainer.encoder({}, {}), withheld)
    assert {NAMES, UNKNOWN, "everyday", "guard words"} >= set(rows) >= {NAMES, UNKNOWN, "everyday"}
    assert rows[NAMES].answerable.all()
    assert not rows[UNKNOWN].answerable.any()
    assert not rows[UNKNOWN].right.any()
    assert rows[NAMES].evidence.shape == (len(withheld.names), 4)
