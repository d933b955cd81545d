"""The reading of questions as tables in Markdown."""

from __future__ import annotations

from research.evaluation.question_targets import Target
from research.evaluation.questions import Judged, by_group, summarise
from research.evaluation.tables import rows

BEGIN, END = "<!-- measured -->", "<!-- end of measured -->"


def target_rows(targets: list[Target]) -> list[str]:
    """One line a target, with how many questions it counts and whether it is met."""
    words = {True: "yes", False: "no", None: "not measured"}
    table = [
        {
            "measure": target.measure,
            "target": f"{'at least' if target.at_least else 'at most'} {target.bound:g}",
            "measured": ""
            if target.met is None
            else f"{target.value:.4g}"
            if target.value > 1
            else f"{target.value:.3f}",
            "of": target.amount,
            "met": words[target.met],
        }
        for target in targets
    ]
    return rows(table)


def system_rows(answers: dict[str, list[Judged]]) -> list[str]:
    """Systems side by side over all questions."""
    return rows([{"system": name} | summarise(judged) for name, judged in answers.items()])


def group_rows(judged: list[Judged]) -> list[str]:
    """One system by group of questions, all of them in the last line."""
    table = [{"group": group} | summarise(own) for group, own in by_group(judged).items()]
    return rows([*table, {"group": "all"} | summarise(judged)])


def mistakes(judged: list[Judged], limit: int) -> list[str]:
    """Lines for people who improve the resolver: what went wrong, worst first."""
    order = ("wrong accept", "wrong confirm", "wrong ask", "refused wrongly", "needless question")
    bad = [one for word in order for one in judged if one.verdict == word]
    return [
        f"{one.verdict}{' FLIP' if one.flipped else ''} | {one.question.group} | {one.question.text} | "
        f"meant {', '.join(one.question.expect) or 'nothing'} | {one.reply.outcome} {', '.join(one.reply.ids[:4])}"
        for one in bad[:limit]
    ]


def with_measured(document: str, measured: str) -> str:
    """The document with everything between its two marks replaced; ValueError if it has no marks."""
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"expected the marks {BEGIN} and {END} around the measured part, found none")
    return f"{before}{BEGIN}\n{measured.strip()}\n{END}{after}"
