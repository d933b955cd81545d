"""A text encoder that knows one word for each planted concept, and that "wuxtra" is both kidneys."""

import numpy as np
from planted import CONCEPTS, planted_checkpoint

OPEN = {"free_text": {"weights": [0.0, 1.0, 0.0, 0.0], "found": 0.5}}
"""Found where the best place is at least an even chance."""


class Pointing:
    def __init__(self, space_id=None, levels=None):
        self.space_id, self.levels = space_id or planted_checkpoint().readout.space_id, levels or OPEN

    def encode(self, texts):
        """No text is near another one."""
        return np.zeros((len(texts), 4), np.float32)

    def word_groups(self, text):
        return []

    def image_vectors(self, texts, side=None):
        return np.stack([self._vector(text) for text in texts])

    @staticmethod
    def _vector(text):
        vector = np.zeros(len(CONCEPTS) + 1, np.float32)
        if text == "wuxtra":
            vector[[CONCEPTS.index("kidney_left"), CONCEPTS.index("kidney_right")]] = 0.5**0.5
        elif text in CONCEPTS:
            vector[CONCEPTS.index(text)] = 1
        else:
            vector[-1] = -1
        return vector
