"""The networks that read text, their loss terms, and the same text read by NumPy."""

import numpy as np
import pytest
import torch
from anatembed.language.word_pieces import WordPieces
from little_text import PIECES
from research.training.text_tower import (
    Bag,
    Student,
    TowerConfig,
    group_contrast,
    one_hot_sides,
    quantised,
    rounded,
    stranger_loss,
    word_contrast,
)

CONFIG = TowerConfig(piece_width=6, group_width=6, buckets=256, hidden=7, size=8, image_hidden=9)
TEXTS = ["kidney", "liver spleen", "肾", "unheard 12"]


@pytest.fixture
def student():
    torch.manual_seed(0)
    student = Student(WordPieces(PIECES), np.random.default_rng(0).normal(size=(len(PIECES), 6)), 5, CONFIG).eval()
    torch.nn.init.normal_(student.group)
    return student


def test_a_bag_sums_the_weighted_rows_of_every_text():
    table = torch.arange(8.0).reshape(4, 2)
    sums = Bag([([0, 3], [1.0, 2.0]), ([], []), ([1], [0.5])]).sum(table)
    assert sums.tolist() == [[12.0, 15.0], [0.0, 0.0], [1.0, 1.5]]


def test_vectors_have_unit_length(student):
    vectors = student.encode(student.features(student.read(TEXTS)))
    images = student.image_vectors(vectors, one_hot_sides([None, "left", "right", None]))
    assert vectors.norm(dim=1).tolist() == pytest.approx([1.0] * 4, abs=1e-5)
    assert images.shape == (4, 5)
    assert images.norm(dim=1).tolist() == pytest.approx([1.0] * 4, abs=1e-5)


def test_dropout_hides_pieces_or_letters_but_never_both(student):
    torch.manual_seed(1)
    features = student.features(student.read(["kidney"] * 200), dropout=0.6)
    pieces, groups = (features[:, part].abs().sum(dim=1) > 0 for part in (slice(0, 6), slice(6, 12)))
    assert (pieces | groups).all()
    assert 20 < (~pieces).sum() < 180
    assert 5 < (~groups).sum() < 100


def test_the_right_name_costs_less_than_a_wrong_one():
    classes = torch.eye(3)
    right = word_contrast(classes, classes, torch.tensor([0, 1, 2]), 0.1)
    wrong = word_contrast(classes, classes, torch.tensor([1, 2, 0]), 0.1)
    assert right < 0.01 < 5 < wrong


def test_names_of_one_structure_are_drawn_together():
    anchors = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]], requires_grad=True)
    group_contrast(anchors, torch.tensor([0, 0, 1]), 0.5).backward()
    assert (anchors.grad[0] @ anchors[1] < 0).item()


def test_names_without_another_name_cost_nothing():
    assert group_contrast(torch.eye(3), torch.arange(3), 0.1).item() == 0


def test_only_strangers_beyond_the_level_cost_anything():
    classes = torch.eye(4)
    near, far = stranger_loss(classes[:1], classes, 0.35, 0.02), stranger_loss(-classes[:1], classes, 0.35, 0.02)
    assert near > 10 > 0.01 > far


def test_quantised_rows_are_within_half_a_step_and_empty_ones_stay_empty():
    table = np.random.default_rng(0).normal(size=(5, 7)).astype(np.float32)
    table[2] = 0
    whole, scales = quantised(table)
    assert whole.dtype == np.int8
    assert np.abs(whole * scales[:, None] - table).max() <= 0.5 * scales.max() + 1e-6
    assert not rounded(table)[2].any()
