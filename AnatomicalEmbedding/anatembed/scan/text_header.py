"""Headers of text before the voxels (NRRD, MetaImage): read within limits, as fields and numbers."""

import math
import re
from typing import BinaryIO, overload

MOST_HEADER_BYTES = 1_000_000
MOST_AXES = 16
_MOST_LINES = 10_000
_MOST_CHARACTERS = 2000
_WHOLE = re.compile(r"[+-]?[0-9]{1,12}")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_MOST_DIGITS = 60


def header_lines(file: BinaryIO, name: str):
    """Lines without their ends, as text, up to the end of the file; ValueError if they are more than a header has."""
    left = MOST_HEADER_BYTES
    for _ in range(_MOST_LINES):
        line = file.readline(left + 1)
        left -= len(line)
        if left < 0:
            break
        if not line:
            return
        yield line.rstrip(b"\r\n").decode("latin-1")
    raise ValueError(f"expected a header of at most {MOST_HEADER_BYTES:,} bytes, but that of {name} is longer")


class Fields:
    """The fields of one header by name; each may be there once, and is no longer than a line."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._texts: dict[str, str] = {}

    def add(self, field: str, text: str) -> None:
        if field in self._texts:
            raise ValueError(f"expected every field once, but the header of {self.name} has {field[:40]!r} twice")
        self._texts[field] = text.strip()

    @overload
    def get(self, field: str) -> str | None: ...

    @overload
    def get(self, field: str, default: str) -> str: ...

    def get(self, field: str, default: str | None = None) -> str | None:
        """What the header has, or `default`; ValueError if it is longer than a line."""
        text = self._texts.get(field, default)
        if text is not None and len(text) > _MOST_CHARACTERS:
            raise ValueError(f"expected at most {_MOST_CHARACTERS} characters, but {field!r} of {self.name} has more")
        return text

    def text(self, field: str) -> str:
        """ValueError if the header does not have it."""
        text = self.get(field)
        if not text:
            raise ValueError(f"expected {field!r} in the header, but {self.name} does not say it")
        return text

    def either(self, *fields: str) -> str:
        """The one of several names of a field that the header has."""
        there = [field for field in fields if self.get(field) is not None]
        if len(there) > 1:
            raise ValueError(f"expected one of {' and '.join(there)} in the header, but {self.name} has both")
        return there[0] if there else fields[0]

    def whole(self, field: str, count: int | None = None) -> list[int]:
        """Whole numbers, `count` of them."""
        return [int(one) for one in self._words(field, _WHOLE, "whole numbers", count)]

    def numbers(self, field: str, count: int) -> list[float]:
        """Finite numbers, `count` of them."""
        return finite(self.text(field), field, count, self.name)

    def axes(self, field: str) -> int:
        """The number of axes."""
        (count,) = self.whole(field, 1)
        if not 1 <= count <= MOST_AXES:
            raise ValueError(f"expected 3 axes, but {self.name} says {field} = {count}")
        return count

    def _words(self, field: str, pattern: re.Pattern, what: str, count: int | None) -> list[str]:
        words = self.text(field).split()
        if count is not None and len(words) != count or not all(map(pattern.fullmatch, words)):
            expected = f"{count} {what}" if count is not None else what
            raise ValueError(f"expected {expected} as {field!r}, but {self.name} has {self.text(field)[:60]!r}")
        return words


def finite(text: str, field: str, count: int, name: str) -> list[float]:
    """`count` finite numbers in a text; ValueError that names the field."""
    words = text.split()
    good = len(words) == count and all(len(one) <= _MOST_DIGITS and _NUMBER.fullmatch(one) for one in words)
    values = [float(one) for one in words] if good else []
    if not good or not all(map(math.isfinite, values)):
        raise ValueError(f"expected {count} finite numbers as {field!r}, but {name} has {text[:60]!r}")
    return values
