"""Numbers in the words of a radiologist: confidences, positions, times."""

from slicer.i18n import tr as _

SURE = 0.5


def percent(probability: float) -> str:
    """Whole percent, rounded down: 49.9 % is not yet a half, and nearly sure is not sure."""
    return f"{int(100 * probability)}%"


def placeConfidence(probability: float) -> str:
    """How sure a place is; said plainly when it is more likely wrong than right."""
    if probability < SURE:
        return _("{percent}, uncertain place").format(percent=percent(probability))
    return percent(probability)


def nameConfidence(probability: float) -> str:
    """How sure a name is; said plainly when it is more likely wrong than right."""
    if probability < SURE:
        return _("{percent}, uncertain").format(percent=percent(probability))
    return percent(probability)


def position(position_ras) -> str:
    """World RAS mm by the letters of the viewer: "R 62, P 8, I 21 mm"."""
    return letters(position_ras) + " mm"


def letters(position_ras) -> str:
    """The same without the unit, for a column that names it."""
    return ", ".join(
        f"{positive if value >= 0 else negative} {abs(value):.0f}"
        for value, (positive, negative) in zip(position_ras, ("RL", "AP", "SI"), strict=True)
    )


def timeLeft(seconds: float | None) -> str:
    """Empty when it is not known."""
    if seconds is None:
        return ""
    if seconds < 90:
        return _("about {count} s left").format(count=max(1, round(seconds)))
    return _("about {count} min left").format(count=round(seconds / 60))


def size(count: int) -> str:
    """Bytes in MB or GB."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


def capital(text: str) -> str:
    """The text with a capital letter in front: the vocabulary writes names as they stand within a sentence."""
    return text[:1].upper() + text[1:]


def sentence(text: str) -> str:
    """The text with a capital letter in front and one full stop at its end."""
    text = capital(text.strip())
    return text if text.endswith((".", "?", "!")) else f"{text}."
