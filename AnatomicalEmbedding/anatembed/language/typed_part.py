"""Words that name a part of a structure, before the structure is known."""

from dataclasses import dataclass

from anatembed.language.place_words import Phrase


@dataclass(frozen=True)
class TypedPart:
    """Words that name a part, and the words that are left for the name of the structure.

    directions: of the words. noun: how large ("" where only a direction is typed). word: a word or phrase whose
    directions differ from structure to structure (apex, distal, spinous process). sides: side words that stood among
    the words of the part. certain: False where the words may say something else.
    """

    directions: tuple[str, ...]
    noun: str
    name: Phrase
    word: str = ""
    sides: Phrase = ()
    certain: bool = True
