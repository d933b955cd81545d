"""The encoder at sampled voxels gives what it gives everywhere, and learns the same statistics."""

import pytest
import torch
from anatembed.model.config import EncoderConfig
from anatembed.model.encoder import EmbeddingEncoder
from research.training.sampled_codes import neighbourhoods, sampled_posterior
from torch.nn import functional

SHAPE = (32, 16, 24)


@pytest.fixture
def encoder():
    torch.manual_seed(0)
    return EmbeddingEncoder(EncoderConfig(channels=(5, 6, 8), latent=4))


def inputs(count=2):
    return torch.randn(count, 2, *SHAPE, generator=torch.Generator().manual_seed(1))


def everywhere(count=2):
    return [torch.arange(SHAPE[0] * SHAPE[1] * SHAPE[2] // 8)] * count


def test_at_every_voxel_it_is_the_encoder_itself(encoder):
    encoder.eval()
    mean, log_variance = sampled_posterior(encoder, inputs(), everywhere(), torch.Generator())
    for sampled, whole in zip((mean, log_variance), encoder(inputs()), strict=True):
        expected = whole.permute(0, 2, 3, 4, 1).reshape(-1, 4)
        torch.testing.assert_close(sampled, expected, atol=1e-5, rtol=1e-5)


def test_rows_come_in_the_order_of_the_crops(encoder):
    encoder.eval()
    rows = [torch.tensor([7, 3]), torch.tensor([11])]
    mean, _ = sampled_posterior(encoder, inputs(), rows, torch.Generator())
    whole, _ = encoder(inputs())
    expected = torch.stack([whole[n].reshape(4, -1)[:, at] for n, at in ((0, 7), (0, 3), (1, 11))])
    torch.testing.assert_close(mean, expected, atol=1e-5, rtol=1e-5)


def test_beyond_the_border_there_is_nothing():
    fine, coarse = torch.ones(1, 3, 4, 4, 4), torch.zeros(1, 3, 2, 2, 2)
    sums = neighbourhoods(fine, coarse, torch.tensor([0, 21])).reshape(2, 27, 3)[..., 0].sum(dim=1)
    assert sums.tolist() == [8, 27]


def test_training_moves_the_running_statistics_as_the_whole_grid_would(encoder):
    whole = EmbeddingEncoder(encoder.config)
    whole.load_state_dict(encoder.state_dict())
    encoder.train(), whole.train()
    with torch.no_grad():
        whole(inputs(4))
        sampled_posterior(encoder, inputs(4), [torch.tensor([0])] * 4, torch.Generator().manual_seed(2))
    ours, theirs = encoder.ups[0].norm, whole.ups[0].norm
    torch.testing.assert_close(ours.running_mean, theirs.running_mean, atol=0.02, rtol=0.1)
    torch.testing.assert_close(ours.running_var, theirs.running_var, atol=0.02, rtol=0.1)
    assert ours.num_batches_tracked == 1


def test_gradients_are_those_of_the_encoder_itself(encoder):
    encoder.eval()
    rows = [torch.tensor([5, 5, 190])]
    sampled_posterior(encoder, inputs(1), rows, torch.Generator())[0].square().sum().backward()
    ours = {name: p.grad.clone() for name, p in encoder.named_parameters() if p.grad is not None}
    encoder.zero_grad()
    encoder(inputs(1))[0][0].reshape(4, -1).T[rows[0]].square().sum().backward()
    for name, parameter in encoder.named_parameters():
        if parameter.grad is not None:
            torch.testing.assert_close(ours[name], parameter.grad, atol=1e-5, rtol=1e-4)


def test_half_precision_is_allowed_where_a_machine_has_it(encoder):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mean, _ = sampled_posterior(encoder.train(), inputs(), everywhere(), torch.Generator())
    assert torch.isfinite(functional.normalize(mean.float(), dim=1)).all()
