"""Which structures have one place in the body, so that a second place for them is only a less likely one."""
from __future__ import annotations

from anatembed.language.vocabulary import Vocabulary

MANY_BY_KIND = frozenset({"lymph", "muscle", "tissue"})
"""Categories of the vocabulary that lie in several pieces, or reach so far that several places are right."""
MANY_WITH_PARTS = frozenset({"colon", "small_bowel"})
"""Loops that a scan cuts into pieces, each with the parts that it has."""
MANY_BY_ID = frozenset({
    "cervical_spine", "costal_cartilages", "intervertebral_disc", "lumbar_spine", "rib_cage", "spinal_canal",
    "spinal_cord", "spine", "thoracic_spine", "vertebra",
})  # fmt: skip
"""Rows of bones or discs, and what runs along them."""
MANY_BY_WORD = frozenset({
    "arteries", "bones", "cartilages", "glands", "muscles", "nodes", "sinuses", "veins", "ventricles", "vessels",
})  # fmt: skip
"""Last words of names that stand for several structures, such as the pulmonary veins."""


def is_single(vocabulary: Vocabulary, concept_id: str) -> bool:
    """Whether a structure has one place; a side-less name of what has two sides has not. ValueError for no known id."""
    term = vocabulary[concept_id]
    many = (
        term.category in MANY_BY_KIND
        or concept_id in MANY_BY_ID
        or MANY_WITH_PARTS & {concept_id, *vocabulary.ancestors(concept_id)}
        or term.preferred.split()[-1] in MANY_BY_WORD
        or vocabulary.sides(concept_id) and term.laterality == "none"
    )
    return not many
