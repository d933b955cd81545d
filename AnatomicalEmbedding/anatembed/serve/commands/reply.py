"""What a command says: exit code, a document for programs, lines for people."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Reply:
    """Exit code, the JSON document (None: only lines), and the same for people, line by line."""

    code: int
    document: dict | None
    lines: Iterable[str]
