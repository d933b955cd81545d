"""The figures that the reading of questions is held to, and what was measured for each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from research.evaluation.questions import Judged, count, ratio

FOREIGN_GROUPS = ("french", "german", "spanish", "latin", "chinese", "foreign", "other language", "language")
NONSENSE_GROUPS = ("nonsense", "out of domain", "out-of-domain", "domain", "everyday", "medical")
UNKNOWN_GROUPS = ("unknown",)
TYPO_GROUPS = ("typo", "typing")
RIGHT = ("right accept", "right confirm", "right ask")
LANGUAGE_FILES = tuple(
    f"{name}.json"
    for name in ("vocabulary", "query_words", "place_words", "report_words", "foreign_words", "finding_words")
) + ("guard_words.txt", "text_encoder.npz")


@dataclass(frozen=True)
class Target:
    """A measure with its bound; `at_least` says on which side of it the value should be, `amount` how many counted."""

    measure: str
    bound: float
    at_least: bool
    value: float
    amount: int

    @property
    def met(self) -> bool | None:
        """None where nothing was measured."""
        if not np.isfinite(self.value):
            return None
        return self.value >= self.bound if self.at_least else self.value <= self.bound


def in_groups(judged: list[Judged], words: tuple[str, ...]) -> list[Judged]:
    """The questions whose group holds one of the words."""
    return [one for one in judged if any(word in one.question.group.lower().replace("_", " ") for word in words)]


def question_targets(judged: list[Judged]) -> list[Target]:
    """The targets of a set of questions."""
    answerable = [one for one in judged if one.question.answer not in ("offer", "refuse")]
    findings = [one for one in judged if one.question.answer == "offer"]
    foreign = in_groups(answerable, FOREIGN_GROUPS)
    english = [one for one in answerable if one not in foreign]
    nonsense, unknown = in_groups(judged, NONSENSE_GROUPS), in_groups(judged, UNKNOWN_GROUPS)
    nonsense = [one for one in nonsense if one not in unknown]
    typos = in_groups(answerable, TYPO_GROUPS)
    accepts = count(english, "right accept", "wrong accept")
    milliseconds = [1000 * one.seconds for one in judged]
    return [
        Target("English: right when accepted", 0.98, True, ratio(count(english, "right accept"), accepts), accepts),
        Target(
            "English: accepted or asked rightly", 0.92, True, ratio(count(english, *RIGHT), len(english)), len(english)
        ),
        Target("other languages: accepted or asked rightly", 0.92, True, _right(foreign), len(foreign)),
        Target(
            "findings: refused, the structure offered", 0.98, True,
            ratio(count(findings, "right refusal"), len(findings)), len(findings),
        ),
        Target("side flips", 0, False, sum(one.flipped for one in judged), len(judged)),
        Target("nonsense accepted", 0.0, False, ratio(count(nonsense, "wrong accept"), len(nonsense)), len(nonsense)),
        Target(
            "unknown anatomy accepted", 0.01, False, ratio(count(unknown, "wrong accept"), len(unknown)), len(unknown)
        ),
        Target("typing errors: accepted or asked rightly", 0.97, True, _right(typos), len(typos)),
        Target(
            "p95 ms a question", 20.0, False, float(np.percentile(milliseconds, 95)) if judged else np.nan, len(judged)
        ),
    ]


def _right(judged: list[Judged]) -> float:
    return ratio(count(judged, *RIGHT), len(judged))


def among(judged: list[Judged]) -> float:
    """Share of questions that are accepted rightly, or asked with everything that is meant among the choices."""
    fitting = [one.verdict in (*RIGHT, "needless question") or _offered(one) for one in judged]
    return ratio(sum(fitting), len(judged))


def _offered(one: Judged) -> bool:
    return one.reply.outcome in ("ask", "confirm") and bool(set(one.reply.ids) & set(one.question.expect))


def name_targets(names: list[Judged], typos: list[Judged], withheld: list[Judged]) -> list[Target]:
    """The targets of the vocabulary's own names, of typing errors in them, and of names that were withheld."""
    foreign = [one for one in names if one.question.group not in ("English", "Chinese")]
    every = [*names, *typos, *withheld]
    return [
        Target(
            "names in the vocabulary, English",
            0.99,
            True,
            among(_group(names, "English")),
            len(_group(names, "English")),
        ),
        Target("names in the vocabulary, other languages", 0.99, True, among(foreign), len(foreign)),
        Target(
            "names in the vocabulary, Chinese",
            0.99,
            True,
            among(_group(names, "Chinese")),
            len(_group(names, "Chinese")),
        ),
        Target("one typing error in a name", 0.97, True, among(typos), len(typos)),
        Target("withheld names in other languages", 0.60, True, among(withheld), len(withheld)),
        Target("side flips in all of these", 0, False, sum(one.flipped for one in every), len(every)),
    ]


def _group(judged: list[Judged], group: str) -> list[Judged]:
    return [one for one in judged if one.question.group == group]


def shipped_bytes(resources: Path) -> int:
    """Bytes of the files that reading questions needs; those that do not exist count nothing."""
    return sum((resources / name).stat().st_size for name in LANGUAGE_FILES if (resources / name).is_file())


def size_target(resources: Path) -> Target:
    megabytes = shipped_bytes(resources) / 1e6
    return Target("MB shipped for language", 10.0, False, megabytes, 1)
