"""From a scan to its map: geometry, blocks, devices, progress and cancelling."""

import dataclasses
import io

import numpy as np
import pytest
import torch
from anatembed.geometry import transform_points
from anatembed.maps import inference
from anatembed.maps.embedding_map import EmbeddingMap, kept_codes, kept_voxels
from anatembed.maps.inference import (
    BYTES_PER_VOXEL,
    Cancelled,
    build_encoder,
    choose_device,
    choose_precision,
    embed,
    encode,
    estimate_bytes,
    fold_normalisation,
    free_memory,
    voxel_means,
    work_shares,
)
from anatembed.model.config import EncoderConfig
from anatembed.model.memory_budget import NotEnoughMemory
from anatembed.model.preprocessing import PreparedVolume, prepare
from anatembed.scan.volume import Volume
from hypothesis import given, settings
from hypothesis import strategies as st
from phantoms import GEOMETRIES, Geometry, torso, voxel_positions
from tiny_model import CONFIG, receptive_radius, tiny_checkpoint, tiny_encoder

TALL = Geometry((60, 14, 16), np.diag([8.0, 8.0, 8.0]))


@pytest.fixture(scope="module")
def checkpoint():
    return tiny_checkpoint()


def embed_tall(checkpoint, **options):
    """A map of a tall core of the phantom, which is too plain inside to be taken for a CT."""
    return embed(torso(TALL).volume, checkpoint, device="cpu", force=True, **options)


def with_spot(volume: Volume, spot_ras, radius_mm: float) -> Volume:
    """The scan with a bright ball."""
    distance = np.linalg.norm(voxel_positions(volume.array_kji.shape, volume.ijk_to_ras) - spot_ras, axis=-1)
    return dataclasses.replace(volume, array_kji=np.where(distance < radius_mm, 1000, volume.array_kji))


@pytest.mark.parametrize("name", GEOMETRIES)
def test_what_changes_in_the_scan_changes_in_the_map_at_the_same_place_of_the_world(name, checkpoint):
    phantom = torso(name)
    spot_ras = phantom.centre_ras + (40.0, -15.0, -20.0)
    maps = [embed(v, checkpoint, device="cpu") for v in (phantom.volume, with_spot(phantom.volume, spot_ras, 9.0))]
    change = np.linalg.norm(np.subtract(*(m.features_ckji.astype(np.float32) for m in maps)), axis=0)
    # The centre of the change: a random network spreads it evenly, a mirrored or shifted map would move it.
    weights = (change**2).ravel()
    positions = voxel_positions(maps[0].shape_kji, maps[0].ijk_to_ras).reshape(-1, 3)
    found = (positions * weights[:, None]).sum(axis=0) / weights.sum()
    assert np.linalg.norm(found - spot_ras) < 6.0 + 5.0  # a map voxel, and half of the phantom's thickest slice


def test_a_map_voxel_lies_between_two_prepared_voxels_on_each_axis(checkpoint):
    volume = torso("off origin").volume
    prepared = prepare(volume)
    embedding_map = embed(volume, checkpoint, device="cpu")
    for kji in np.ndindex(3, 4, 5):
        ijk = 2.0 * np.array(kji)[::-1]
        pair = transform_points(prepared.ijk_to_ras, [ijk, ijk + 1])
        own = transform_points(embedding_map.ijk_to_ras, np.array(kji)[::-1])
        np.testing.assert_allclose(own, pair.mean(axis=0), atol=1e-9)


