"""From prepared people and a teacher to a text encoder with calibrated levels and figures."""
from __future__ import annotations

import logging
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from anatembed.language.query.suggestions import Suggestions
from anatembed.language.query_words import load_query_words
from anatembed.language.side_less import side_less
from anatembed.language.text_encoder import TextEncoder
from anatembed.language.vocabulary import Vocabulary
from anatembed.language.vocabulary_phrases import Phrase, phrases_of
from anatembed.language.word_pieces import WordPieces
from anatembed.model.checkpoint import Checkpoint

from research.training.text_calibration import (
    NAMES,
    UNKNOWN,
    Rows,
    fit_free_text,
    fit_suggestions,
    free_text_rows,
    joined,
    suggestion_rows,
)
from research.training.text_folds import Fold, by_language, fold, ranks, spelling
from research.training.text_teacher import Remembering, Teacher, check_pieces, principal_vectors
from research.training.text_training import Material, TextConfig, TextTrainer
from research.training.text_words import Words, translated
from research.training.voxel_sample import View, VoxelSample

LOG = logging.getLogger(__name__)
GENERAL_TEXTS, GENERAL_WORDS = 3000, slice(2000, 22000)
"""Random texts of common words (pieces are sorted by how common they are) on which the student follows the teacher."""
ASKED = ("preferred", "exact", "latin", "lay")
NAMES_IN_A_VIEW, STRANGERS_IN_A_VIEW = 20, 8
SHARED_LETTERS = 5
"""A guard word that begins like a name with this many letters may be a form of it, and is no stranger."""


@dataclass(frozen=True)
class Limits:
    """What the levels must hold to, see `fit_suggestions` and `fit_free_text`."""

    most_sure: float
    most_needless: float
    least_right: float
    most_wrong: float

    def fit(self, named: dict[str, Rows], free: dict[str, Rows]) -> tuple[dict, dict]:
        """Levels and their figures."""
        suggestions, suggestion_figures = fit_suggestions(named, self.most_sure, self.most_needless)
        free_text, free_figures = fit_free_text(free, self.least_right, self.most_wrong)
        return (
            {"suggestions": suggestions, "free_text": free_text},
            {"suggestions": suggestion_figures, "free_text": free_figures},
        )


