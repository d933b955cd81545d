"""Which model is used: an imported one is checked before it replaces anything, and can be given up again."""

import dataclasses
import hashlib

import pytest
from anatembed.model import store as model_store
from anatembed.model.checkpoint import load_checkpoint, save_checkpoint
from anatembed.model.store import ModelStore, card
from tiny_model import tiny_checkpoint


@pytest.fixture
def store(tmp_path):
    return ModelStore(tmp_path / "models" / "here")


@pytest.fixture
def model_file(tmp_path):
    path = tmp_path / "another.npz"
    save_checkpoint(tiny_checkpoint(), path)
    return path


def test_the_shipped_model_is_used_first(store):
    assert store.path() == model_store.DEFAULT_PATH
    facts = store.facts()
    assert facts["licence"] == "Apache-2.0" and facts["concepts"] > 200
    assert facts["encoder_id"] == load_checkpoint().encoder_id
    assert not store.folder.exists()


def test_an_imported_model_is_used_from_then_on(store, model_file):
    imported = store.import_file(model_file)
    model_file.unlink()
    assert store.load().encoder_id == imported.encoder_id
    assert ModelStore(store.folder).facts()["licence"] == "as its maker says"
    store.use_shipped()
    assert store.path() == model_store.DEFAULT_PATH
    store.use_shipped()


def test_the_checksum_may_be_written_as_people_write_it(store, model_file):
    digest = hashlib.sha256(model_file.read_bytes()).hexdigest()
    store.import_file(model_file, f" {digest[:32].upper()} {digest[32:]}\n")
    assert store.imported.read_bytes() == model_file.read_bytes()


def test_a_file_with_another_checksum_changes_nothing(store, model_file):
    with pytest.raises(ValueError, match="expected a file with the SHA-256 00ff, another.npz has "):
        store.import_file(model_file, "00ff")
    assert store.path() == model_store.DEFAULT_PATH


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 nothing", b"hello"], ids=["empty", "torn", "text"])
def test_what_is_no_model_keeps_the_model_in_use(store, model_file, tmp_path, content):
    store.import_file(model_file)
    before = store.imported.read_bytes()
    wrong = tmp_path / "wrong.npz"
    wrong.write_bytes(content)
    with pytest.raises(ValueError, match="expected a model file of this software"):
        store.import_file(wrong)
    assert store.imported.read_bytes() == before
    assert [path.name for path in store.folder.iterdir()] == [store.imported.name]


def test_the_imported_file_may_be_imported_again(store, model_file):
    store.import_file(model_file)
    assert store.import_file(store.imported).encoder_id == store.load().encoder_id


def test_an_imported_model_that_was_damaged_since_is_an_error_in_words(store, model_file):
    store.import_file(model_file)
    store.imported.write_bytes(store.imported.read_bytes()[:200])
    with pytest.raises(ValueError, match="damaged"):
        store.load()


def test_the_card_says_what_the_model_is_and_on_whom_it_was_trained():
    provenance = {"people": 12, "sources": ["atlas", "clinic"], "steps": 300, "begun_with": "anatembed-0",
                  "calibration": {"people": 7}}
    text = card(dataclasses.replace(tiny_checkpoint(), provenance=provenance))
    assert "not for diagnosis" in text and "Knows 3 structures" in text
    assert "Trained on 12 people (atlas, clinic), 300 steps." in text
    assert "Begun with the weights of anatembed-0." in text and "views of 7 of these people" in text
    assert "Trained" not in card(tiny_checkpoint())
