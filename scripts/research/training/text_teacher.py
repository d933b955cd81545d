"""The large text model that the small one learns from; the only place that needs `transformers`."""
from __future__ import annotations

import re
from typing import Protocol

import numpy as np
import torch
from anatembed.language.word_pieces import UNKNOWN, WordPieces, is_ideograph

BATCH = 256
_READABLE = re.compile(r"(?:##)?[0-9a-z]+")


class Teacher(Protocol):
    """Whatever turns texts into vectors and has word pieces."""

    def embed(self, texts: list[str]) -> np.ndarray:
        """float32 (N,T), rows of unit length."""

    def pieces(self) -> list[str]:
        """Every word piece that a normalised text can be split into, [UNK] first."""

    def piece_vectors(self, pieces: list[str]) -> np.ndarray:
        """float32 (P,T): what each piece means by itself."""

    def tokenize(self, text: str) -> list[str]:
        """The pieces of a text."""


class TransformerTeacher:
    """A `transformers` encoder by name or folder: mean of the last states, unit length."""

    def __init__(self, name_or_path: str):
        from transformers import AutoModel, AutoTokenizer  # only training reads text with it

        self._tokenizer = AutoTokenizer.from_pretrained(name_or_path)
        self._model = AutoModel.from_pretrained(name_or_path).eval()

    @torch.inference_mode()
    def embed(self, texts: list[str]) -> np.ndarray:
        rows = []
        for start in range(0, len(texts), BATCH):
            given = self._tokenizer(texts[start : start + BATCH], padding=True, truncation=True, max_length=64,
                                    return_tensors="pt")
            states = self._model(**given).last_hidden_state
            mask = given["attention_mask"][..., None].float()
            rows.append((states * mask).sum(1) / mask.sum(1))
        return torch.nn.functional.normalize(torch.cat(rows), dim=1).numpy()

    def pieces(self) -> list[str]:
        numbers = self._tokenizer.get_vocab()
        known = sorted(numbers, key=numbers.get)
        return [UNKNOWN] + [piece for piece in known if _READABLE.fullmatch(piece) or is_ideograph(piece[-1])]

    @torch.inference_mode()
    def piece_vectors(self, pieces: list[str]) -> np.ndarray:
        ids = self._tokenizer.convert_tokens_to_ids(pieces)
        start, end = self._tokenizer.cls_token_id, self._tokenizer.sep_token_id
        rows = []
        for first in range(0, len(ids), BATCH):
            given = torch.tensor([[start, one, end] for one in ids[first : first + BATCH]])
            rows.append(self._model(input_ids=given).last_hidden_state.mean(1))
        return torch.cat(rows).numpy()

    def tokenize(self, text: str) -> list[str]:
        return self._tokenizer.tokenize(text)


class Remembering:
    """A teacher that is asked for every text only once."""

    def __init__(self, teacher: Teacher):
        self._teacher, self._known = teacher, {}

    def embed(self, texts: list[str]) -> np.ndarray:
        """float32 (N,T), rows of unit length."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        self._known |= zip(new, self._teacher.embed(new), strict=True) if new else ()
        return np.stack([self._known[text] for text in texts])


def check_pieces(teacher: Teacher, pieces: WordPieces, texts: list[str]) -> None:
    """ValueError if our own splitting of a text differs from the teacher's."""
    for text in texts:
        ours, theirs = [pieces.pieces[number] for number in pieces.split(text)], teacher.tokenize(text)
        if ours != theirs:
            raise ValueError(f"expected the word pieces {theirs} of {text!r}, got {ours}")


def principal_vectors(vectors: np.ndarray, size: int) -> np.ndarray:
    """The `size` principal components (P,size) of vectors (P,T), as large as 1 on average, as model2vec does."""
    centred = vectors - vectors.mean(axis=0)
    values, axes = np.linalg.eigh(centred.T @ centred / len(centred))
    kept = centred @ axes[:, np.argsort(values)[::-1][:size]]
    return (kept / np.sqrt((kept**2).sum(axis=1).mean())).astype(np.float32)
