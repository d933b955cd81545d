"""What a name in another language means once its words are put into English: always to be confirmed."""

from collections import Counter
from collections.abc import Callable

from anatembed.language.query.foreign_words import ForeignWords
from anatembed.language.query.resolution import Resolution, ask, confirm
from anatembed.language.sides import SideReading

_MAX_FAMILIES = 3
_SIDES_READ = ("none", "one", "both")


class ForeignNames:
    """Tries the readings of a text with the resolver of English texts; the side stays that of the text itself."""

    def __init__(self, vocabulary, words: ForeignWords):
        self._vocabulary, self._words = vocabulary, words

    def resolve(self, reading: SideReading, words, found: Resolution, english: Callable) -> Resolution | None:
        """The structure that the side-less words name in another language, or None.

        found: the answer without translation. english: resolves an English text.
        """
        if reading.kind not in _SIDES_READ or reading.negation or found.place:
            return None
        side = reading.side or ("both" if reading.kind == "both" else "")
        answers: dict[str, tuple[str, Resolution]] = {}
        seen: Counter = Counter()
        for text in self._words.readings(words):
            resolution = english(f"{side} {text}".strip())
            if resolution.outcome in ("accept", "ask") and len(self._families(resolution)) == 1:
                family = self._families(resolution)[0]
                seen[family] += 1
                answers.setdefault(family, (text, resolution))
        best = [family for family, _ in seen.most_common(_MAX_FAMILIES)]
        ids = tuple(dict.fromkeys(one.id for family in best for one in answers[family][1].candidates))
        offered = {one.id for one in found.candidates} if found.outcome != "refuse" else set()
        if not ids or offered & set(ids):
            return None
        return self._answer(ids, answers[best[0]], len(best) == 1)

    def _answer(self, ids, answer, single: bool) -> Resolution:
        text, resolution = answer
        read = f"The words were read as “{text}”."
        if not single:
            return ask(self._vocabulary, ids, f"{read} They may mean more than one structure. Choose one.")
        if len(ids) > 1:
            name = self._vocabulary.name(self._families(resolution)[0])
            return ask(self._vocabulary, ids, f"{read} “{name}” exists on both sides. Choose left or right.")
        return confirm(self._vocabulary, ids, f"{read} Go to “{self._vocabulary.name(ids[0])}”?")

    def _families(self, resolution: Resolution) -> list[str]:
        return list(dict.fromkeys(self._vocabulary[one.id].base or one.id for one in resolution.candidates))
