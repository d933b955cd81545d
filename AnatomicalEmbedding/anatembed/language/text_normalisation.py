"""Turn typed text into plain comparable words."""

import re
import unicodedata

_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "ß": "ss", "ø": "o", "Œ": "oe", "Æ": "ae", "’": "'", "`": "'"})
_POSSESSIVE = re.compile(r"'s\b")
_ELISION = re.compile(r"\b[ldn]'(?=\w)")
_SEPARATORS = re.compile(r"[^0-9a-z\u3400-\u9fff]+")
_CHINESE = re.compile(r"[\u3400-\u9fff]")
_RAW_WORD = re.compile(r"[^\W_]+")
# Plural and inflected endings with what replaces them, English and Latin.
_ENDINGS = (
    ("ies", "y"),
    ("es", ""),
    ("s", ""),
    ("es", "is"),
    ("ae", "a"),
    ("i", "us"),
    ("a", "um"),
    ("ices", "ex"),
    ("ices", "ix"),
    ("oe", "e"),
)


def normalise(text: str) -> str:
    """Lower case, without accents, punctuation, possessives and French elisions; Chinese characters stay."""
    if text.isascii():
        text = text.lower().replace("`", "'")
    else:
        text = unicodedata.normalize("NFKD", text.translate(_LIGATURES).lower())
        text = "".join(letter for letter in text if not unicodedata.combining(letter))
    if "'" in text:
        text = _ELISION.sub(" ", _POSSESSIVE.sub(" ", text)).replace("'", " ")
    return _SEPARATORS.sub(" ", text).strip()


def is_chinese(text: str) -> bool:
    """True when the text holds a Chinese character."""
    return not text.isascii() and bool(_CHINESE.search(text))


def upper_case_words(text: str) -> frozenset[str]:
    """The normalised words that were typed in capitals ("LA" is an atrium, "la" may be an article)."""
    words = _RAW_WORD.findall(text)
    return frozenset(normalise(word) for word in words if word.isupper())


def base_forms(word: str) -> list[str]:
    """Singular and spelling variants that a word may stand for; the caller keeps those that it knows."""
    forms = []
    if len(word) > 3:
        forms += [word[: -len(ending)] + new for ending, new in _ENDINGS if word.endswith(ending)]
        forms += [word.replace(british, "e") for british in ("oe", "ae") if british in word]
        forms += [word + "s"]
    return forms
