"""Names in other languages that the vocabulary lacks, put into English word by word; the answer must be confirmed."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from itertools import islice, product

from anatembed.language.query_words import QueryWords
from anatembed.shipped_file import shipped_file

_PATH = shipped_file("foreign_words.json")
MAX_READINGS = 24
_MAX_WORDS = 8
_SHORTEST_PART = 3
# How the same Greek or Latin stem is spelt in another language, from the longest pattern on.
_STEM_SPELLINGS = (
    (r"que?$|ques$", "c"),
    (r"aires?$|arios?$|arias?$|ary$|aris$", "ari"),
    (r"ph", "f"),
    (r"th", "t"),
    (r"ch|k|qu", "c"),
    (r"y|j", "i"),
    (r"ae|oe", "e"),
    (r"^es(?=[cptfn])", "s"),
    (r"z", "c"),
    (r"x", "cs"),
    (r"(.)\1", r"\1"),
    (r"(?:us|um|os|as|es|is|on|e|o|a|i|s)$", ""),
)


class ForeignWords:
    """Readings of a side-less text in English; `native` are the words of English and Latin names."""

    def __init__(self, tables: QueryWords, native: frozenset[str]):
        self._tables = tables
        self._native = native
        self._languages = _load()
        self._stems: dict[str, set[str]] = defaultdict(set)
        for word in native:
            if len(stem(word)) > _SHORTEST_PART:
                self._stems[stem(word)].add(word)

    def readings(self, words: tuple[str, ...]) -> Iterator[str]:
        """English texts that the words may mean, at most `MAX_READINGS` a language; every word must be translated.

        A word may also be an anatomical word itself, or one that is spelt alike. At least one word must be foreign.
        """
        content = [word for word in words if word not in self._tables.grammar]
        if not content or len(content) > _MAX_WORDS:
            return
        for language in self._languages:
            options = [self._options(word, language) for word in content]
            foreign = any(set(found) - {word} for word, found in zip(content, options, strict=True))
            if foreign and all(options):
                for chosen in islice(product(*options), MAX_READINGS):
                    yield " ".join(chosen)

    def _options(self, word: str, language: str) -> list[str]:
        options = list(self._translations(word, language))
        if not options and language == "de":
            options = self._compound(word, self._languages[language])
        if word in self._native or word.isdigit():
            options.append(word)
        if not options:
            options = sorted(self._stems.get(stem(word), ()))
        return list(dict.fromkeys(options))

    def _translations(self, word: str, language: str) -> tuple[str, ...]:
        table = self._languages[language]
        plain = re.sub(r"(?<=[aou])e", "", word) if language == "de" else word  # "Schilddruese"
        return table.get(word) or table.get(plain) or ()

    def _compound(self, word: str, table) -> list[str]:
        """ "Lebervene" as liver vein, "Lungenoberlappen" as lung upper lobe."""
        found = []
        for cut in range(_SHORTEST_PART, len(word) - _SHORTEST_PART + 1):
            tail = word[cut:]
            for first in self._heads(word[:cut], table):
                ends = table.get(tail) or self._compound(tail, table)
                found += [f"{first} {end}" for end in ends]
        return found[:MAX_READINGS]

    @staticmethod
    def _heads(word: str, table) -> tuple[str, ...]:
        """Meanings of the first part of a compound, with or without its linking letters."""
        for form in (word, word.removesuffix("s"), word.removesuffix("en"), word.removesuffix("n"), word + "e"):
            if form in table:
                return table[form]
        return ()


def stem(word: str) -> str:
    """What is left of a word when the spelling of its language and its ending are taken away."""
    for pattern, new in _STEM_SPELLINGS:
        word = re.sub(pattern, new, word)
    return word


@cache
def _load() -> dict[str, dict[str, tuple[str, ...]]]:
    """By language, the English words of each foreign word."""
    content = json.loads(_PATH.read_text(encoding="utf-8"))
    languages = {}
    for language, table in content["languages"].items():
        words: dict[str, list[str]] = defaultdict(list)
        for english, foreign in table.items():
            for word in foreign.split():
                words[word].append(english)
        languages[language] = {word: tuple(meanings) for word, meanings in words.items()}
    return languages
