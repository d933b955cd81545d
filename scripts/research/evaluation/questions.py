"""Typed questions with what they should be answered, and what an answer is worth."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
from anatembed.language.vocabulary import Vocabulary

WANTED = ("one", "sides", "offer", "refuse")
OPPOSITE = {"left": "right", "right": "left"}


@dataclass(frozen=True)
class Question:
    """A text and the ids that it may mean; `answer` is one (of them), sides (all, as a question), offer (refused as
    a finding, with one of them offered instead) or refuse.

    part: the words of a place in the structure ("upper pole"), where one is meant.
    """

    text: str
    group: str
    expect: tuple[str, ...]
    answer: str
    part: str | None = None


@dataclass(frozen=True)
class Reply:
    """What a system answers: accept, confirm, ask or refuse, with ids, the likeliest first.

    place: the kind and the directions of a place in, at or beside the structure, where one was read.
    """

    outcome: str
    ids: tuple[str, ...] = ()
    place: tuple[str, ...] = ()


@dataclass(frozen=True)
class Judged:
    """A question with its reply, its worth in two words, and the seconds it took.

    verdict: right or wrong, and what came: accept, confirm or ask; "needless question"; "right refusal", "refused
    wrongly".
    place_read: whether the part or place that is meant was read too; None where none is meant.
    """

    question: Question
    reply: Reply
    verdict: str
    flipped: bool
    seconds: float = 0.0
    place_read: bool | None = None


System = Callable[[str], Reply]


def read_questions(path: Path, vocabulary: Vocabulary) -> list[Question]:
    """Questions of a file with one JSON object a line; ValueError names the line that cannot be used."""
    questions = []
    for number, line in enumerate(Path(path).read_text(encoding="utf-8").splitlines(), start=1):
        if line.strip():
            try:
                questions.append(_question(json.loads(line), vocabulary))
            except (ValueError, KeyError, TypeError) as error:
                raise ValueError(
                    f"expected a question in line {number} of {path}, got {line[:80]!r}: {error}"
                ) from error
    return questions


def _question(row: dict, vocabulary: Vocabulary) -> Question:
    expect = tuple(vocabulary.canonical_id(one) for one in row["expect"])
    if row["answer"] not in WANTED:
        raise ValueError(f"expected an answer of {', '.join(WANTED)}, got {row['answer']!r}")
    if (row["answer"] == "refuse") == bool(expect):
        raise ValueError("expected ids where something should be found, and none where it should be refused")
    return Question(row["question"], row["group"], expect, row["answer"], row.get("part"))


def judge_reply(question: Question, reply: Reply, vocabulary: Vocabulary, seconds: float = 0.0) -> Judged:
    """What the reply is worth; only an accepted or confirmed first id can flip a side."""
    decided = reply.outcome in ("accept", "confirm")
    flipped = decided and _is_flipped(question, reply.ids[0], vocabulary)
    read = _place_is_read(question, reply, vocabulary) if question.part else None
    return Judged(question, reply, _verdict(question, reply, vocabulary), flipped, seconds, read)


def _place_is_read(question: Question, reply: Reply, vocabulary: Vocabulary) -> bool:
    """A level alone is the structure's own place; a part may also be a structure of its own ("upper pole")."""
    if reply.outcome == "refuse" or reply.ids[0] not in question.expect:
        return False
    own = any(reply.ids[0] in vocabulary.descendants(one) for one in question.expect)
    return own or question.part == "level" or question.part in reply.place


def _verdict(question: Question, reply: Reply, vocabulary: Vocabulary) -> str:
    if reply.outcome == "refuse":
        offered = question.answer == "offer" and reply.ids[:1] and reply.ids[0] in question.expect
        return "right refusal" if offered or question.answer == "refuse" else "refused wrongly"
    if reply.outcome == "ask":
        if question.answer in ("offer", "refuse"):
            return "wrong ask"
        among = set(reply.ids) & set(question.expect)
        if question.answer == "sides":
            return "right ask" if among == set(question.expect) else "wrong ask"
        if not among:
            return "wrong ask"
        return "right ask" if set(reply.ids) == set(question.expect) else "needless question"
    right = question.answer == "one" and reply.ids[0] in question.expect
    return f"{'right' if right else 'wrong'} {reply.outcome}"


def _is_flipped(question: Question, found: str, vocabulary: Vocabulary) -> bool:
    """True when a side is decided that was not asked for: the other one, or any where both are meant."""
    term = vocabulary[found]
    if found in question.expect and question.answer == "one":
        return False
    if question.answer == "sides":
        return term.laterality in OPPOSITE
    sides = {vocabulary[one].laterality for one in question.expect}
    return len(sides) == 1 and OPPOSITE.get(term.laterality) in sides


def ask_all(questions: Iterable[Question], system: System, vocabulary: Vocabulary) -> list[Judged]:
    """Put every question to a system."""
    judged = []
    for question in questions:
        began = perf_counter()
        reply = system(question.text)
        judged.append(judge_reply(question, reply, vocabulary, perf_counter() - began))
    return judged


def count(judged: list[Judged], *verdicts: str) -> int:
    return sum(one.verdict in verdicts for one in judged)


def ratio(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")


def summarise(judged: list[Judged]) -> dict[str, float | str]:
    """The counts of one table row; latency in ms."""
    milliseconds = 1000 * np.array([one.seconds for one in judged])
    places = [one.place_read for one in judged if one.place_read is not None]
    return {
        "questions": len(judged),
        "right accepts": count(judged, "right accept"),
        "wrong accepts": count(judged, "wrong accept"),
        "right confirms, asks": count(judged, "right confirm", "right ask"),
        "wrong confirms, asks": count(judged, "wrong confirm", "wrong ask"),
        "needless questions": count(judged, "needless question"),
        "right refusals": count(judged, "right refusal"),
        "refused wrongly": count(judged, "refused wrongly"),
        "side flips": sum(one.flipped for one in judged),
        "places read": f"{sum(places)} of {len(places)}" if places else "",
        "median ms": float(np.median(milliseconds)) if len(judged) else float("nan"),
        "p95 ms": float(np.percentile(milliseconds, 95)) if len(judged) else float("nan"),
    }


def by_group(judged: list[Judged]) -> dict[str, list[Judged]]:
    """The same by group, in the order in which the groups came."""
    groups: dict[str, list[Judged]] = {}
    for one in judged:
        groups.setdefault(one.question.group, []).append(one)
    return groups
