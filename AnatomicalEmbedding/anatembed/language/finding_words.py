"""Words for what is found in a scan and is no structure: nodule, cyst, stent (resources/finding_words.json)."""

import json
import re
from dataclasses import dataclass
from functools import cache, cached_property

from anatembed.shipped_file import shipped_file

_PATH = shipped_file("finding_words.json")
Phrase = tuple[str, ...]


@dataclass(frozen=True)
class FindingWords:
    """The words, as phrases where there are several.

    findings: what is looked for by itself ("nodule", "free air"), with the id of the structure that it is of where the
    word tells it ("gallstones"). said_of_a_structure: words of a question about the structure
    ("enlarged"). endings: of findings ("-itis"); no_findings: words that only end so ("capitis"). procedure_endings: of
    what was done ("-ectomy"). asking: words of a clause that asks for a structure. structures: ids of the vocabulary
    that are findings themselves.
    """

    findings: dict[Phrase, str | None]
    said_of_a_structure: frozenset[str]
    endings: tuple[str, ...]
    procedure_endings: tuple[str, ...]
    chinese: re.Pattern
    no_findings: frozenset[str]
    asking: frozenset[str]
    structures: frozenset[str]

    def is_known(self, word: str) -> bool:
        """True for a word of a disease, a finding, an implant or a procedure, as a typing error it would be none."""
        return (word,) in self.findings or word in self.said_of_a_structure or word.endswith(
            self.endings + self.procedure_endings
        )

    def typed(self, words: Phrase) -> list[tuple[int, int]]:
        """(first, behind the last) of the findings among normalised words, from left to right."""
        found, at = [], 0
        while at < len(words):
            typed = (words[at : at + length] for length in self._lengths)
            length = next((len(one) for one in typed if one in self.findings), 0)
            length = length or int(words[at].endswith(self.endings) and words[at] not in self.no_findings)
            if length:
                found.append((at, at + length))
            at += length or 1
        return found

    @cached_property
    def _lengths(self) -> list[int]:
        """How many words a finding may have, the most first."""
        return sorted({len(one) for one in self.findings}, reverse=True)


@cache
def load_finding_words() -> FindingWords:
    """The tables, read once."""
    table = json.loads(_PATH.read_text(encoding="utf-8"))
    findings: dict[str, str | None] = dict.fromkeys(table["findings"] + table["foreign"])
    findings |= {text: term_id for term_id, texts in table["of_a_structure"].items() for text in texts}
    return FindingWords(
        findings={tuple(text.split()): term_id for text, term_id in findings.items()},
        said_of_a_structure=frozenset(table["said_of_a_structure"]),
        endings=tuple(table["endings"]),
        procedure_endings=tuple(table["procedure_endings"]),
        chinese=re.compile("|".join(sorted(table["chinese"], key=len, reverse=True))),
        no_findings=frozenset(table["no_findings"]),
        asking=frozenset(table["asking"]),
        structures=frozenset(table["structures"]),
    )
