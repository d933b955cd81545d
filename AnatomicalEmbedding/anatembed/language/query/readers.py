"""The readers of a typed text: each says what the text means, or None where it is not for it to say.

Which reader is asked first is the business of `resolver`.
"""

import re
from collections.abc import Callable
from dataclasses import replace

from anatembed.language.query.chinese import best_name, read_chinese
from anatembed.language.query.negated_names import without_negated
from anatembed.language.query.resolution import Resolution, accept, ask, refuse
from anatembed.language.query.side_policy import judge
from anatembed.language.query.typed_query import Query
from anatembed.language.sides import SideReading
from anatembed.language.text_normalisation import is_chinese, normalise

Reader = Callable[[Query], Resolution | None]

_MAX_LISTED = 8
_LIST_MARKS = re.compile(r"[,;/&+]")
_NOTHING_TYPED = "Nothing was typed. Type the name of a structure, for example “left kidney”."
_ANOTHER_MEANING = "“{text}” is not the name of a structure. Type the name of a structure, for example “left kidney”."


# What a text names


def nothing_typed(query: Query) -> Resolution | None:
    return None if query.text else refuse(query.known.vocabulary, _NOTHING_TYPED)


def no_letter_typed(query: Query) -> Resolution | None:
    return None if query.plain else query.known.decision.unknown(query.text)


def chinese_name(query: Query) -> Resolution | None:
    """A text with a Chinese character is read as Chinese and as nothing else."""
    if not is_chinese(query.plain):
        return None
    known = query.known
    body, reading = read_chinese(query.plain, known.tables)
    name, rest = best_name(body, known.index.chinese_names(), known.index.chinese_wholes)
    if name is None:
        return known.decision.unknown(query.text)
    rest = known.tables.chinese_generic.sub("", rest)
    verdict = judge(name.meanings, reading, known.vocabulary)
    return known.decision.of_chinese_name(verdict, reading, rest, query.text)


def another_meaning(query: Query) -> Resolution | None:
    """ "Bone window", "neck of the woods"."""
    if not query.known.tables.other_meanings.search(query.plain):
        return None
    reason = _ANOTHER_MEANING.format(text=query.text[:60])
    return refuse(query.known.vocabulary, reason, unknown=True)


def identifier(query: Query) -> Resolution | None:
    """An id as programs write it ("kidney_left"), of this vocabulary or an alias."""
    word, vocabulary = query.text.lower(), query.known.vocabulary
    term_id = vocabulary.id_spelt(word) if "_" in word else None
    if term_id is None:
        return None
    sides = vocabulary.sides(term_id)
    if vocabulary[term_id].laterality == "none" and sides:
        return ask(vocabulary, sides.values(), "This structure exists on both sides. Choose left or right.")
    return accept(vocabulary, term_id, f"“{vocabulary.name(term_id)}” is named.")


def exact_name(query: Query) -> Resolution | None:
    """A text that is a name as it stands, with its own side words."""
    return _exact(query.plain, query)


def exact_name_in_a_sentence(query: Query) -> Resolution | None:
    """The same once commands and grammar are left out."""
    if query.reading.kind in ("screen", "relative"):
        return None
    tables = query.known.tables
    words = tables.canonical_numbers(query.without_commands.split())
    return _exact(" ".join(word for word in words if word not in tables.ignorable), query)


def _exact(plain: str, query: Query) -> Resolution | None:
    known = query.known
    meanings = known.index.exact(plain)
    if not meanings:
        return None
    everyday = known.index.is_everyday(plain) and plain not in query.upper
    everyday = everyday and not any(meaning.native for meaning in meanings)
    return known.decision.of_exact_name(judge(meanings, SideReading(()), known.vocabulary), plain, everyday)


def numbered(query: Query) -> Resolution | None:
    """Vertebrae, discs, ribs and segments by their number."""
    return query.known.numbers.resolve(query.reading)


def only_commands(query: Query) -> Resolution | None:
    """ "Show me the"."""
    ignorable = query.known.tables.ignorable
    if not all(word in ignorable and word not in query.upper for word in query.words):
        return None
    return replace(query.known.decision.unknown(query.text), unknown=False)


def every_word_understood(query: Query) -> Resolution | None:
    return query.decided if query.decided.outcome == "accept" else None


def negated(query: Query) -> Resolution | None:
    """ "Not the spleen, the liver"."""
    if not query.reading.negation:
        return None
    has_sides = query.reading.kind != "none"
    return query.decided if has_sides else without_negated(query.text, query.decided, query.as_name)


def several_names(query: Query) -> Resolution | None:
    """ "Liver and spleen": every part must be a structure of its own."""
    parts = _parts(query)
    found = [query.as_name(part) for part in parts] if 1 < len(parts) <= _MAX_LISTED else []
    if any(one.outcome in ("refuse", "confirm") for one in found):
        return None
    ids = list(dict.fromkeys(one.id for resolution in found for one in resolution.candidates))
    if len(ids) < 2:
        return None
    return ask(query.known.vocabulary, ids[:_MAX_LISTED], "More than one structure is named. Choose one.")


def _parts(query: Query) -> list[str]:
    """What stands between the commas and the "and" of a text."""
    parts: list[list[str]] = [[]]
    for word in _LIST_MARKS.sub(" and ", query.text).split():
        if normalise(word) in query.known.tables.connectors:
            parts.append([])
        else:
            parts[-1].append(word)
    return [" ".join(part) for part in parts if part]


def part_of_the_words_understood(query: Query) -> Resolution | None:
    return query.decided


# What a text means: a name, or a place in, at or beside what is named


def finding(query: Query) -> Resolution | None:
    """ "Lung nodule": what is found in a scan cannot be searched; the structure that it is in can."""
    return query.known.findings.read(query.text, query.foreign_reading.side, query.named, query.as_text)


def place(query: Query) -> Resolution | None:
    """ "Upper pole of the left kidney", "behind the bladder"."""
    if is_chinese(query.plain):
        return None
    return query.known.places.read(query.text, query.plain, query.named, query.as_name)


def settled_name(query: Query) -> Resolution | None:
    """A name that no other language may change."""
    known, plain = query.known, query.plain
    settled = query.named.outcome == "accept" or is_chinese(plain) or known.index.exact(plain)
    return query.named if settled or known.tables.other_meanings.search(plain) else None


def foreign_name(query: Query) -> Resolution | None:
    """A name in another language, word by word."""
    return query.known.foreign.resolve(query.foreign_reading, query.foreign_words, query.named, query.as_text)


def near_in_meaning(query: Query) -> Resolution | None:
    """Words that no rule knows, by the text encoder."""
    if not query.named.unknown:
        return None
    return query.known.suggested.resolve(query.foreign_reading, query.foreign_words, query.named)


def name(query: Query) -> Resolution | None:
    return query.named
