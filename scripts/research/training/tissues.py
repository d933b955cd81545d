"""What each structure looks like on CT: HU ranges per tissue and contrast phase, drawn afresh for every image.

Ranges are textbook values widened for differences between people and scanners.
"""
from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from anatembed.language.vocabulary import Vocabulary


@dataclass(frozen=True)
class Tissue:
    """HU of a tissue: unenhanced range, spread of its texture, largest enhancement in arterial and venous phase."""

    low: float
    high: float
    texture: float
    arterial: float = 0.0
    venous: float = 0.0

    @property
    def canonical(self) -> float:
        return (self.low + self.high) / 2


TISSUES = {
    "air": Tissue(-1000, -1000, 0),
    "fat": Tissue(-120, -85, 12),
    "muscle": Tissue(10, 62, 12, 10, 20),
    "bone": Tissue(80, 280, 60),
    "cartilage": Tissue(60, 140, 20),
    "disc": Tissue(60, 110, 15),
    "lung": Tissue(-900, -780, 35),
    "airway": Tissue(-1000, -960, 10),
    "liver": Tissue(35, 70, 8, 20, 60),
    "spleen": Tissue(35, 60, 8, 80, 70),
    "kidney": Tissue(22, 40, 10, 150, 150),
    "gland": Tissue(25, 60, 12, 60, 50),
    "thyroid": Tissue(70, 130, 12, 100, 70),
    "artery": Tissue(30, 50, 8, 330, 110),
    "vein": Tissue(30, 50, 8, 60, 130),
    "heart": Tissue(30, 50, 10, 280, 110),
    "myocardium": Tissue(35, 55, 10, 70, 60),
    "brain": Tissue(20, 42, 5),
    "cord": Tissue(20, 45, 8),
    "eye": Tissue(5, 30, 6),
    "fluid": Tissue(-5, 18, 6),
    "bowel": Tissue(10, 50, 15, 20, 40),
    "soft": Tissue(20, 60, 12, 20, 30),
}

BY_CATEGORY = {
    "muscle": "muscle", "bone": "bone", "spine": "bone", "brain": "brain", "lung": "lung", "gi": "bowel",
    "liver": "liver", "heart": "heart", "gland": "gland", "airway": "airway",
}
BY_NAME = (
    (r"brainstem", "brain"),
    (r"(lateral|third|fourth)_ventricle|brain_ventricles", "fluid"),
    (r"nasal_cavity|(maxillary|frontal|sphenoid|ethmoid|paranasal)_sinus", "airway"),
    (r"tongue|pharynx", "muscle"),
    (r"breast", "fat"),
    (r"spinal", "cord"),
    (r"disc", "disc"),
    (r"cartilage|larynx", "cartilage"),
    (r"_vein|vena|portal", "vein"),
    (r"arter|aort|trunk|carotid|subclavian", "artery"),
    (r"esophagus|prostate|uterus|ovary|adrenal|pancreas|parotid|submandibular|thymus", "gland"),
    (r"thyroid", "thyroid"),
    (r"gallbladder|bladder|renal_pelvis|ureter", "fluid"),
    (r"kidney", "kidney"),
    (r"spleen", "spleen"),
    (r"myocardium", "myocardium"),
    (r"eye|orbit", "eye"),
    (r"carina", "airway"),
    (r"sternal_notch", "fat"),
    (r"pubic_symphysis", "cartilage"),
)
NAMES = tuple(TISSUES)


def tissue_of(concept: str, vocabulary: Vocabulary) -> str:
    """Name of the tissue of a concept."""
    for pattern, tissue in BY_NAME:
        if re.search(pattern, concept):
            return tissue
    return BY_CATEGORY.get(vocabulary[concept].category, "soft")


def unsided(concept: str) -> str:
    """The concept without its side: both sides are drawn alike, so that brightness never tells left from right."""
    return re.sub(r"_(left|right)", "", concept)


def draw_phase(random: np.random.Generator) -> tuple[float, float]:
    """Share of the arterial and of the venous enhancement: no contrast, arterial, venous or in between."""
    kind = random.choice(4, p=(0.35, 0.2, 0.35, 0.1))
    arterial = (0.0, random.uniform(0.4, 1), random.uniform(0, 0.35), random.uniform(0.2, 0.8))[kind]
    venous = (0.0, random.uniform(0, 0.3), random.uniform(0.4, 1), random.uniform(0.2, 0.8))[kind]
    return float(arterial), float(venous)


def draw_means(
    concepts: list[str], tissues: list[str], random: np.random.Generator, freely: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and texture HU (n,) for labels with these concepts and tissues; `freely` ignores what CT looks like."""
    arterial, venous = draw_phase(random)
    of_tissue = {name: random.uniform(t.low, t.high) for name, t in TISSUES.items()}
    if freely:
        of_tissue = {name: v if name in ("air", "lung") else random.uniform(-200, 500) for name, v in of_tissue.items()}
    jitter: dict[str, float] = {}
    means, textures = [], []
    for concept, name in zip(concepts, tissues, strict=True):
        tissue = TISSUES[name]
        own = jitter.setdefault(unsided(concept), random.normal(0, 0.12 * (tissue.high - tissue.low) + 2))
        means.append(of_tissue[name] + own + arterial * tissue.arterial + venous * tissue.venous)
        textures.append(tissue.texture * random.uniform(0.5, 1.6))
    return np.array(means, np.float32), np.array(textures, np.float32)
