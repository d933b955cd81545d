"""A model file is whole, of this version, and gives back exactly what was written; or it is refused."""

import dataclasses
import json
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import torch
from anatembed.maps.inference import build_encoder
from anatembed.model.checkpoint import (
    CALIBRATION_ARRAYS,
    FORMAT,
    READABLE_FORMATS,
    READOUT_ARRAYS,
    load_checkpoint,
    read_header,
    save_checkpoint,
)
from anatembed.model.config import EncoderConfig
from anatembed.npz_file import content_sha256
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_model import tiny_checkpoint

SMALL = EncoderConfig(channels=(2, 2), latent=2)


@pytest.fixture
def model_file(tmp_path):
    path = tmp_path / "model.npz"
    save_checkpoint(tiny_checkpoint(SMALL), path)
    return path


def test_the_header_says_what_the_whole_file_says(model_file):
    header, checkpoint = read_header(model_file), load_checkpoint(model_file)
    assert (header.sha256, header.encoder_id) == (checkpoint.sha256, checkpoint.encoder_id)
    assert header.concept_ids == checkpoint.readout.concept_ids
    assert header.meta["provenance"] == checkpoint.provenance


@pytest.mark.parametrize("content", [b"", b"no model", "cut off"])
def test_the_header_of_something_else_is_refused(model_file, content):
    model_file.write_bytes(model_file.read_bytes()[:-50] if content == "cut off" else content)
    with pytest.raises(ValueError, match=r"expected a model file of this software, but model\.npz is damaged"):
        read_header(model_file)
    np.savez(model_file, other=np.zeros(3))
    with pytest.raises(ValueError, match="another .npz file"):
        read_header(model_file)
    with pytest.raises(FileNotFoundError):
        read_header(model_file.with_name("none.npz"))


def rewritten(path, change) -> None:
    """Let `change` edit the arrays of a model file, checksum and meta data included."""
    with np.load(path) as file:
        content = {name: file[name] for name in file.files}
    change(content)
    np.savez_compressed(path, **content)


def without(path, names, **meta) -> None:
    """Take read-out arrays out of a model file, and change its meta data."""

    def strip(content):
        for name in names:
            del content[f"readout/{name}"]
        content["meta"] = np.array(json.dumps(json.loads(str(content["meta"])) | meta))
        arrays = {name: value for name, value in content.items() if name not in ("meta", "sha256")}
        content["sha256"] = np.array(content_sha256(arrays, str(content["meta"])))

    rewritten(path, strip)


def test_a_saved_model_comes_back_in_half_precision_with_everything_that_belongs_to_it(tmp_path):
    checkpoint = tiny_checkpoint()
    calibration = {"hit": np.arange(4.0), "hit_offsets": np.array([0.5, -1, 2]), "naming": np.array([1.5, -0.7])}
    checkpoint = dataclasses.replace(checkpoint, readout=dataclasses.replace(checkpoint.readout, **calibration))
    digest = save_checkpoint(checkpoint, tmp_path / "model.npz")
    loaded = load_checkpoint(tmp_path / "model.npz")
    assert loaded.sha256 == digest
    assert loaded.encoder_id == f"anatembed-{digest[:12]}"
    assert set(loaded.weights) == set(checkpoint.weights)
    for name, value in checkpoint.weights.items():
        np.testing.assert_array_equal(loaded.weights[name], value.astype(np.float16))
    for name in READOUT_ARRAYS + CALIBRATION_ARRAYS:
        np.testing.assert_allclose(getattr(loaded.readout, name), getattr(checkpoint.readout, name), rtol=1e-6)
    for one, other in zip(loaded.readout.coordinate_layers, checkpoint.readout.coordinate_layers, strict=True):
        np.testing.assert_allclose(one[0], other[0], rtol=1e-6)
        np.testing.assert_allclose(one[1], other[1], rtol=1e-6)
    assert loaded.preprocessing == checkpoint.preprocessing
    assert EncoderConfig.from_dict(loaded.encoder_config) == EncoderConfig.from_dict(checkpoint.encoder_config)
    assert loaded.provenance == checkpoint.provenance
    for name in ("concept_ids", "scale", "bias", "presence_threshold"):
        assert getattr(loaded.readout, name) == getattr(checkpoint.readout, name)


