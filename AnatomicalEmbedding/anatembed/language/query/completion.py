"""Names that begin with what has been typed, for a search box."""

from bisect import bisect_left

from anatembed.language.finding_words import load_finding_words
from anatembed.language.text_normalisation import normalise

_SHORT_SIDES = {"l": "left", "lt": "left", "r": "right", "rt": "right"}
_SHOWN_TYPES = ("exact", "abbreviation", "latin", "lay")


class Completion:
    """English and Latin names of what can be searched by every word start, names before synonyms before inner words."""

    def __init__(self, vocabulary):
        self._names = {term.id: term.preferred for term in vocabulary.terms}
        entries = []
        findings = load_finding_words().structures
        for order, term in enumerate(vocabulary.terms):
            if (term.base or term.id) in findings:
                continue
            entries += self._entries(term.preferred, 0, order, term)
            for synonym in term.synonyms:
                if synonym.lang in ("en", "la") and synonym.type in _SHOWN_TYPES:
                    entries += self._entries(synonym.text, 1, order, term)
        self._entries_by_text = sorted(entries)

    @staticmethod
    def _entries(text, kind, order, term):
        words = normalise(text).split()
        display = text if kind == 0 else f"{text} ({term.preferred})"
        for start in range(len(words)):
            # "left kidney" should be as near to "kid" as "kidney".
            inner = 0 if start == 0 or (start == 1 and term.base) else 2
            yield " ".join(words[start:]), (kind + inner, len(words), order), term.id, display

    def complete(self, prefix: str, limit: int) -> list[tuple[str, str]]:
        """Up to `limit` (id, display text), each structure once; nothing for an empty prefix."""
        words = normalise(prefix).split()
        if not words or limit < 1:
            return []
        words[0] = _SHORT_SIDES.get(words[0], words[0]) if len(words) > 1 else words[0]
        text = " ".join(words)
        position = bisect_left(self._entries_by_text, (text,))
        found = []
        while position < len(self._entries_by_text) and self._entries_by_text[position][0].startswith(text):
            found.append(self._entries_by_text[position][1:])
            position += 1
        best: dict[str, str] = {}
        for _, term_id, display in sorted(found):
            best.setdefault(term_id, display)
        return list(best.items())[:limit]
