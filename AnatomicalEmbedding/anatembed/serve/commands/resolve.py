"""The command resolve: which structure words mean, without a scan."""

import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from anatembed.language.query.resolver import Resolver
from anatembed.language.vocabulary import Vocabulary
from anatembed.progress import NoProgress
from anatembed.serve import cli_output
from anatembed.serve.answer_document import place_document
from anatembed.serve.commands.reply import Reply
from anatembed.serve.failures import DONE, NOT_UNDERSTOOD


def resolve(options, progress: NoProgress) -> Reply:
    """Say which structure a text means, or answer a file of questions."""
    if (options.text is None) == (options.batch is None):
        raise ValueError("expected either a text or --batch FILE")
    resolver = Resolver(Vocabulary.load())
    if options.batch is not None:
        return Reply(DONE, None, cli_output.json_lines(_batch(resolver, options.batch)))
    document = _resolution(resolver, options.text)
    code = NOT_UNDERSTOOD if document["outcome"] == "refuse" else DONE
    return Reply(code, document, cli_output.resolution(document))


def _resolution(resolver: Resolver, text: str) -> dict:
    resolution = resolver.resolve(text)
    candidates = [asdict(one) for one in resolution.candidates]
    place = place_document(resolution.place)
    return {"query": text, "outcome": resolution.outcome, "candidates": candidates, "place": place,
            "reason": resolution.reason}


def _batch(resolver: Resolver, name: str) -> Iterable[dict]:
    """One document for each line, empty lines included: the answers stay beside their questions."""
    if name == "-":
        return (_resolution(resolver, line.rstrip("\r\n")) for line in sys.stdin)
    path = Path(name)
    if not path.is_file():
        raise FileNotFoundError(f"expected a text file with one question a line, found none at {path}")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as cause:
        raise ValueError(f"expected a text file in UTF-8, but {path.name} is not one") from cause
    lines = text.replace("\r\n", "\n").split("\n")
    return (_resolution(resolver, line) for line in (lines[:-1] if lines[-1] == "" else lines))
