"""Vertebrae and ribs as the network sees them, and as they are counted, one scan a row.

python scripts/benchmarks/levels.py DATA_FOLDER [--maps FOLDER] [-o Resources/Evaluation/level_counts.json]

DATA_FOLDER holds annotations/ and real_ct/. "Identified": the nearest marked vertebra (rib) is the one that was asked
for, and at most 12 mm away. Whatever the answer, its best place is judged; a vertebra for which there is none counts as
not identified. "Counted, coarse" has only the 6 mm HU that every map has, "counted" the HU that a map carries around
the spine. Where the numbering of a scan is certain to one level only, every column takes the one that suits it best,
which `numbering` says.
"""
from __future__ import annotations

import argparse
import json
import logging
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from anatembed.ask.index import QueryIndex
from anatembed.ask.levels.counted_index import CountedIndex
from anatembed.language.vocabulary import Vocabulary
from anatembed.maps.embedding_map import EmbeddingMap
from anatembed.model.checkpoint import Checkpoint, load_checkpoint
from anatembed.output_file import write_text

sys.path.append(str(Path(__file__).resolve().parents[1]))
from research.evaluation.harness import read_annotated  # noqa: E402
from research.evaluation.kept_maps import embed_once  # noqa: E402
from research.evaluation.levels import Answers, ask_levels, level_of  # noqa: E402
from research.evaluation.truth import Case  # noqa: E402
from research.people_split import read_split  # noqa: E402

IDENTIFIED_MM = 12.0
KINDS = ("vertebrae", "ribs")
LOG = logging.getLogger(__name__)


class IndexSystem:
    """The best place of a vertebra or rib in an index, whether or not it counts as found."""

    def __init__(self, index: QueryIndex):
        self._index = index

    def locate(self, concept: str):
        if level_of(concept) is None or concept not in self._index.readout.concept_ids:
            return None
        search = self._index.search(concept, 1)
        return (search.hits[0].position_ras if search.hits else None), search.found, search.presence


def main() -> None:
    options = _options()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    vocabulary, checkpoint = Vocabulary.load(), load_checkpoint()
    rows = []
    for case in read_annotated(options.data, read_split(), vocabulary):
        made = embed_once(case.volume, checkpoint, options.maps)
        rows.append(compare(case, made, checkpoint, vocabulary))
        LOG.info("%s", rows[-1])
    result = {"model": checkpoint.encoder_id, "identified_mm": IDENTIFIED_MM, "scans": rows, "all": summed(rows)}
    sys.stdout.write(markdown(result))
    if options.output:
        write_text(options.output, json.dumps(result, indent=1) + "\n")


def compare(case: Case, made: EmbeddingMap, checkpoint: Checkpoint, vocabulary: Vocabulary) -> dict:
    """One scan by every way of finding levels."""
    readout, model = checkpoint.readout, checkpoint.encoder_id
    counted = CountedIndex(made, readout, model)
    began = time.process_time()
    found = counted.levels
    seconds = time.process_time() - began
    indexes = {
        "network": QueryIndex(made, readout, model),
        "counted, coarse": CountedIndex(replace(made, spine_hu=None), readout, model),
        "counted": counted,
    }
    ways = {}
    for way, index in indexes.items():
        answers = ask_levels(case, IndexSystem(index), vocabulary)
        ways[way] = {kind: figures(answers, kind) for kind in KINDS} | {"numbering": answers.numbering}
    said = {level.words: round(level.probability, 2) for level in found.levels} if found else {}
    return {"scan": case.person, "ways": ways, "anchor": found.anchor if found else "", "levels": said,
            "anomaly": found.anomaly if found else "", "processor_seconds": round(seconds, 2)}  # fmt: skip


def figures(answers: Answers, kind: str) -> dict:
    """How many were asked for and identified, mean error in levels and median distance in mm where there is a place."""
    asked = [one for one in answers.asked if one.group == kind and one.trusted]
    errors = [abs(one.level_error) for one in asked if one.level_error is not None]
    return {
        "asked": len(asked),
        "identified": sum(one.nearest == one.concept and one.mm <= IDENTIFIED_MM for one in asked),
        "level_errors": errors,
        "mm": [round(one.mm, 1) for one in asked if np.isfinite(one.mm)],
    }


def summed(rows: list[dict]) -> dict:
    """Figures over all scans: share identified, mean error in levels, median mm."""
    result: dict[str, dict] = {}
    for way in rows[0]["ways"] if rows else ():
        result[way] = {}
        for kind in KINDS:
            some = [row["ways"][way][kind] for row in rows]
            asked = sum(one["asked"] for one in some)
            errors, mm = ([value for one in some for value in one[key]] for key in ("level_errors", "mm"))
            result[way][kind] = {
                "asked": asked,
                "identified": round(sum(one["identified"] for one in some) / max(asked, 1), 3),
                "mean_level_error": round(float(np.mean(errors)), 2) if errors else None,
                "median_mm": round(float(np.median(mm)), 1) if mm else None,
            }
    return result


def markdown(result: dict) -> str:
    lines = ["| scan | way | vertebrae | mean levels off | median mm | ribs | mean levels off | median mm |",
             "|---|---|---|---|---|---|---|---|"]
    for row in result["scans"]:
        for way, kinds in summed([row]).items():
            lines.append(_line(row["scan"], way, kinds, [row["ways"][way][kind] for kind in KINDS]))
    lines += [_line("all", way, kinds, None) for way, kinds in result["all"].items()]
    return "\n".join(lines) + "\n"


def _line(scan: str, way: str, kinds: dict, counts: list[dict] | None) -> str:
    cells = [scan, way]
    for n, kind in enumerate(KINDS):
        one = kinds[kind]
        share = f"{one['identified']:.2f} of {one['asked']}"
        cells.append(f"{counts[n]['identified']} of {counts[n]['asked']}" if counts else share)
        cells += [str(one["mean_level_error"]), str(one["median_mm"])]
    return "| " + " | ".join(cells) + " |"


def _options() -> argparse.Namespace:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("data", type=Path)
    arguments.add_argument("--maps", type=Path, metavar="FOLDER", help="where embedded scans are kept for the next run")
    arguments.add_argument("-o", "--output", type=Path, metavar="FILE.json")
    return arguments.parse_args()


if __name__ == "__main__":
    main()
