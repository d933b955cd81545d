"""A text encoder of a few rows, and a teacher of nonsense: quick, no download, the same in every run."""

import zlib

import numpy as np
from anatembed.language.text_encoder import TextEncoder
from anatembed.language.word_pieces import WordPieces

PIECES = ("[UNK]", *"abcdefghijklmnopqrstuvwxyz", *(f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"), "kidney",
          "liver", "spleen", "##s", "肾")  # fmt: skip
SPACE_ID = "cdcdcdcdcdcd"
BUCKETS = 512


def little_encoder(image_size: int = 5, space_id: str = SPACE_ID, levels=None, seed: int = 0) -> TextEncoder:
    """Random weights; 6 + 6 features, vectors of 8 numbers."""
    random = np.random.default_rng(seed)
    rows = {"piece": len(PIECES), "group": BUCKETS}
    shapes = {"hidden": (7, 12), "output": (8, 19), "image_hidden": (9, 11), "image_output": (image_size, 9)}
    weights = {f"{name}_weight": random.normal(size=shape).astype(np.float16) for name, shape in shapes.items()}
    weights |= {f"{name}_bias": random.normal(size=shape[0]).astype(np.float16) for name, shape in shapes.items()}
    return TextEncoder(
        WordPieces(PIECES),
        {name: random.integers(-127, 128, (count, 6)).astype(np.int8) for name, count in rows.items()},
        {name: random.uniform(0.001, 0.01, count).astype(np.float32) for name, count in rows.items()},
        {name: value.astype(np.float32) for name, value in weights.items()},
        space_id, levels or {}, {"licence": "Apache-2.0"},
    )  # fmt: skip


class LittleTeacher:
    """Vectors that depend on the words of a text and nothing else."""

    def pieces(self) -> list[str]:
        return list(PIECES)

    def tokenize(self, text: str) -> list[str]:
        pieces = WordPieces(PIECES)
        return [PIECES[number] for number in pieces.split(text)]

    def piece_vectors(self, pieces: list[str]) -> np.ndarray:
        return np.array([_vector(piece) for piece in pieces], np.float32)

    def embed(self, texts: list[str]) -> np.ndarray:
        sums = np.array([sum((_vector(word) for word in text.split()), np.zeros(16)) for text in texts])
        return (sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-9)).astype(np.float32)


def _vector(word: str) -> np.ndarray:
    return np.random.default_rng(zlib.crc32(word.encode())).normal(size=16)
