"""Words of a control that has only a picture: for a mouse that rests on it, and for a screen reader."""

from html import escape


def said(text: str) -> dict:
    """Keyword arguments of a widget; `text` is plain."""
    return {"raw_attrs": [f'title="{escape(text)}"', f'aria-label="{escape(text)}"']}


def hint(text: str) -> dict:
    """Keyword arguments of a widget whose own words stay; `text` is plain."""
    return {"raw_attrs": [f'title="{escape(text)}"']}
