"""Chinese queries: the longest name that the text holds, with its side characters read apart."""

from anatembed.language.sides import SideReading


def read_chinese(text: str, tables) -> tuple[str, SideReading]:
    """The text without commands and side characters, and what these said."""
    both = any(word in text for word in tables.chinese_both)
    for word in tables.chinese_both:
        text = text.replace(word, "")
    for letter in tables.chinese_sides:
        text = text.replace(letter + "侧", letter)
    body = tables.chinese_command.sub("", text).replace(" ", "")
    sides = []
    for letter, side in tables.chinese_sides.items():
        if letter in body:
            sides.append(side)
            body = body.replace(letter, "")
    if both or len(sides) == 2:
        return body, SideReading((body,), "both")
    return body, SideReading((body,), "one" if sides else "none", sides[0] if sides else None)


def longest_name(body: str, names):
    """The longest name inside the text, or None; a single character must be the whole text."""
    inside = [name for name in names if name.words[0] == body or (len(name.words[0]) > 1 and name.words[0] in body)]
    return max(inside, key=lambda name: len(name.words[0]), default=None)
