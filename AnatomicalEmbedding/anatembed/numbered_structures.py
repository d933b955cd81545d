"""Vertebrae, ribs and liver segments by number: the number decides, and an impossible number is refused."""

import re

from anatembed.query_words import QueryWords
from anatembed.resolution import Resolution, accept, ask, confirm, refuse
from anatembed.sides import SideReading
from anatembed.text_normalisation import base_forms

RIB_COUNT = 12
LIVER_SEGMENT_COUNT = 8
_LEVEL = re.compile(r"(c|t|th|d|l|s)(\d{1,2})")
_SEGMENT_NUMBER = re.compile(r"(\d{1,2})[ab]?")


def resolve_numbered(reading: SideReading, vocabulary, tables: QueryWords, known: frozenset[str]) -> Resolution | None:
    """The resolution of a query about a numbered structure; None when it is about something else."""
    words = _content(tables.canonical_numbers(list(reading.words)), tables)
    if any(word in tables.mr_words for word in words) and any(re.fullmatch(r"t[12]", word) for word in words):
        return refuse(vocabulary, "This reads as an MR sequence, not as a vertebra. Name the structure you want to see.")
    levels, others = _levels(words, tables)
    for rule in (_disc, _vertebra, _rib, _liver_segment):
        found = rule(words, levels, others, reading, vocabulary, tables, known)
        if found:
            return found
    return None


def _content(words, tables) -> list[str]:
    """The words that carry meaning; a level's letter stays when its number follows."""
    followed = [word.isdigit() for word in [*words[1:], ""]]
    return [
        word
        for word, number_next in zip(words, followed, strict=False)
        if word not in tables.ignorable or (word in tables.level_letters and number_next)
    ]


def _levels(words, tables) -> tuple[list[tuple[str, int]], list[str]]:
    """Levels such as ("L", 3), and the words that are not part of one."""
    levels, others, position = [], [], 0
    while position < len(words):
        word = words[position]
        following = words[position + 1] if position + 1 < len(words) else ""
        match = _LEVEL.fullmatch(word)
        if match:
            levels.append((tables.level_letters[match.group(1)], int(match.group(2))))
        elif word in tables.level_letters and following.isdigit():
            levels.append((tables.level_letters[word], int(following)))
            position += 1
        else:
            others.append(word)
        position += 1
    if not levels:
        return _regional_level(words, tables)
    return levels, others


def _regional_level(words, tables) -> tuple[list[tuple[str, int]], list[str]]:
    """ "third lumbar vertebra" -> ("L", 3); only when nothing but vertebra words is left."""
    regions = [letter for word in words for letter in [_region(word, tables)] if letter]
    numbers = [int(word) for word in words if word.isdigit()]
    others = [word for word in words if not word.isdigit() and not _region(word, tables)]
    if len(regions) == 1 and len(numbers) == 1 and all(_is_vertebra_word(word, tables) for word in others):
        return [(regions[0], numbers[0])], others
    return [], words


def _region(word, tables) -> str | None:
    return next((tables.regions[form] for form in (word, *base_forms(word)) if form in tables.regions), None)


def _is_vertebra_word(word, tables) -> bool:
    return word in tables.vertebra_words or any(form in tables.vertebra_words for form in base_forms(word))


def _disc(words, levels, others, reading, vocabulary, tables, known) -> Resolution | None:
    """A disc or a pair of levels that the vocabulary does not hold as one structure."""
    disc = [word for word in others if word in tables.disc_words]
    numbers = [int(word) for word in others if word.isdigit()]
    if len(levels) == 1 and len(numbers) == 1:
        letter, upper = levels[0]
        levels = [*levels, (letter, numbers[0]) if numbers[0] == upper + 1 else ("S", numbers[0])]
        others = [word for word in others if not word.isdigit()]
    names = {"intervertebral_disc_L4_L5": [("L", 4), ("L", 5)], "intervertebral_disc_L5_S1": [("L", 5), ("S", 1)]}
    rest = [word for word in others if word not in tables.disc_words | tables.connectors and word != "space"]
    if disc and rest and not levels or not levels:
        return None
    if disc and levels in names.values() and not rest and reading.kind == "none" and not reading.negation:
        return accept(vocabulary, next(one for one, pair in names.items() if pair == levels), "Disc level understood.")
    ids = [f"vertebrae_{letter}{number}" for letter, number in levels if _valid(letter, number, tables)]
    if len(ids) < len(levels):
        wrong = next(level for level in levels if not _valid(*level, tables))
        return refuse(vocabulary, _range_sentence(*wrong, tables))
    if disc:
        reason = "This disc has no name of its own here. Choose a neighbouring vertebra."
        return ask(vocabulary, ids, reason)
    return ask(vocabulary, ids, "More than one level is named. Choose one.") if len(set(ids)) > 1 else None