@dataclass
class TextRun:
    """Trains text encoders with and without withheld names on the same voxels."""

    checkpoint: Checkpoint
    vocabulary: Vocabulary
    teacher: Teacher
    voxels: VoxelSample
    views: Sequence[View]
    strangers: dict[str, list[str]]
    guard_words: Sequence[str]
    config: TextConfig
    words: Words = field(default_factory=dict)
    seed: int = 0

    def __post_init__(self):
        self.tables, self.remembering = load_query_words(), Remembering(self.teacher)
        self.phrases = phrases_of(self.vocabulary, self.tables)
        self.pieces = WordPieces(self.teacher.pieces())
        check_pieces(self.teacher, self.pieces, [phrase.text for phrase in self.phrases])
        # Pieces are sorted by how common they are: the rarer, the more a piece says (as in model2vec).
        rarity = np.log(2 + np.arange(len(self.pieces)))
        vectors = principal_vectors(self.teacher.piece_vectors(list(self.pieces.pieces)), self.config.tower.piece_width)
        self.piece_vectors = (vectors * (rarity / rarity.mean())[:, None]).astype(np.float32)
        self.learning_strangers, self.judging_strangers = self._divide_strangers()

    def _divide_strangers(self) -> tuple[list[str], dict[str, list[str]]]:
        """Texts that name no structure: to learn on, and by kind to be calibrated on."""
        known = {word for phrase in self.phrases for word in phrase.text.split()}
        starts = {word[:SHARED_LETTERS] for word in known}
        kinds = self.strangers | {"guard words": [w for w in self.guard_words if w[:SHARED_LETTERS] not in starts]}
        learnt, judged = [], {}
        for kind, texts in kinds.items():
            plain = [words for text in texts if (words := side_less(text, self.tables)[0])]
            # A text with a word of a name is answered by rules; the encoder is asked about the others.
            plain = [text for text in plain if not any(len(w) > 3 and w in known for w in text.split())]
            odd = [zlib.crc32(text.encode()) % 2 == 1 for text in plain]
            learnt += [text for text, one in zip(plain, odd, strict=True) if one]
            judged[kind] = [text for text, one in zip(plain, odd, strict=True) if not one]
        return learnt + self._general(known)[::2], judged

    def _general(self, known: set[str]) -> list[str]:
        random = np.random.default_rng(self.seed)
        words = [p for p in self.pieces.pieces[GENERAL_WORDS] if p.isalpha() and len(p) > 3 and p not in known]
        words = words or [piece for piece in self.pieces.pieces if piece.isalpha()]
        return [" ".join(random.choice(words, random.integers(1, 4))) for _ in range(GENERAL_TEXTS)]

    def train(self, phrases: list[Phrase], withheld: Sequence[Phrase] = ()) -> TextTrainer:
        """A trained text encoder that knows only these phrases, and words of other languages, but nothing withheld."""
        known = {word for phrase in self.phrases for word in phrase.text.split()}
        left_out = {phrase.text for phrase in withheld} | {phrase.text for phrase in phrases}
        phrases = phrases + translated(phrases, self.words, left_out, self.seed)
        material = Material(phrases, self.learning_strangers, self._general(known), self.voxels)
        trainer = TextTrainer(material, self.vocabulary, self.checkpoint, self.remembering, self.piece_vectors,
                              self.pieces, self.config)
        LOG.info("%d phrases of %d structures", len(phrases), len(trainer.families))
        trainer.run()
        return trainer

    def fold(self, number: int, folds: int, by: str) -> tuple[TextTrainer, Fold]:
        """Training with the names and structures of a fold withheld."""
        withheld = fold(self.phrases, number, folds, by)
        return self.train(withheld.known, withheld.names + withheld.unknown), withheld

    def rankings(self, trainer: TextTrainer, withheld: Fold) -> dict[str, dict]:
        """How often four systems have the structure of a withheld name first and among the first five, by language."""
        known, asked = ([phrase.text for phrase in part] for part in (withheld.known, withheld.names))
        encoder = trainer.encoder({}, {})
        plain = self.remembering.embed(known), self.remembering.embed(asked)
        similar = {
            "shipped encoder": encoder.encode(asked) @ encoder.encode(known).T,
            "teacher with projection": trainer.taught_vectors(plain[1]) @ trainer.taught_vectors(plain[0]).T,
            "teacher as it is": plain[1] @ plain[0].T,
            "spelling (rapidfuzz)": spelling(asked, known),
        }
        families, wanted = ([phrase.family for phrase in part] for part in (withheld.known, withheld.names))
        return {name: by_language(ranks(one, families, wanted), withheld.names) for name, one in similar.items()}

    def suggestion_rows(self, encoder: TextEncoder, withheld: Fold) -> dict[str, Rows]:
        """Evidence for withheld names, unknown structures, and every kind of strangers."""
        suggestions = Suggestions(self.vocabulary, encoder, withheld.known)
        unknown = [phrase.text for phrase in withheld.unknown]
        kinds = {UNKNOWN: unknown} | self.judging_strangers
        rows = {kind: suggestion_rows(suggestions, [], texts) for kind, texts in kinds.items() if texts}
        return rows | {NAMES: suggestion_rows(suggestions, withheld.names, [])}

    def free_text_rows(self, encoder: TextEncoder, withheld: Fold) -> dict[str, Rows]:
        """Evidence in whole views for unheard names of known structures, unknown structures, and strangers."""
        asked = {
            kind: [phrase for phrase in phrases if phrase.lang in ("en", "la") and phrase.kind in ASKED]
            for kind, phrases in ((NAMES, withheld.names), (UNKNOWN, withheld.unknown))
        }
        strangers = [text for texts in self.judging_strangers.values() for text in texts[:STRANGERS_IN_A_VIEW]]
        return free_text_rows(self.views, self.checkpoint, encoder, asked, strangers, NAMES_IN_A_VIEW)

    def levels(self, folds: int, used: int, limits: Limits) -> tuple[dict, dict]:
        """Levels calibrated on the first `used` of `folds`, and their figures."""
        named, free = [], []
        for number in range(used):
            trainer, withheld = self.fold(number, folds, "names")
            encoder = trainer.encoder({}, {})
            named.append(self.suggestion_rows(encoder, withheld))
            free.append(self.free_text_rows(encoder, withheld))
        return limits.fit(_joined_kinds(named), _joined_kinds(free))


def _joined_kinds(folds: list[dict[str, Rows]]) -> dict[str, Rows]:
    kinds = dict.fromkeys(kind for one in folds for kind in one)
    return {kind: joined(one[kind] for one in folds if kind in one) for kind in kinds}
