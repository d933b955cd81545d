"""The training script from people to a text encoder, with a teacher of nonsense."""

import json

import pytest
import yaml
from anatembed.language.text_encoder import TextEncoder
from anatembed.language.vocabulary import Vocabulary
from anatembed.model.checkpoint import load_checkpoint, save_checkpoint
from little_model import checkpoint_of
from little_people import CENTRES_RAS, VOCABULARY, little_person
from little_text import LittleTeacher
from train_text import main

CONFIG = {
    "source": "little teacher", "licence": "Apache-2.0", "views": 2, "calibration_views": 1, "folds": 2,
    "folds_used": 1, "shapes": [[32, 32, 48]],
    "limits": {"most_sure": 0.01, "most_needless": 0.15, "least_right": 0.8, "most_wrong": 0.01},
    "training": {
        "steps": 2, "families": 4, "names": 2, "voxels": 16, "image_phrases": 8, "strangers": 4,
        "tower": {"piece_width": 6, "group_width": 4, "buckets": 256, "hidden": 8, "size": 6, "image_hidden": 8},
    },
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def small_vocabulary():
    """Fewer terms, for speed: every sixth, what the little people have, and all that these belong to."""
    ids = dict.fromkeys((*VOCABULARY.ids[::6], *CENTRES_RAS))
    ids |= dict.fromkeys(side for one in list(ids) for side in VOCABULARY.sides(one).values())
    ids |= dict.fromkeys(VOCABULARY[one].base for one in list(ids) if VOCABULARY[one].base)
    ids |= dict.fromkeys(whole for one in list(ids) for whole in VOCABULARY.ancestors(one))
    small = Vocabulary([term for term in VOCABULARY.terms if term.id in ids])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Vocabulary, "load", classmethod(lambda cls, path=None: small))
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("text")
    people = [little_person("one"), little_person("two")]
    (folder / "prepared").mkdir()
    for person in people:
        person.save(folder / "prepared" / f"{person.name}.npz")
    save_checkpoint(checkpoint_of(people), folder / "model.npz")
    (folder / "config.yaml").write_text(yaml.safe_dump(CONFIG))
    (folder / "strangers.yaml").write_text(yaml.safe_dump({"everyday": ["jazz", "fog", "a quiz", "vivid hobby"]}))
    return folder


def arguments(folder, name, *more):
    options = {"--model": "model.npz", "--config": "config.yaml", "--strangers": "strangers.yaml", "-o": name}
    named = [part for option, file in options.items() for part in (option, str(folder / file))]
    return [str(folder / "prepared"), "--text-model", "none", *named, *more]


def test_a_training_ends_in_an_encoder_with_levels_and_a_record(folder):
    main(arguments(folder, "text.npz"), LittleTeacher())
    encoder = TextEncoder.load(folder / "text.npz")
    assert encoder.space_id == load_checkpoint(folder / "model.npz").readout.space_id
    assert set(encoder.levels) == {"suggestions", "free_text"}
    assert encoder.provenance["teacher"] == "little teacher"
    assert encoder.provenance["licence"] == "Apache-2.0"
    figures = json.loads((folder / "text.json").read_text())
    assert 0 <= figures["suggestions"]["names_sure_and_right"] <= 1


@pytest.mark.parametrize("by", ["structures", "names"])
def test_a_training_with_names_withheld_ends_in_a_table_of_four_systems(folder, by):
    main(arguments(folder, "fold.npz", "--without-fold", "1/3", "--withhold", by), LittleTeacher())
    figures = json.loads((folder / "fold.json").read_text())
    assert len(figures["names"]) == 4
    assert set(figures["suggestions"]["sure_by_language"]) == set(figures["names"]["shipped encoder"])
    for by_language in figures["names"].values():
        assert {"en", "de", "fr", "es", "la", "zh"} <= set(by_language)
        assert all(0 <= row["first"] <= row["first_five"] <= 1 for row in by_language.values())


def test_people_that_the_model_was_not_trained_on_are_refused(folder, tmp_path):
    little_person("other", concepts=("liver",)).save(tmp_path / "other.npz")
    options = arguments(folder, "none.npz")
    with pytest.raises(SystemExit, match="concepts differ"):
        main([str(tmp_path), *options[1:]], LittleTeacher())
    (tmp_path / "empty").mkdir()
    with pytest.raises(SystemExit, match="found none"):
        main([str(tmp_path / "empty"), *options[1:]], LittleTeacher())
