"""A text without its side words, as the text encoder reads it: what is left names the structure, never the side."""
from __future__ import annotations

from anatembed.language.query_words import QueryWords
from anatembed.language.text_normalisation import is_chinese, normalise


def side_less(text: str, tables: QueryWords) -> tuple[str, str | None]:
    """The normalised words without sides and grammar, numbers as digits, and the one side named (None: none, both)."""
    plain = normalise(text)
    if is_chinese(plain):
        sides = {side for letter, side in tables.chinese_sides.items() if letter in plain}
        for letter in tables.chinese_sides:
            plain = plain.replace(letter + "侧", "").replace(letter, "")
        return plain.strip(), sides.pop() if len(sides) == 1 else None
    words = tables.canonical_numbers(tables.join(plain).split())
    sides = {tables.side_words[word] for word in words if word in tables.side_words}
    named = [word for word in words if word not in tables.side_words]
    kept = [word for word in named if word not in tables.grammar] or named
    return " ".join(kept), sides.pop() if len(sides) == 1 else None
