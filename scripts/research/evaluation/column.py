"""What the scripts share that ask one model and write a column of a table: options, embedded scans, what they found."""
from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from anatembed.ask.explorer import Explorer
from anatembed.language.vocabulary import Vocabulary
from anatembed.model.checkpoint import load_checkpoint
from anatembed.scan.volume import Volume

from research.evaluation.kept_maps import embed_once
from research.evaluation.section import Section
from research.evaluation.tables import section_markdown, write_column


def column_options(description: str, arguments: list[str] | None = None) -> argparse.Namespace:
    """Of `DATA_FOLDER [--maps FOLDER] [--model FILE] [--name NAME] [-o FILE.json]`: data, maps, model, name, output."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--maps", type=Path, metavar="FOLDER", help="where embedded scans are kept for the next run")
    parser.add_argument("--model", type=Path, help="checkpoint; the shipped one by default")
    parser.add_argument("--name", default="embedding", help="what this model is called in the table")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE.json")
    return parser.parse_args(arguments)


class Column:
    """One model that is asked, and its column."""

    def __init__(self, options: argparse.Namespace):
        logging.basicConfig(level=logging.INFO, format="%(message)s")
        self._options = options
        self._checkpoint = load_checkpoint(options.model)
        self.vocabulary = Vocabulary.load()

    def explorer(self, volume: Volume) -> Explorer:
        """Answers questions about a scan, whatever its extent and content."""
        embedding_map = embed_once(volume, self._checkpoint, self._options.maps)
        return Explorer(embedding_map, self._checkpoint, self.vocabulary)

    def publish(self, sections: list[Section]) -> None:
        """Print the tables, and write them beside those of other models where --output says."""
        name, output = self._options.name, self._options.output
        for section in sections:
            sys.stdout.write("\n".join(section_markdown(section, set(), with_rows=False)) + "\n")
        if output:
            write_column(output, name, self._checkpoint.encoder_id, sections)
