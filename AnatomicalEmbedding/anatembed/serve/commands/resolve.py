"""The command resolve: which structure words mean, without a scan."""

import sys
from collections.abc import Iterable
from pathlib import Path

from anatembed.language.query.resolver import Resolver
from anatembed.language.vocabulary import Vocabulary
from anatembed.progress import NoProgress
from anatembed.serve import cli_output, documents
from anatembed.serve.commands.reply import Reply, exit_code
from anatembed.serve.failures import DONE


def resolve(options, progress: NoProgress) -> Reply:
    """Say which structure a text means, or answer a file of questions."""
    if (options.text is None) == (options.batch is None):
        raise ValueError("expected either a text or --batch FILE")
    resolver = Resolver(Vocabulary.load())
    if options.batch is not None:
        return Reply(DONE, None, cli_output.json_lines(_batch(resolver, options.batch)))
    document = _resolution(resolver, options.text)
    return Reply(exit_code(document), document, cli_output.resolution(document))


def _resolution(resolver: Resolver, text: str) -> dict:
    return documents.resolution_document(resolver.resolve(text), text)


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