def test_the_identity_of_a_model_is_its_content(tmp_path):
    one, same, other = (save_checkpoint(tiny_checkpoint(SMALL, seed), tmp_path / "m.npz") for seed in (0, 0, 1))
    assert one == same != other


def test_the_meta_data_belong_to_the_identity(tmp_path):
    checkpoint = tiny_checkpoint(SMALL)
    moved = dataclasses.replace(checkpoint, readout=dataclasses.replace(checkpoint.readout, presence_threshold=0.6))
    assert save_checkpoint(checkpoint, tmp_path / "a.npz") != save_checkpoint(moved, tmp_path / "b.npz")


def test_a_changed_weight_is_noticed(model_file):
    def flip(content):
        content["weight/stem.conv.weight"].view(np.uint8).flat[5] ^= 1

    rewritten(model_file, flip)
    with pytest.raises(ValueError, match=r"model\.npz is damaged: expected SHA-256 \w+\.\.\., got \w+\.\.\."):
        load_checkpoint(model_file)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_file_with_one_changed_byte_is_refused_or_unharmed(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("model") / "model.npz"
    digest = save_checkpoint(tiny_checkpoint(SMALL), path)
    content = bytearray(path.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    try:
        assert load_checkpoint(path).sha256 == digest
    except ValueError as error:
        assert "model.npz" in str(error)


@pytest.mark.parametrize("offset", range(0, 40, 4))
def test_damage_of_the_compressed_data_is_refused(model_file, offset):
    name = b"weight/stem.conv.weight.npy"
    content = bytearray(model_file.read_bytes())
    content[content.index(name) + len(name) + 20 + offset] ^= 0xFF  # 20 bytes of sizes follow the name
    model_file.write_bytes(content)
    with pytest.raises(ValueError, match="damaged or something else"):
        load_checkpoint(model_file)


@pytest.mark.parametrize("share", [0.0, 0.2, 0.7, 0.99])
def test_a_file_that_was_cut_off_is_refused(model_file, share):
    content = model_file.read_bytes()
    model_file.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match="damaged or something else"):
        load_checkpoint(model_file)


def test_other_files_are_refused(tmp_path):
    np.savez(tmp_path / "arrays.npz", weights=np.zeros(3))
    np.save(tmp_path / "array.npy", np.zeros(3))
    (tmp_path / "text.npz").write_text("not an archive")
    for path in tmp_path.iterdir():
        with pytest.raises(ValueError, match="expected a model file of this software"):
            load_checkpoint(path)


def test_a_model_of_another_version_is_named_as_such(model_file):
    def age(content):
        meta = json.loads(str(content["meta"])) | {"format": "anatembed-checkpoint/0"}
        content["meta"] = np.array(json.dumps(meta))

    rewritten(model_file, age)
    with pytest.raises(ValueError, match=rf"expected a model of format {FORMAT}, .* 'anatembed-checkpoint/0'"):
        load_checkpoint(model_file)


def random_weights(seed: int, outputs: int, inputs: int, spread: float) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    by_output = random.normal(size=(outputs, 1, 1, 1, 1)) * 10 ** random.uniform(-spread, spread, (outputs, 1, 1, 1, 1))
    return {
        "conv.weight": (by_output * random.standard_normal((outputs, inputs, 3, 3, 3))).astype(np.float32),
        "conv.bias": random.standard_normal(outputs).astype(np.float32),
        "norm.weight": random.standard_normal((4, 4)).astype(np.float32),
    }


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**31), outputs=st.integers(1, 40), inputs=st.integers(153, 200), spread=st.floats(0, 4))
def test_large_weights_are_right_to_half_a_step_of_their_output_small_ones_to_float16(seed, outputs, inputs, spread):
    weights = random_weights(seed, outputs, inputs, spread)
    weights["conv.weight"][0] = 0  # an output that never speaks
    with TemporaryDirectory() as folder:
        first, again = Path(folder) / "first.npz", Path(folder) / "again.npz"
        save_checkpoint(dataclasses.replace(tiny_checkpoint(SMALL), weights=weights, layout=weights), first)
        read = load_checkpoint(first)
        assert save_checkpoint(read, again) == read.sha256  # written again it is the same model
    steps = np.abs(weights["conv.weight"]).max(axis=(1, 2, 3, 4), keepdims=True) / 127
    for kept in (read.weights, read.layout):
        assert np.all(np.abs(kept["conv.weight"] - weights["conv.weight"]) <= 0.5001 * steps)
        for name in ("conv.bias", "norm.weight"):
            np.testing.assert_array_equal(kept[name], weights[name].astype(np.float16))