def _vertebra(words, levels, others, reading, vocabulary, tables, known) -> Resolution | None:
    if len(levels) != 1:
        return None
    letter, number = levels[0]
    rest = [word for word in others if not _is_vertebra_word(word, tables) and word not in tables.generic]
    if letter == "S" and reading.kind != "none" and (not others or "segment" in others or "lung" in others):
        return None  # "right S4 segment" is a segment of the lung
    if any(word in known for word in rest):
        return None
    if not _valid(letter, number, tables):
        return refuse(vocabulary, _range_sentence(letter, number, tables))
    term_id = f"vertebrae_{letter}{number}"
    name = vocabulary.name(term_id)
    if reading.kind in ("one", "both", "negated", "screen", "relative"):
        reason = f"A vertebra has no left and right version. Ask for “{name}” without the side."
        return refuse(vocabulary, reason, [term_id])
    if rest or reading.negation:
        return confirm(vocabulary, [term_id], f"Not understood: “{' '.join(rest or ['not'])}”. Go to {name}?")
    return accept(vocabulary, term_id, f"Understood as {name}.")


def _rib(words, levels, others, reading, vocabulary, tables, known) -> Resolution | None:
    ribs = [word for word in words if word in tables.rib_words]
    numbers = [int(word) for word in words if word.isdigit()]
    rest = [word for word in words if not word.isdigit() and word not in tables.rib_words | tables.connectors | {"number"}]
    if not ribs or not numbers or any(word in known and word not in tables.generic for word in rest):
        return None
    wrong = [number for number in numbers if not 1 <= number <= RIB_COUNT]
    if wrong:
        reason = f"There is no rib {wrong[0]}: ribs are numbered 1 to {RIB_COUNT}."
        return refuse(vocabulary, reason)
    sides = [reading.side] if reading.kind == "one" else ["left", "right"]
    ids = [f"rib_{side}_{number}" for number in dict.fromkeys(numbers) for side in sides]
    if len(ids) > 1:
        return ask(vocabulary, ids, "More than one rib fits. Choose the side and the number.")
    if [word for word in rest if word not in tables.generic] or reading.typo or reading.negation:
        return confirm(vocabulary, ids, f"Part of the text was not understood. Go to {vocabulary.name(ids[0])}?")
    return accept(vocabulary, ids[0], f"Understood as {vocabulary.name(ids[0])}.")


def _liver_segment(words, levels, others, reading, vocabulary, tables, known) -> Resolution | None:
    numbers = [match.group(1) for word in words for match in [_SEGMENT_NUMBER.fullmatch(word)] if match]
    rest = [word for word in words if not _SEGMENT_NUMBER.fullmatch(word)]
    segment = any(word in tables.segment_words for word in rest)
    if not segment or len(numbers) != 1 or reading.kind != "none":
        return None
    if any(word not in tables.segment_words | tables.liver_words for word in rest):
        return None
    number = int(numbers[0])
    liver = any(word in tables.liver_words for word in rest)
    if not 1 <= number <= LIVER_SEGMENT_COUNT:
        reason = f"There is no liver segment {number}: they are numbered 1 to {LIVER_SEGMENT_COUNT}."
        return refuse(vocabulary, reason)
    term_id = f"liver_segment_{number}"
    if liver and not reading.negation:
        return accept(vocabulary, term_id, f"Understood as {vocabulary.name(term_id)}.")
    reason = f"“Segment {number}” may belong to the liver or to a lung. Is {vocabulary.name(term_id)} meant?"
    return confirm(vocabulary, [term_id], reason)


def _valid(letter, number, tables) -> bool:
    return 1 <= number <= tables.level_counts[letter]


def _range_sentence(letter, number, tables) -> str:
    name, last = tables.level_names[letter], tables.level_counts[letter]
    return f"There is no vertebra {letter}{number}: {name.lower()} vertebrae are {letter}1 to {letter}{last}."
