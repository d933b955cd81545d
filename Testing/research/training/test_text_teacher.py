"""The teacher's interface, with a `transformers` model of a few numbers where that package is installed."""

import numpy as np
import pytest
from anatembed.language.word_pieces import WordPieces
from little_text import PIECES, LittleTeacher
from research.training.text_teacher import Remembering, TransformerTeacher, check_pieces, principal_vectors


def test_a_difference_in_word_pieces_is_noticed():
    check_pieces(LittleTeacher(), WordPieces(PIECES), ["kidneys", "spleen 12"])
    with pytest.raises(ValueError, match="word pieces"):
        check_pieces(LittleTeacher(), WordPieces(["[UNK]", "a"]), ["abcd"])


def test_a_text_is_embedded_once():
    class Counting(LittleTeacher):
        asked = 0

        def embed(self, texts):
            self.asked += len(texts)
            return super().embed(texts)

    counting = Counting()
    teacher = Remembering(counting)
    first = teacher.embed(["liver", "spleen", "liver"])
    again = teacher.embed(["spleen", "kidney"])
    assert counting.asked == 3
    assert np.array_equal(first[1], again[0])
    assert np.array_equal(first[0], first[2])


def test_principal_vectors_keep_the_directions_in_which_most_varies():
    random = np.random.default_rng(0)
    given = random.normal(size=(500, 3)) * [10, 1, 0.01] + 5
    kept = principal_vectors(given, 2)
    assert kept.shape == (500, 2)
    assert np.square(kept).sum(axis=1).mean() == pytest.approx(1, rel=1e-4)
    assert abs(np.corrcoef(kept[:, 0], given[:, 0])[0, 1]) > 0.999


def test_a_transformers_model_is_read_from_a_folder(tmp_path):
    transformers = pytest.importorskip("transformers")
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "!", "kidney", "##s", "liver", "肾", "é"]
    (tmp_path / "vocab.txt").write_text("\n".join(pieces), encoding="utf-8")
    transformers.BertTokenizer(str(tmp_path / "vocab.txt")).save_pretrained(tmp_path)
    config = transformers.BertConfig(
        vocab_size=len(pieces), hidden_size=12, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16
    )
    transformers.BertModel(config).save_pretrained(tmp_path)
    teacher = TransformerTeacher(str(tmp_path))
    assert teacher.pieces() == ["[UNK]", "kidney", "##s", "liver", "肾"]
    check_pieces(teacher, WordPieces(teacher.pieces()), ["kidneys", "liver 肾", "spleen"])
    vectors = teacher.embed(["kidney", "kidneys liver"])
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert np.allclose(teacher.embed(["kidney"])[0], vectors[0], atol=1e-5)
    assert teacher.piece_vectors(["kidney", "##s"]).shape == (2, 12)
