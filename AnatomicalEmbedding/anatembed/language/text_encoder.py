"""The small text encoder that ships: short texts as vectors, and as vectors in the language space of the voxels.

A text is the weighted sum of vectors of its word pieces, distilled from a large text model, and of its letter groups,
which carry other languages and misspellings; a small network follows. NumPy only.
"""
from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from anatembed.language.text_features import letter_groups, word_groups
from anatembed.language.word_pieces import WordPieces, words_of
from anatembed.npz_file import UNREADABLE, content_sha256
from anatembed.output_file import replacing
from anatembed.shipped_file import shipped_file

FORMAT = "anatembed-text-encoder/1"
DEFAULT_PATH = shipped_file("text_encoder.npz")
SIDES = (None, "left", "right")
TABLES = ("piece", "group")
LAYERS = ("hidden", "output", "image_hidden", "image_output")
WEIGHTS = tuple(f"{layer}_{part}" for layer in LAYERS for part in ("weight", "bias"))
LEAST_LENGTH = 1e-9


@dataclass(frozen=True)
class TextEncoder:
    """tables: int8 (rows,F) and float32 scales (rows,) of pieces and letter groups; weights: of the small network.

    space_id: the language space of the image model that `image_vectors` lie in (`Readout.space_id`). levels:
    calibrated, see `Suggestions` and `FreeText`.
    provenance: training figures, licence and source of the distilled weights.
    """

    pieces: WordPieces
    tables: dict[str, np.ndarray]
    scales: dict[str, np.ndarray]
    weights: dict[str, np.ndarray]
    space_id: str
    levels: dict
    provenance: dict
    sha256: str = ""

    def encode(self, texts: list[str]) -> np.ndarray:
        """float32 (N,D), rows of unit length, for side-less texts (`side_less`); a text without letters gives 0."""
        width = sum(self.tables[name].shape[1] for name in TABLES)
        features = np.array([self._features(text) for text in texts], np.float32).reshape(len(texts), width)
        hidden = np.maximum(features @ self.weights["hidden_weight"].T + self.weights["hidden_bias"], 0)
        vectors = np.concatenate([features, hidden], axis=1) @ self.weights["output_weight"].T
        vectors = vectors + self.weights["output_bias"]
        vectors[[not text.strip() for text in texts]] = 0
        return _unit(vectors)

    def word_groups(self, text: str) -> list[tuple[int, ...]]:
        """Rows of the letter groups of every word of a side-less text."""
        return [word_groups(word, len(self.tables["group"])) for word in words_of(text)]

    def image_vectors(self, texts: list[str], side: str | None = None) -> np.ndarray:
        """float32 (N,E), rows of unit length in the language space `space_id` of the voxels, for side-less texts;
        `side`: "left", "right" of the patient, or None where none is named."""
        if side not in SIDES:
            raise ValueError(f"expected left, right or None as side, got {side!r}")
        chosen = np.zeros((len(texts), len(SIDES)), np.float32)
        chosen[:, SIDES.index(side)] = 1
        given = np.concatenate([self.encode(texts), chosen], axis=1)
        hidden = np.maximum(given @ self.weights["image_hidden_weight"].T + self.weights["image_hidden_bias"], 0)
        return _unit(hidden @ self.weights["image_output_weight"].T + self.weights["image_output_bias"])

    def _features(self, text: str) -> np.ndarray:
        """Float32 (F of both tables): summed vectors of pieces and of letter groups."""
        numbers = self.pieces.split(text)
        groups, weights = letter_groups(text, len(self.tables["group"]))
        equal = [max(len(numbers), 1) ** -0.5] * len(numbers)
        return np.concatenate([self._sum("piece", numbers, equal), self._sum("group", groups, weights)])

    def _sum(self, table: str, rows: list[int], weights: list[float]) -> np.ndarray:
        factors = np.asarray(weights, np.float32) * self.scales[table][rows]
        return factors @ self.tables[table][rows].astype(np.float32)

    def save(self, path: Path | str) -> str:
        """Write as .npz; returns the SHA-256 of the content, which is stored in the file."""
        arrays: dict[str, Any] = {f"table/{name}": self.tables[name] for name in TABLES}
        arrays |= {f"scale/{name}": self.scales[name].astype(np.float32) for name in TABLES}
        arrays |= {f"weight/{name}": self.weights[name].astype(np.float16) for name in WEIGHTS}
        meta = json.dumps({"format": FORMAT, "space_id": self.space_id, "levels": self.levels,
                           "provenance": self.provenance})
        arrays["pieces"] = np.frombuffer("\n".join(self.pieces.pieces).encode(), np.uint8)
        digest = content_sha256(arrays, meta)
        with replacing(path) as temporary:
            np.savez_compressed(temporary, meta=np.array(meta), sha256=np.array(digest), **arrays)
        return digest

    @classmethod
    def load(cls, path: Path | str | None = None) -> TextEncoder:
        """The encoder of a file (the shipped one without `path`, which is read once).

        FileNotFoundError if there is none; ValueError if it is not a text encoder, of another version, or damaged.
        """
        return cls._read(Path(path)) if path else _shipped()

    @classmethod
    def _read(cls, path: Path) -> TextEncoder:
        if not path.is_file():
            raise FileNotFoundError(f"expected a text encoder at {path}, found none")
        try:
            with np.load(path, allow_pickle=False) as file:
                content = {name: file[name] for name in file.files}
            meta_text, expected = str(content.pop("meta")), str(content.pop("sha256"))
            meta = json.loads(meta_text)
            found = meta.get("format")
        except UNREADABLE as cause:
            raise ValueError(f"expected a text encoder of this software, but {path.name} is damaged or something else: "
                             f"{cause}") from cause
        if found != FORMAT:
            raise ValueError(f"expected a text encoder of format {FORMAT}, {path.name} has {found!r}")
        actual = content_sha256(content, meta_text)
        if actual != expected:
            raise ValueError(f"{path.name} is damaged: expected SHA-256 {expected[:12]}..., got {actual[:12]}...")
        return cls(
            pieces=WordPieces(content["pieces"].tobytes().decode().split("\n")),
            tables={name: content[f"table/{name}"] for name in TABLES},
            scales={name: content[f"scale/{name}"] for name in TABLES},
            weights={name: content[f"weight/{name}"].astype(np.float32) for name in WEIGHTS},
            space_id=meta["space_id"], levels=meta["levels"], provenance=meta["provenance"], sha256=expected,
        )  # fmt: skip


def _unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), LEAST_LENGTH)).astype(np.float32)


@cache
def _shipped() -> TextEncoder:
    return TextEncoder._read(DEFAULT_PATH)
