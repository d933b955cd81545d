"""Chinese queries: the name that explains most of the text, with its side characters read apart."""

import re

from anatembed.language.sides import SideReading


def read_chinese(text: str, tables) -> tuple[str, SideReading]:
    """The text without commands and side characters, and what these said."""
    text = text.translate(tables.chinese_traditional)
    both = any(word in text for word in tables.chinese_both)
    for word in tables.chinese_both:
        text = text.replace(word, "")
    for letter in tables.chinese_sides:
        text = text.replace(letter + "侧", letter).replace(letter + "边", letter)
    body = tables.chinese_command.sub("", text).replace(" ", "")
    sides = []
    for letter, side in tables.chinese_sides.items():
        if letter in body:
            sides.append(side)
            body = body.replace(letter, "")
    body = _with_digits(body, tables)
    if both or len(sides) == 2:
        return body, SideReading((body,), "both")
    return body, SideReading((body,), "one" if sides else "none", sides[0] if sides else None)


def _with_digits(body: str, tables) -> str:
    """ "第三腰椎", "腰3椎" and "三腰椎" as the names have them: "第3腰椎"."""
    numeral = "|".join(sorted(tables.chinese_numerals, key=len, reverse=True))
    value = {**tables.chinese_numerals, **{str(number): number for number in tables.chinese_numerals.values()}}
    counted = f"[{tables.chinese_counted}]"
    body = re.sub(rf"第?({numeral}|\d+)(?={counted})", lambda found: f"第{_value(found[1], value)}", body)
    after = rf"(?<!第)(?<!\d)({counted})({numeral}|\d+)(椎?)"
    return re.sub(after, lambda found: f"第{_value(found[2], value)}{found[1]}{found[3] or _bone(found[1])}", body)


def _value(written: str, value: dict[str, int]) -> int:
    return value.get(written) or int(written)


def _bone(letter: str) -> str:
    return "" if letter == "肋" else "椎"


def best_name(body: str, names, wholes):
    """The name inside the text that leaves least unexplained, with what is left; (None, body) without one.

    wholes: gives the Chinese names of what a name's structure is part of: "气管隆突" is the carina of the trachea. A
    single character must be the whole text.
    """
    best, best_rest = None, body
    for name in names:
        word = name.words[0]
        if word != body and (len(word) < 2 or word not in body):
            continue
        rest = body.replace(word, "", 1)
        for whole in sorted(wholes(name), key=len, reverse=True):
            rest = rest.replace(whole, "")
        if best is None or (len(rest), -len(word)) < (len(best_rest), -len(best.words[0])):
            best, best_rest = name, rest
    return best, best_rest
