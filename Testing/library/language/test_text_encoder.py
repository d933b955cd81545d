"""The text encoder as a file and as a function of a text."""

import time

import numpy as np
import pytest
from anatembed.language.text_encoder import DEFAULT_PATH, TextEncoder
from anatembed.model.checkpoint import load_checkpoint
from hypothesis import given
from hypothesis import strategies as st
from little_text import little_encoder

TEXTS = ["kidney", "renal artery", "肾", "no such word", "vertebra 12"]


@pytest.fixture(scope="module")
def shipped():
    return TextEncoder.load()


@given(st.lists(st.text("abkidney 12肾", min_size=0, max_size=30), min_size=1, max_size=4))
def test_every_text_with_letters_gives_a_vector_of_unit_length_and_the_others_zero(texts):
    lengths = np.linalg.norm(little_encoder().encode(texts), axis=1)
    assert lengths == pytest.approx([1.0 if text.strip() else 0.0 for text in texts], abs=1e-5)


def test_a_text_is_read_alike_alone_and_among_others():
    encoder = little_encoder()
    assert np.allclose(encoder.encode(TEXTS)[2], encoder.encode(TEXTS[2:3])[0], atol=1e-6)


def test_no_texts_give_no_vectors():
    encoder = little_encoder()
    assert len(encoder.encode([])) == 0
    assert len(encoder.image_vectors([])) == 0


def test_the_side_changes_where_a_text_points_in_the_image_and_nothing_else():
    encoder = little_encoder()
    plain, left, right = (encoder.image_vectors(["kidney"], side)[0] for side in (None, "left", "right"))
    assert np.abs(left - right).max() > 0.01
    assert np.abs(left - plain).max() > 0.01
    assert np.linalg.norm(left) == pytest.approx(1, abs=1e-5)


def test_a_side_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="left, right or None"):
        little_encoder().image_vectors(["kidney"], "upper")


def test_a_file_gives_back_the_same_encoder(tmp_path):
    encoder = little_encoder(levels={"free_text": {"weights": [1.0], "found": 0.5}})
    sha256 = encoder.save(tmp_path / "text.npz")
    again = TextEncoder.load(tmp_path / "text.npz")
    assert np.array_equal(again.encode(TEXTS), encoder.encode(TEXTS))
    assert np.array_equal(again.image_vectors(TEXTS, "left"), encoder.image_vectors(TEXTS, "left"))
    assert (again.space_id, again.levels, again.provenance) == (
        encoder.space_id, encoder.levels, encoder.provenance
    )  # fmt: skip
    assert again.sha256 == sha256


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="text encoder"):
        TextEncoder.load(tmp_path / "none.npz")


def test_a_changed_table_is_noticed(tmp_path):
    path = tmp_path / "text.npz"
    little_encoder().save(path)
    with np.load(path) as file:
        content = {name: file[name] for name in file.files}
    content["table/group"][3, 3] += 1
    np.savez_compressed(path, **content)
    with pytest.raises(ValueError, match="damaged"):
        TextEncoder.load(path)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_cut_file_is_damaged_whatever_is_left_of_it(tmp_path, share):
    path = tmp_path / "text.npz"
    little_encoder().save(path)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(ValueError, match="damaged"):
        TextEncoder.load(path)


def test_another_npz_file_is_not_taken_for_an_encoder(tmp_path):
    np.savez(tmp_path / "other.npz", numbers=np.arange(3))
    with pytest.raises(ValueError, match="something else"):
        TextEncoder.load(tmp_path / "other.npz")


def test_the_shipped_file_is_small_belongs_to_the_shipped_model_and_says_where_it_comes_from(shipped):
    assert DEFAULT_PATH.stat().st_size < 8e6
    assert shipped.space_id == load_checkpoint().readout.space_id
    assert shipped.provenance["licence"] == "Apache-2.0"
    assert shipped.provenance["teacher"]


def test_the_shipped_encoder_reads_a_text_within_two_milliseconds(shipped):
    shipped.encode(TEXTS)
    seconds = []
    for number in range(100):
        began = time.perf_counter()
        shipped.encode([f"{TEXTS[number % len(TEXTS)]} {number}"])
        seconds.append(time.perf_counter() - began)
    assert np.median(seconds) < 0.002


@pytest.mark.parametrize(
    ("one", "other", "far"),
    [("renal artery", "nierenarterie", "hepatic vein"), ("windpipe", "trachea", "spleen"), ("foie", "leber", "rib 5")],
)
def test_names_of_one_structure_are_nearer_than_those_of_another(shipped, one, other, far):
    vectors = shipped.encode([one, other, far])
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.3