def test_a_network_of_large_weights_gives_the_same_codes_from_its_file(tmp_path):
    checkpoint = tiny_checkpoint(EncoderConfig(channels=(16, 24), latent=8))
    save_checkpoint(checkpoint, tmp_path / "model.npz")
    read = load_checkpoint(tmp_path / "model.npz")
    assert any(value.dtype == np.float32 for value in read.weights.values())
    volume = torch.as_tensor(np.random.default_rng(0).standard_normal((1, 2, 24, 24, 24)), dtype=torch.float32)
    with torch.no_grad():
        before, after = (build_encoder(one)(volume)[0] for one in (checkpoint, read))
    assert torch.nn.functional.cosine_similarity(before, after, dim=1).min() > 0.995
    assert not torch.equal(before, after)


@pytest.mark.parametrize("version", READABLE_FORMATS)
def test_models_of_float16_and_of_int8_are_read(model_file, version):
    def age(content):
        content["meta"] = np.array(str(content["meta"]).replace(FORMAT, version))
        del content["sha256"]
        arrays = {name: value for name, value in content.items() if name != "meta"}
        content["sha256"] = np.array(content_sha256(arrays, str(content["meta"])))

    rewritten(model_file, age)
    load_checkpoint(model_file)


def test_a_model_without_a_part_that_this_version_needs_is_refused(model_file):
    without(model_file, ["presence"])
    with pytest.raises(ValueError, match=r"model\.npz lacks 'readout/presence'"):
        load_checkpoint(model_file)


def test_a_model_from_before_the_calibration_of_hits_and_names_is_read_with_neutral_values(model_file):
    without(model_file, CALIBRATION_ARRAYS)
    readout = load_checkpoint(model_file).readout
    np.testing.assert_array_equal(readout.naming, (1, 0))
    np.testing.assert_array_equal(readout.hit_offsets, np.zeros(len(readout.concept_ids)))
    clear, faint = readout.hit_confidences(0, 1.0, np.array([0.99, 0.1]))
    assert 0.5 < clear < 1
    assert faint < clear


@pytest.mark.parametrize("threshold", [0.3, 0.63])
def test_a_model_from_before_decides_as_it_did_but_from_one_half_on(model_file, threshold):
    evidence = np.random.default_rng(0).normal(size=(200, 3))
    before = load_checkpoint(model_file).readout.presences(0, evidence) >= threshold
    without(model_file, CALIBRATION_ARRAYS, presence_threshold=threshold)
    readout = load_checkpoint(model_file).readout
    assert readout.presence_threshold == 0.5
    np.testing.assert_array_equal(readout.presences(0, evidence) >= 0.5, before)
    assert 0 < before.sum() < len(before)


def test_a_model_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"gone\.npz"):
        load_checkpoint(tmp_path / "gone.npz")


@pytest.mark.parametrize("change", ["missing", "shape", "extra"])
def test_weights_that_do_not_fit_their_configuration_are_refused(change):
    checkpoint = tiny_checkpoint(SMALL)
    weights = dict(checkpoint.weights)
    if change == "missing":
        del weights["posterior.bias"]
    elif change == "shape":
        weights["posterior.bias"] = np.zeros(99)
    else:
        weights["another.bias"] = np.zeros(1)
    with pytest.raises(ValueError, match="the weights do not fit the encoder .*'channels'"):
        build_encoder(dataclasses.replace(checkpoint, weights=weights))


def test_a_failing_write_leaves_the_old_model_and_nothing_beside_it(model_file, fill_disk):
    before = model_file.read_bytes()
    fill_disk()
    with pytest.raises(OSError, match="no space left"):
        save_checkpoint(tiny_checkpoint(SMALL, seed=1), model_file)
    assert model_file.read_bytes() == before
    assert list(model_file.parent.iterdir()) == [model_file]
