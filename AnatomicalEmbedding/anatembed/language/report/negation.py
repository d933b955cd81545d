"""What a report denies: "no focal lesion in the liver" says nothing is in the liver.

A small rule after the idea of NegEx (Chapman et al., 2001): a denying word reaches to the end of its sentence or to a
word that ends it ("but", "except"); some, such as "is not", also reach back.
"""

import re

from anatembed.language.report.words import NegationWords

_SENTENCE_END = re.compile(r"(?<=[^\d\s])[.](?=\s|$)|(?<=\d)[.](?=\s+[A-Z]|\s*$)|[!?;]|\n\s*(?:\n|[-*•]|\d+[.)]|[A-Z])")


def negated_spans(text: str, words: NegationWords) -> list[tuple[int, int]]:
    """(start, end) of the parts of a text that a denying word reaches, in order of the denying words."""
    spans = []
    begin = 0
    for end in [*(match.start() for match in _SENTENCE_END.finditer(text)), len(text)]:
        spans += _in_sentence(text, begin, end, words)
        begin = end
    return spans


def _in_sentence(text, begin, end, words: NegationWords) -> list[tuple[int, int]]:
    looks_so = [match.span() for match in words.not_a_negation.finditer(text, begin, end)]
    ends = [match.start() for match in words.ends.finditer(text, begin, end)]
    ahead = [match.start() for match in words.ends_forward.finditer(text, begin, end)]
    spans = []
    for match in words.forward.finditer(text, begin, end):
        if not _within(match.start(), looks_so):
            spans.append((match.end(), min([one for one in ahead if one >= match.end()], default=end)))
    for match in words.backward.finditer(text, begin, end):
        if not any(_within(place, looks_so) for place in range(match.start(), match.end())):
            starts = [begin, text.rfind(":", begin, match.start()) + 1, *(one for one in ends if one < match.start())]
            spans.append((max(starts), match.start()))
    return spans


def _within(place: int, spans) -> bool:
    return any(start <= place < end for start, end in spans)
