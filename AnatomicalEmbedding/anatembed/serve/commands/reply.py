"""What a command says: exit code, a document for programs, lines for people."""

from collections.abc import Iterable
from dataclasses import dataclass

from anatembed.serve.failures import DONE, NOT_HERE, NOT_UNDERSTOOD, TO_CHOOSE

WITHOUT_A_PLACE = ("not in this scan", "cannot be told", "not learnt")
"""Refusals of what was understood."""


@dataclass(frozen=True)
class Reply:
    """Exit code, the JSON document (None: only lines), and the same for people, line by line."""

    code: int
    document: dict | None
    lines: Iterable[str]


def exit_code(document: dict) -> int:
    """The exit code of the document of an answer or a resolution."""
    if document["decision"] == "refuse":
        return NOT_HERE if document["refusal"] in WITHOUT_A_PLACE else NOT_UNDERSTOOD
    return TO_CHOOSE if document["decision"] == "choose" else DONE