@pytest.mark.parametrize("name", ["canonical", "oblique", "anisotropic"])
def test_the_map_covers_the_prepared_scan_and_its_body(name, checkpoint):
    volume = torso(name).volume
    prepared = prepare(volume)
    embedding_map = embed(volume, checkpoint, device="cpu")
    assert embedding_map.shape_kji == tuple(-(-n // 2) for n in prepared.array_kji.shape)
    body = transform_points(prepared.ijk_to_ras, np.argwhere(prepared.body_kji)[:, ::-1])
    assert embedding_map.inside_body(body).mean() > 0.93
    air = transform_points(prepared.ijk_to_ras, np.argwhere(~prepared.body_kji)[:, ::-1])
    assert embedding_map.inside_body(air).mean() < 0.1


def test_a_map_voxel_is_body_when_half_of_its_prepared_voxels_are(checkpoint):
    prepared = prepare(torso("oblique").volume)
    body = embed(torso("oblique").volume, checkpoint, device="cpu").body_kji
    for k, j, i in np.random.default_rng(0).integers(0, np.array(body.shape) - 1, (400, 3)):
        block = prepared.body_kji[2 * k : 2 * k + 2, 2 * j : 2 * j + 2, 2 * i : 2 * i + 2]
        assert body[k, j, i] == (block.mean() >= 0.5)


def test_a_map_voxel_has_the_mean_hu_of_its_prepared_voxels(checkpoint):
    prepared = prepare(torso("oblique").volume)
    hu = embed(torso("oblique").volume, checkpoint, device="cpu").hu_kji
    for k, j, i in np.random.default_rng(0).integers(0, np.array(hu.shape) - 1, (400, 3)):
        block = prepared.array_kji[2 * k : 2 * k + 2, 2 * j : 2 * j + 2, 2 * i : 2 * i + 2]
        assert hu[k, j, i] == pytest.approx(block.mean(), abs=0.6)


def test_behind_the_last_voxel_the_mean_goes_on_as_the_edge_is():
    array = np.arange(3 * 2 * 2, dtype=float).reshape(3, 2, 2)
    means = voxel_means(array, (2, 1, 1), "edge")
    np.testing.assert_array_equal(means.ravel(), [array[:2].mean(), array[2].mean()])


def test_the_map_names_its_model_and_its_scan(checkpoint):
    volume = torso().volume
    embedding_map = embed(volume, checkpoint, device="cpu")
    assert embedding_map.encoder_id == checkpoint.encoder_id
    assert embedding_map.source == {
        "name": "torso phantom", "content_hash": volume.content_hash, "modality": "CT"
    }
    assert embedding_map.features_ckji.dtype == np.float16


def test_a_map_that_was_just_made_and_one_that_was_opened_again_are_the_same(checkpoint, tmp_path):
    made = embed(torso().volume, checkpoint, device="cpu")
    made.save(tmp_path / "map.npz")
    opened = EmbeddingMap.load(tmp_path / "map.npz")
    np.testing.assert_array_equal(opened.features_ckji, made.features_ckji)
    np.testing.assert_array_equal(opened.hu_kji, made.hu_kji)
    beyond = ~kept_voxels(made.body_kji)
    assert beyond.any()
    assert not made.features_ckji[:, beyond].any()


def test_the_same_scan_gives_the_same_map_bit_by_bit(checkpoint):
    volume = torso().volume
    one, other = (embed(volume, checkpoint, device="cpu") for _ in range(2))
    np.testing.assert_array_equal(one.features_ckji.view(np.uint16), other.features_ckji.view(np.uint16))


def prepared_noise(shape_kji, seed=0) -> PreparedVolume:
    hu = np.random.default_rng(seed).uniform(-1000, 1000, shape_kji).astype(np.float32)
    return PreparedVolume(hu, np.diag([3.0, 3.0, 3.0, 1.0]), np.ones(shape_kji, bool))


def plane_bytes(prepared: PreparedVolume, stride: int) -> int:
    """Memory of one plane of the padded volume."""
    padded = [max(2, -(-n // stride)) * stride for n in prepared.array_kji.shape[1:]]
    return estimate_bytes((1, *padded), torch.float32)


@settings(max_examples=12, deadline=None)
@given(st.integers(150, 200), st.integers(8, 20), st.integers(0, 20))
def test_blocks_along_s_equal_the_single_pass_when_the_halo_holds_the_receptive_field(length, width, planes):
    prepared = prepared_noise((length, width, 9))
    encoder = build_encoder(tiny_checkpoint())
    margin = -(-receptive_radius(CONFIG) // 8) * 8
    whole = encode(prepared, encoder, torch.float32, 2**40)
    seen = []
    budget = plane_bytes(prepared, CONFIG.total_stride) * (2 * margin + planes)
    blocks = encode(prepared, encoder, torch.float32, budget, seen.append, receptive_radius(CONFIG))
    assert len(seen) > 7
    np.testing.assert_allclose(blocks.astype(np.float32), whole.astype(np.float32), atol=1e-2)


@pytest.mark.parametrize("length", [199, 200, 201, 208, 215])
def test_a_short_last_block_is_no_different(length):
    prepared = prepared_noise((length, 16, 16))
    encoder = build_encoder(tiny_checkpoint())
    margin = 64
    budget = plane_bytes(prepared, 8) * (2 * margin + 56)  # 56 is no divisor of any of the lengths
    whole, seen = encode(prepared, encoder, torch.float32, 2**40), []
    blocks = encode(prepared, encoder, torch.float32, budget, seen.append, margin)
    assert len(seen) == 4 * (len(work_shares(encoder)) + 1)
    assert seen[-1] == 1
    assert seen[-1] - seen[-2] < seen[0]
    assert blocks.shape == whole.shape == (CONFIG.latent, -(-length // 2), 8, 8)
    np.testing.assert_allclose(blocks.astype(np.float32), whole.astype(np.float32), atol=1e-2)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_default_halo_and_no_smaller_one_keeps_blocks_within_the_tolerance(seed):
    """In a network as deep as the shipped one, whose deep levels count thrice as much as random ones do.

    It reaches farther than the halo, by values that are too small to matter: 0.002 in codes with a standard deviation
    of 0.43. With the trained weights on a scan this is measured by scripts/benchmarks/blocks.py.
    """
    config, tolerance = EncoderConfig(channels=(3, 3, 4, 4, 5), latent=4), 0.002 / 0.43
    assert receptive_radius(config) > inference.HALO_VOXELS
    prepared = prepared_noise((384, 8, 8))
    encoder = fold_normalisation(tiny_encoder(config, seed))
    with torch.no_grad():
        for up in encoder.ups:
            up.reduce.weight.mul_(3)
    whole = encode(prepared, encoder, torch.float32, 2**40).astype(np.float32)

    def difference(**halo) -> float:
        blocks = encode(prepared, encoder, torch.float32, 1, **halo).astype(np.float32)
        return float(np.abs(blocks - whole).max() / whole.std())

    assert difference() <= tolerance
    assert min(difference(halo=voxels) for voxels in (0, 32, 64)) > tolerance


@pytest.mark.parametrize("shape", [(11, 11, 11), (1, 30, 17), (32, 32, 32), (33, 16, 15)])
def test_padding_never_changes_the_number_of_map_voxels(shape):
    features = encode(prepared_noise(shape), build_encoder(tiny_checkpoint()), torch.float32, 2**40)
    assert features.shape == (CONFIG.latent, *(-(-n // 2) for n in shape))
    assert features.flags.c_contiguous


def test_folding_the_normalisations_leaves_the_function_as_it_was():
    x = torch.randn(1, 2, 16, 16, 16, generator=torch.Generator().manual_seed(3))
    encoder = tiny_encoder()
    with torch.inference_mode():
        mean, log_variance = encoder(x)
        folded = fold_normalisation(encoder)
        folded_mean, folded_log_variance = folded(x)
    assert not [m for m in folded.modules() if isinstance(m, torch.nn.BatchNorm3d)]
    torch.testing.assert_close(folded_mean, mean, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(folded_log_variance, log_variance, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("max_bytes", [None, 1])
def test_progress_rises_from_0_to_1(checkpoint, max_bytes):
    seen = []
    embed_tall(checkpoint, max_bytes=max_bytes, progress=lambda *step: seen.append(step))
    fractions = [fraction for _, fraction in seen]
    assert fractions[0] == 0
    assert fractions[-1] == 1
    assert fractions == sorted(fractions)
    assert seen[0][0] == "Preparing the scan"
    assert len([stage for stage, _ in seen if stage == "Embedding"]) > (5 if max_bytes else 0)


@pytest.mark.parametrize("after", range(6))
def test_cancelling_between_any_two_steps_ends_it(checkpoint, after):
    asked = []
    shown = []

    def cancelled():
        asked.append(None)
        return len(asked) > after

    with pytest.raises(Cancelled):
        embed_tall(checkpoint, max_bytes=1, cancelled=cancelled, progress=lambda *step: shown.append(step))
    assert len(asked) == after + 1
    assert len(shown) == after


def test_progress_moves_during_the_one_pass_of_a_scan_and_it_can_be_cancelled_there(checkpoint):
    steps = []
    embed_tall(checkpoint, progress=lambda stage, part: steps.append(part) if stage == "Embedding" else None)
    assert len(set(steps)) >= 8 and steps == sorted(steps)
    during = []

    def cancelled():
        return any(0.4 < part < 0.9 for part in during)

    with pytest.raises(Cancelled):
        embed_tall(checkpoint, cancelled=cancelled, progress=lambda _stage, part: during.append(part))
    assert during[-1] < 0.9


def test_the_shares_of_the_work_are_those_of_a_larger_scan():
    encoder = tiny_encoder()
    counts = []
    hooks = [
        layer.register_forward_hook(lambda one, _in, out: counts.append(one.weight.numel() * out[0, 0].numel()))
        for layer in encoder.modules() if isinstance(layer, torch.nn.Conv3d)
    ]
    side = 3 * encoder.config.total_stride
    with torch.inference_mode():
        encoder(torch.zeros(1, 2, side, side, side))
    for hook in hooks:
        hook.remove()
    assert work_shares(encoder) == pytest.approx(np.cumsum(counts) / sum(counts))
    assert work_shares(encoder)[-1] == 1


def test_an_unknown_device_is_refused(checkpoint):
    with pytest.raises(ValueError, match="expected the device auto, cpu, cuda or mps, got 'tpu'"):
        embed(torso().volume, checkpoint, device="tpu")


def test_a_device_that_this_machine_lacks_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    for name in ("cuda", "mps"):
        with pytest.raises(ValueError, match=f"no usable {name} device; choose auto or cpu"):
            choose_device(name)
    assert choose_device("auto") == choose_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize(("cuda", "mps", "expected"), [(True, True, "cuda"), (False, True, "mps")])
def test_auto_takes_the_fastest_device(monkeypatch, cuda, mps, expected):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert choose_device("auto").type == expected


@pytest.mark.parametrize(("matrix_units", "expected"), [(True, torch.bfloat16), (False, torch.float32)])
def test_half_precision_is_used_only_where_the_processor_has_matrix_units(monkeypatch, matrix_units, expected):
    monkeypatch.setattr(inference, "_has_amx", lambda: matrix_units)
    assert choose_precision(torch.device("cpu")) == expected


def test_the_estimate_grows_with_the_volume_and_not_with_the_precision_saved():
    assert estimate_bytes((10, 20, 30), torch.float32) == 6000 * BYTES_PER_VOXEL[torch.float32]
    assert estimate_bytes((10, 20, 30), torch.bfloat16) < estimate_bytes((10, 20, 30), torch.float32)


def test_a_scan_that_does_not_fit_into_the_memory_is_embedded_in_blocks(checkpoint, monkeypatch):
    lengths = []
    forward = inference._forward

    def watch(encoder, hu, precision):
        lengths.append(len(hu))
        return forward(encoder, hu, precision)

    monkeypatch.setattr(inference, "_forward", watch)
    needed = estimate_bytes((160, 40, 48), choose_precision(torch.device("cpu")))
    monkeypatch.setattr(inference, "free_memory", lambda device: needed / inference.MEMORY_SHARE + 1)
    whole = embed_tall(checkpoint)
    assert lengths == [160]
    monkeypatch.setattr(inference, "free_memory", lambda device: 0)
    blocks = embed_tall(checkpoint)
    assert len(lengths) > 5
    np.testing.assert_allclose(blocks.features_ckji.astype(float), whole.features_ckji.astype(float), atol=0.05)


def test_the_free_memory_of_this_machine_is_known():
    assert 2**20 < free_memory(torch.device("cpu")) < 2**50


@pytest.mark.parametrize("content", [None, "MemTotal: 1 kB\n"])
def test_the_free_memory_is_known_where_linux_does_not_say_it(monkeypatch, content):
    def opened(path):
        if content is None:
            raise FileNotFoundError(path)
        return io.StringIO(content)

    monkeypatch.setattr("builtins.open", opened)
    assert 2**20 < free_memory(torch.device("cpu")) < 2**50


def test_what_is_not_a_ct_is_refused_unless_forced(checkpoint):
    magnetic = dataclasses.replace(torso().volume, modality="MR")
    with pytest.raises(ValueError, match="MR"):
        embed(magnetic, checkpoint, device="cpu")
    assert embed(magnetic, checkpoint, device="cpu", force=True).source["modality"] == "MR"


class Memory:
    """Stands for a device whose memory holds so many planes of a volume."""

    def __init__(self, planes: int, error: Exception):
        self.planes, self.error = planes, error
        self.asked: list[int] = []
        self.forward = inference._forward

    def __call__(self, encoder, hu, precision):
        self.asked.append(len(hu))
        if len(hu) > self.planes:
            raise self.error
        return self.forward(encoder, hu, precision)


def with_halo(voxels: int, monkeypatch) -> None:
    """As if the network reached less far, so that a short scan can be divided."""
    report, _ = inference.encode.__defaults__
    monkeypatch.setattr(inference.encode, "__defaults__", (report, voxels))


OUT_OF_MEMORY = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 MiB"),
    RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
    MemoryError(),
]


@pytest.mark.parametrize("error", OUT_OF_MEMORY, ids=lambda error: type(error).__name__)
def test_when_memory_runs_out_it_goes_on_in_smaller_blocks(checkpoint, monkeypatch, error):
    with_halo(24, monkeypatch)
    memory = Memory(100, error)
    monkeypatch.setattr(inference, "_forward", memory)
    seen = []
    found = embed_tall(checkpoint, progress=lambda *step: seen.append(step))
    failures = [n for n in memory.asked if n > 100]
    assert failures[0] == 160
    assert len([stage for stage, _ in seen if "smaller blocks" in stage]) == len(failures) < 4
    fractions = [fraction for _, fraction in seen]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    # As if it had been known from the beginning how much there is, bit by bit.
    monkeypatch.setattr(inference, "_forward", memory.forward)
    prepared = prepare(torso(TALL).volume, checkpoint.preprocessing, force=True)
    precision = choose_precision(torch.device("cpu"))
    budget = estimate_bytes((max(n for n in memory.asked if n <= 100), 40, 48), precision)
    expected = encode(prepared, build_encoder(checkpoint), precision, budget, halo=24)
    np.testing.assert_array_equal(found.features_ckji, kept_codes(expected, found.body_kji))


@pytest.mark.parametrize("error", OUT_OF_MEMORY, ids=lambda error: type(error).__name__)
def test_when_the_smallest_blocks_do_not_fit_it_is_one_clear_error(checkpoint, monkeypatch, error):
    memory = Memory(0, error)
    monkeypatch.setattr(inference, "_forward", memory)
    with pytest.raises(NotEnoughMemory, match="the memory of this computer does not suffice") as caught:
        embed_tall(checkpoint)
    assert caught.value.device == "cpu"
    assert caught.value.__cause__ is error
    assert len(memory.asked) < 6


def test_when_only_the_model_does_not_fit_it_is_the_same_error(checkpoint, monkeypatch):
    def full(encoder, device):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(inference, "placed", full)
    with pytest.raises(NotEnoughMemory):
        embed_tall(checkpoint)


def test_cancelling_ends_the_attempts_too(checkpoint, monkeypatch):
    memory = Memory(0, MemoryError())
    monkeypatch.setattr(inference, "_forward", memory)
    with_halo(24, monkeypatch)
    with pytest.raises(Cancelled):
        embed_tall(checkpoint, cancelled=lambda: bool(memory.asked))
    assert len(memory.asked) == 1


@pytest.mark.parametrize("kind", ["cuda", "mps", "cpu"])
def test_before_the_next_attempt_the_memory_that_is_kept_for_later_is_given_back(monkeypatch, kind):
    emptied = []
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: emptied.append("cuda"))
    monkeypatch.setattr(torch.mps, "empty_cache", lambda: emptied.append("mps"))
    inference.release_memory(torch.device(kind))
    assert emptied == ([] if kind == "cpu" else [kind])


@pytest.mark.parametrize(("kind", "name"), [("cuda", "NVIDIA X"), ("mps", "Apple GPU"), ("cpu", "CPU")])
def test_a_device_has_a_name_for_people(monkeypatch, kind, name):
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "NVIDIA X")
    assert inference.device_name(torch.device(kind)) == name
