"""Questions made from the vocabulary itself: every name, typing errors, and names that were withheld."""

from __future__ import annotations

import random
import string
from collections.abc import Iterator
from dataclasses import replace

from anatembed.language.finding_words import load_finding_words
from anatembed.language.query_words import load_query_words
from anatembed.language.text_normalisation import normalise
from anatembed.language.vocabulary import Vocabulary

from research.evaluation.questions import Question

LANGUAGES = {"en": "English", "la": "Latin", "fr": "French", "de": "German", "es": "Spanish", "zh": "Chinese"}
FOREIGN = ("la", "fr", "de", "es")
NOT_NAMES = ("adjective", "related")
FOLDS = 5
MIN_LETTERS = 5


def name_questions(vocabulary: Vocabulary, languages=tuple(LANGUAGES)) -> list[Question]:
    """Every name of every structure that can be searched; a name that several share may mean any of them."""
    owners: dict[tuple[str, str], set[str]] = {}
    texts: dict[tuple[str, str], str] = {}
    findings = load_finding_words().structures
    for term in vocabulary.terms:
        if (term.base or term.id) in findings:
            continue
        named = [(term.preferred, "en")] + [(one.text, one.lang) for one in term.synonyms if one.type not in NOT_NAMES]
        for text, language in named:
            key = (language, normalise(text))
            texts.setdefault(key, text)
            owners.setdefault(key, set()).update(_meant(term.id, vocabulary))
    plain: dict[str, set[str]] = {}
    for (_, name), ids in owners.items():
        plain.setdefault(name, set()).update(ids)
    return [
        Question(texts[key], LANGUAGES[key[0]], tuple(sorted(plain[key[1]])), _answer(plain[key[1]]))
        for key in texts
        if key[0] in languages
    ]


def _meant(term_id: str, vocabulary: Vocabulary) -> tuple[str, ...]:
    sides = vocabulary.sides(term_id) if vocabulary[term_id].laterality == "none" else {}
    return tuple(sides.values()) or (term_id,)


def _answer(ids: set[str]) -> str:
    return "one" if len(ids) == 1 else "sides"


def typo_questions(vocabulary: Vocabulary, amount: int, seed: int = 0) -> list[Question]:
    """English and Latin names with one typing error in a word of at least five letters; sides stay as they are."""
    chosen = random.Random(seed)
    sides = load_query_words().side_words
    names = name_questions(vocabulary, ("en", "la"))
    sources = [one for one in names if _long_words(one.text, sides)]
    taken = {normalise(one.text) for one in names}
    questions = []
    while len(questions) < amount:
        source = chosen.choice(sources)
        words = normalise(source.text).split()
        position = chosen.choice(_long_words(source.text, sides))
        words[position] = misspelt(words[position], chosen)
        if " ".join(words) not in taken:
            questions.append(replace(source, text=" ".join(words), group="one typing error"))
    return questions


def _long_words(text: str, sides) -> list[int]:
    words = normalise(text).split()
    return [n for n, word in enumerate(words) if len(word) >= MIN_LETTERS and word.isalpha() and word not in sides]


def misspelt(word: str, chosen: random.Random) -> str:
    """The word with one letter left out, doubled, replaced or added, or two neighbours swapped."""
    while True:
        place, letter = chosen.randrange(len(word)), chosen.choice(string.ascii_lowercase)
        wrong = chosen.choice(
            (
                word[:place] + word[place + 1 :],
                word[:place] + word[place] + word[place:],
                word[:place] + letter + word[place + 1 :],
                word[:place] + letter + word[place:],
                word[:place] + word[place + 1 : place + 2] + word[place] + word[place + 2 :],
            )
        )
        if wrong != word and wrong.isascii():
            return wrong


def withheld_folds(
    vocabulary: Vocabulary, languages=FOREIGN, folds: int = FOLDS
) -> Iterator[tuple[Vocabulary, list[Question]]]:
    """Vocabularies that lack the names of some structures in `languages`, each with questions for these names.

    Structures are dealt out in turn, each with its sides, so that no form of a withheld name stays behind in the other
    side. A name that another structure or language still has is not asked.
    """
    families = list(dict.fromkeys(term.base or term.id for term in vocabulary.terms))
    fold_of = {family: n % folds for n, family in enumerate(families)}
    for fold in range(folds):
        terms, held = [], []
        for term in vocabulary.terms:
            mine = fold_of[term.base or term.id] == fold
            kept = tuple(one for one in term.synonyms if not (mine and one.lang in languages))
            terms.append(replace(term, synonyms=kept))
            if mine and not term.base:
                held += [(one, term.id) for one in term.synonyms if one.lang in languages and one.type not in NOT_NAMES]
        reduced = Vocabulary(terms, vocabulary.aliases, vocabulary.attribution)
        known = {normalise(text) for term in terms for text in (term.preferred, *(one.text for one in term.synonyms))}
        questions = []
        for synonym, term_id in held:
            if normalise(synonym.text) not in known:
                ids = _meant(term_id, vocabulary)
                questions.append(Question(synonym.text, LANGUAGES[synonym.lang], ids, _answer(set(ids))))
        yield reduced, questions
