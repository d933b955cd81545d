"""Typing errors in the words around a number: "fitfh lumbar vertebra", "left eghth rib"."""

from anatembed.language.query_words import QueryWords

_SHORTEST = 4
_ONE_ERROR_UP_TO = 8


class NumberSpelling:
    """Ordinals, regions and the nouns that are counted; real words are never changed."""

    def __init__(self, tables: QueryWords, is_real):
        words = tables.vertebra_words | tables.rib_words | tables.segment_words | tables.disc_words
        words |= {word for word in (*tables.numbers, *tables.regions) if len(word) > _SHORTEST}
        self._targets = sorted(word for word in words if len(word) >= _SHORTEST or word == "rib")
        self._tables = tables
        self._is_real = is_real

    def corrected(self, words: tuple[str, ...]) -> tuple[tuple[str, ...], list[tuple[str, str]]]:
        """The words with errors put right, and (typed, read) of each; two equally near words are left alone."""
        result, corrections = [], []
        for word in words:
            read = self._read(word)
            if read:
                corrections.append((word, read))
            result.append(read or word)
        return tuple(result), corrections

    def _read(self, word: str) -> str | None:
        if len(word) < _SHORTEST or not word.isalpha() or word in self._targets or self._is_real(word):
            return None
        from rapidfuzz import process
        from rapidfuzz.distance import OSA

        limit = 1 if len(word) <= _ONE_ERROR_UP_TO else 2
        near = process.extract(word, self._targets, scorer=OSA.distance, score_cutoff=limit, limit=2)
        tied = len(near) == 2 and near[0][1] == near[1][1]
        if not near or tied and self._meaning(near[0][0]) != self._meaning(near[1][0]):
            return None
        return near[0][0]

    def _meaning(self, word: str) -> str | int:
        return self._tables.regions.get(word) or self._tables.numbers.get(word) or word[:_SHORTEST]
