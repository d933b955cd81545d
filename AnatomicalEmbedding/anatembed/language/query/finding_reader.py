"""A question for what is found in a scan ("left kidney cyst", "gallstones"): refused, with what can be searched."""

import re
from collections.abc import Callable, Iterator

from anatembed.language.query.phrase_index import PhraseIndex
from anatembed.language.query.resolution import FINDING, Resolution, refuse
from anatembed.language.query_words import QueryWords
from anatembed.language.text_normalisation import is_chinese, normalise

_WORD = re.compile(r"[^\W_]+")
_CLAUSE_END = re.compile(r"[,;:.?!]|\s[-–]\s|\bbut\b")
_OF = re.compile(r"^\s+(?:of|in|within|on|at)\b", re.IGNORECASE)
_MOST_NAMED = 4
_INSTEAD = "Findings and implants such as “{finding}” cannot be searched, but {names} can. Type that name instead."
_NOTHING_INSTEAD = (
    "Findings and implants such as “{finding}” cannot be searched. "
    "Type the name of a structure, for example “left kidney”."
)


class FindingReader:
    """Never goes to a structure for a finding in it: the place would look like that of the finding."""

    def __init__(self, vocabulary, tables: QueryWords, index: PhraseIndex):
        self._vocabulary, self._tables, self._index = vocabulary, tables, index
        self._words = tables.findings

    def read(
        self, text: str, side: str | None, named: Resolution, meaning: Callable[[str], Resolution]
    ) -> Resolution | None:
        """The refusal of a text that asks for a finding, the structure offered; None for all others.

        side: that the text names. named: what the whole text names. meaning: gives that of a text without findings.
        """
        findings, is_finding = self._findings(text), self._is_finding(named)
        if is_finding and (not findings or named.outcome == "accept"):
            return self._whole_instead(named)
        if not findings:
            return None
        is_structure = named.outcome == "accept" and not is_finding  # "cerebrospinal fluid" names a space
        if is_structure or self._asks_for_a_structure(text, meaning):
            return None
        rest = _without(text, findings)
        instead = self._structure_in(rest, meaning) or self._structure_of(text, side, meaning)
        if instead is None and self._is_impossible(rest, meaning(rest)):
            return meaning(rest)
        typed = " ".join(dict.fromkeys(text[start:end] for start, end in findings))
        return self._with_instead(typed, instead)

    def _structure_in(self, rest: str, meaning: Callable[[str], Resolution]) -> Resolution | None:
        """The structure that is named beside a finding, by its adjective too ("renal")."""
        by_nouns = " ".join(self._noun(word) for word in rest.split())
        meanings = (meaning(text) for text in (rest, by_nouns))
        return next((one for one in meanings if one.outcome != "refuse"), None)

    def _noun(self, word: str) -> str:
        nouns = self._index.nouns_of(normalise(word))
        return nouns[0] if nouns else word

    def _is_impossible(self, rest: str, found: Resolution) -> bool:
        """True for a number or a side that does not exist ("rib 15", "right spleen"), which is refused as such."""
        words = (word for word in normalise(rest).split() if word not in self._tables.ignorable)
        letters = "".join(words)
        numbered = any(map(str.isdigit, letters)) and any(map(str.isalpha, letters))
        return not found.unknown and (numbered or bool(found.candidates))

    def _is_finding(self, found: Resolution) -> bool:
        """True for a name of the vocabulary that is a finding itself ("left kidney cyst")."""
        first = next((self._vocabulary[one.id] for one in found.candidates), None)
        return first is not None and (first.base or first.id) in self._words.structures

    def _whole_instead(self, found: Resolution) -> Resolution:
        """The refusal of such a name, with the structure that it is in."""
        wholes = (self._vocabulary.ancestors(one.id)[:1] for one in found.candidates)
        ids = tuple(dict.fromkeys(one for whole in wholes for one in whole))
        return self._refused(found.candidates[0].name, ids, tuple(self._vocabulary.name(one) for one in ids))

    def _findings(self, text: str) -> list[tuple[int, int]]:
        """(start, end) of the findings in a text as it is typed."""
        if is_chinese(normalise(text)):
            return [match.span() for match in self._words.chinese.finditer(text)]
        raw = list(_WORD.finditer(text))
        words = tuple(normalise(match.group()) for match in raw)
        return [(raw[first].start(), raw[behind - 1].end()) for first, behind in self._words.typed(words)]

    def _asks_for_a_structure(self, text: str, meaning: Callable[[str], Resolution]) -> bool:
        """ "Left-sided hydronephrosis, go to the renal pelvis" asks for the pelvis."""
        return any(meaning(clause).outcome != "refuse" for clause in self._asking_clauses(text))

    def _asking_clauses(self, text: str) -> Iterator[str]:
        """The clauses that hold no finding and ask to go somewhere."""
        for clause in _CLAUSE_END.split(text):
            words = normalise(clause).split()
            if not self._words.typed(tuple(words)) and not self._words.asking.isdisjoint(words):
                yield clause

    def _structure_of(self, text: str, side: str | None, meaning: Callable[[str], Resolution]) -> Resolution | None:
        """The structure that a finding is of by its word ("gallstones"), on the side that is named, if it has one."""
        words = tuple(normalise(match.group()) for match in _WORD.finditer(text))
        ids = (self._words.findings.get(words[first:behind]) for first, behind in self._words.typed(words))
        term_id = next(filter(None, ids), None)
        if term_id is None:
            return None
        name = self._vocabulary.name(term_id)
        sided = meaning(f"{side} {name}") if side else None
        return sided if sided and sided.outcome != "refuse" else meaning(name)

    def _with_instead(self, typed: str, instead: Resolution | None) -> Resolution:
        """instead: the structure that is offered, in whose place a finding may be."""
        if instead is None:
            return self._refused(typed, (), ())
        sure = instead.outcome != "ask"
        offered = instead.candidates[:1] if sure else instead.candidates
        names = tuple(instead.place.label(one.name) if instead.place else one.name for one in offered)
        return self._refused(typed, tuple(one.id for one in offered), names)

    def _refused(self, typed: str, ids: tuple[str, ...], names: tuple[str, ...]) -> Resolution:
        quoted = " or ".join(f"“{name}”" for name in names[:_MOST_NAMED])
        sentence = _INSTEAD if names else _NOTHING_INSTEAD
        return refuse(self._vocabulary, sentence.format(finding=typed[:60], names=quoted), ids, refusal=FINDING)


def _without(text: str, spans: list[tuple[int, int]]) -> str:
    """The text without these characters and an "of" behind them: "left nodule of the thyroid" is not left of it."""
    for start, end in reversed(spans):
        text = f"{text[:start]} {_OF.sub('', text[end:])}"
    return text
