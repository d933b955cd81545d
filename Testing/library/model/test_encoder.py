"""The network's shape, its reach, and its two input windows."""

import json

import pytest
import torch
from anatembed.model.config import EncoderConfig
from anatembed.model.encoder import EmbeddingEncoder, network_input
from hypothesis import given
from hypothesis import strategies as st
from tiny_model import CONFIG, receptive_radius, tiny_encoder

NARROW = [EncoderConfig(channels=(2,) * levels, latent=3) for levels in (2, 3, 4)]


def test_a_configuration_survives_json():
    assert EncoderConfig.from_dict(json.loads(json.dumps(CONFIG.to_dict()))) == CONFIG


@pytest.mark.parametrize("config", NARROW)
@pytest.mark.parametrize("multiples", [(1, 1, 1), (2, 1, 3)])
def test_every_second_voxel_gets_mean_and_log_variance_of_the_latent(config, multiples):
    size = [config.total_stride * multiple for multiple in multiples]
    encoder = tiny_encoder(config)
    mean, log_variance = encoder(torch.zeros(2, 2, *size))
    assert mean.shape == log_variance.shape == (2, 3, *(n // 2 for n in size))


def everything_flows(config: EncoderConfig) -> EmbeddingEncoder:
    """Positive weights and inputs: no ReLU closes, so the gradient shows the whole receptive field."""
    encoder = tiny_encoder(config)
    for module in encoder.modules():
        if isinstance(module, torch.nn.BatchNorm3d):
            module.running_mean.zero_()
    with torch.no_grad():
        for value in encoder.parameters():
            value.abs_()
    return encoder


@pytest.mark.parametrize("config", NARROW[:2])
@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("shift", [0, 1, 2, 3])
def test_nothing_beyond_the_receptive_radius_reaches_an_output_voxel(config, axis, shift):
    size = [config.total_stride] * 3
    size[axis] = 2 * (receptive_radius(config) // config.total_stride + 2) * config.total_stride
    x = torch.ones(1, 2, *size, requires_grad=True)
    mean, _ = everything_flows(config)(x)
    middle = [n // 4 for n in size]
    middle[axis] += shift
    mean[0, :, middle[0], middle[1], middle[2]].sum().backward()
    reached = x.grad[0].abs().amax(dim=[d for d in range(4) if d != axis + 1]).nonzero().flatten()
    before = 2 * middle[axis] - int(reached.min())
    after = int(reached.max()) - (2 * middle[axis] + 1)
    assert 0.4 * receptive_radius(config) < max(before, after) <= receptive_radius(config)


def test_a_network_moves_with_its_input():
    encoder = tiny_encoder()
    x = torch.randn(1, 2, 128, 8, 8, generator=torch.Generator().manual_seed(0))
    step = CONFIG.total_stride
    with torch.inference_mode():
        still, moved = encoder(x)[0], encoder(torch.roll(x, step, dims=2))[0]
    inner = slice(60 // 2, 68 // 2)
    torch.testing.assert_close(
        still[:, :, inner], torch.roll(moved, -step // 2, dims=2)[:, :, inner], atol=1e-5, rtol=1e-4
    )


def test_in_evaluation_mode_one_scan_says_nothing_about_another():
    encoder = tiny_encoder()
    x = torch.randn(3, 2, 8, 8, 8, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        together, alone = encoder(x)[0][1:2], encoder(x[1:2])[0]
    torch.testing.assert_close(together, alone, atol=1e-6, rtol=1e-5)


def test_every_weight_of_the_network_takes_part():
    encoder = EmbeddingEncoder(CONFIG)
    mean, log_variance = encoder(torch.randn(2, 2, 16, 16, 16))
    (mean.square().mean() + log_variance.square().mean()).backward()
    assert [name for name, value in encoder.named_parameters() if value.grad is None] == []


@given(st.floats(-3000, 5000))
def test_the_input_channels_are_the_whole_range_and_a_soft_tissue_window(hu):
    whole, soft = network_input(torch.full((1, 1, 1, 1), hu)).flatten().tolist()
    assert whole == pytest.approx(min(1, max(-1, hu / 1000)), abs=1e-6)
    assert soft == pytest.approx(min(1, max(-1, (hu - 40) / 200)), abs=1e-5)


def test_the_first_convolution_is_centred_between_the_two_voxels_that_it_merges():
    x = torch.ones(1, 2, 16, 16, 16, requires_grad=True)
    everything_flows(CONFIG).stem(x)[0, :, 3, 3, 3].sum().backward()
    reached = x.grad[0].abs().amax(dim=0).nonzero().float()
    assert reached.mean(dim=0).tolist() == [6.5, 6.5, 6.5]
