"""All parts of the evaluation, in the order of the report."""
from __future__ import annotations

import logging
import time
from collections.abc import Callable

from research.evaluation.bench import Bench
from research.evaluation.confidence import confidence
from research.evaluation.erased_border import border
from research.evaluation.extension import extension
from research.evaluation.interpolation import interpolation
from research.evaluation.invariance import invariance
from research.evaluation.landmarks import landmarks
from research.evaluation.laterality import laterality
from research.evaluation.outside import outside
from research.evaluation.repeatability import repeatability
from research.evaluation.section import Section, joined
from research.evaluation.spectrum import spectrum
from research.evaluation.transfer import transfer
from research.evaluation.uniqueness import uniqueness
from research.evaluation.unseen_organs import layout

LOG = logging.getLogger(__name__)
PARTS: tuple[Callable[[Bench], Section | None], ...] = (
    uniqueness,
    interpolation,
    outside,
    repeatability,
    extension,
    landmarks,
    transfer,
    invariance,
    laterality,
    border,
    confidence,
    spectrum,
    layout,
)
"""A part takes a `Bench` whose scans are embedded and whose reports are in, and returns its section, or None where
the model cannot be asked (it lacks a decoder, say): then the report leaves it out."""


def run_parts(bench: Bench, parts=PARTS) -> dict[str, Section]:
    """Sections by name of one model."""
    sections = {}
    for part in parts:
        began = time.perf_counter()
        section = part(bench)
        if section is not None:
            sections[section.name] = section
        LOG.info("%s: %s, %.0f s", bench.name, part.__name__, time.perf_counter() - began)
    return sections


def joined_sections(models: list[dict[str, Section]]) -> list[Section]:
    """One section for all models, in the order of the first one; what only others have comes last."""
    names = list(dict.fromkeys(name for sections in models for name in sections))
    return [joined([sections[name] for sections in models if name in sections]) for name in names]
