"""Every name of the vocabulary as side-less words, and the search for the names that a query holds."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import NamedTuple

from anatembed.language.query_words import QueryWords
from anatembed.language.text_normalisation import base_forms, is_chinese, normalise

WEAK_TYPES = ("related", "adjective")
_NATIVE = ("en", "la")
_TYPO_COST = 0.4
_FIRST_LETTER_COST = 0.3
_ADJECTIVE_COST = 0.2
_INFLECTION_COST = 0.05


class Meaning(NamedTuple):
    """One structure that a name stands for; `side` is the side written in the name, `native` English or Latin words."""

    term_id: str
    side: str | None
    weak: bool
    abbreviation: bool
    native: bool
    lay: bool = False


@dataclass
class Name:
    """A name as sorted side-less words with everything it may mean."""

    words: tuple[str, ...]
    meanings: list[Meaning] = field(default_factory=list)


@dataclass(frozen=True)
class Match:
    """A name found in a query: what was left over, how far the spelling was off and what was corrected."""

    name: Name
    leftover: tuple[str, ...]
    score: float
    cost: float
    corrections: tuple[tuple[str, str], ...]
    certain: bool
    used: frozenset[int] = frozenset()


@dataclass(frozen=True)
class _Spelling:
    """A word of the vocabulary that a word of the query may be; `real` when the query's is a word of plain English."""

    word: str
    cost: float = 0.0
    certain: bool = True
    real: bool = False


class PhraseIndex:
    """Names by their words. Word order, side words and grammar do not matter; every word of a name must be found."""

    def __init__(self, vocabulary, tables: QueryWords, guard_words: frozenset[str]):
        self._vocabulary = vocabulary
        self._tables = tables
        self._names: dict[tuple[str, ...], Name] = {}
        self._exact: dict[str, list[Meaning]] = defaultdict(list)
        self._by_word: dict[str, list[Name]] = defaultdict(list)
        self._term_words: dict[str, set[str]] = defaultdict(set)
        self._native_words: dict[str, set[str]] = defaultdict(set)
        spellable: set[str] = set()
        for term in vocabulary.terms:
            self._add(term.id, term.preferred, "en", "preferred", spellable)
            for synonym in term.synonyms:
                self._add(term.id, synonym.text, synonym.lang, synonym.type, spellable)
        for name in self._names.values():
            for word in set(name.words):
                self._by_word[word].append(name)
        self.known = frozenset(self._by_word)
        self._fixed_words = self.known | tables.ignorable | tables.part_words | tables.head_nouns
        self._real_words = self.known | guard_words | tables.ignorable | tables.part_words | tables.head_nouns
        self._spellable = sorted(word for word in spellable if len(word) >= 4 and word.isalpha())
        names = [name for name in self._names.values() if not all(one.abbreviation for one in name.meanings)]
        self._inflectable = {word for name in names for word in name.words} - (tables.everyday_words - spellable)
        self._nouns = _nouns_of_adjectives(vocabulary)
        self._adjectives = _adjectives_of_nouns(vocabulary)
        self.native = frozenset(spellable)
        self._chinese_names = [name for name in self._names.values() if is_chinese(name.words[0])]
        self._everyday = (tables.everyday_words | tables.ignorable) - spellable

    def _add(self, term_id, text, lang, kind, spellable) -> None:
        plain = normalise(text)
        if not plain:
            return
        words, side = self._words_and_side(plain)
        if not words:
            return
        native = lang in _NATIVE and kind != "abbreviation"
        loose = (kind in WEAK_TYPES, kind == "abbreviation", native, kind == "lay")
        meaning = Meaning(term_id, side, *loose)
        name = self._names.get(words) or self._names.setdefault(words, Name(words))
        if meaning not in name.meanings:
            name.meanings.append(meaning)
        exact = self._exact[plain]
        if not exact or not any(one.term_id == term_id and one.native >= native for one in exact):
            exact.append(Meaning(term_id, None, *loose))
        self._term_words[term_id].update(words)
        if native:
            spellable.update(words)
            self._native_words[term_id].update(words)

    def _words_and_side(self, plain) -> tuple[tuple[str, ...], str | None]:
        tables = self._tables
        if is_chinese(plain):
            sides = [side for letter, side in tables.chinese_sides.items() if letter in plain]
            for letter in tables.chinese_sides:
                plain = plain.replace(letter + "侧", "").replace(letter, "")
            return (plain.replace(" ", ""),), sides[0] if len(sides) == 1 else None
        words = tables.canonical_numbers(tables.join(plain).split())
        sides = [tables.side_words[word] for word in words if word in tables.side_words]
        named = [word for word in words if word not in tables.side_words]
        content = [word for word in named if word not in tables.grammar] or named
        return tuple(sorted(content)), sides[0] if sides else None

    def exact(self, text: str) -> list[Meaning]:
        """Meanings of a normalised text that is a name as it stands, its own side words included."""
        return self._exact.get(text, [])

    def is_real(self, word: str) -> bool:
        """True for a word of any name or of plain English, which is therefore no typing error."""
        return word in self._real_words

    def is_everyday(self, word: str) -> bool:
        """True for a word that means something else in plain English ("rate", "la")."""
        return word in self._everyday

    def chinese_names(self) -> list[Name]:
        return self._chinese_names

    def chinese_wholes(self, name: Name) -> set[str]:
        """Chinese names of what the structures of a name are part of, side characters left out."""
        wholes = {whole for meaning in name.meanings for whole in self._vocabulary.ancestors(meaning.term_id)}
        return {word for whole in wholes for word in self._term_words[whole] if is_chinese(word)}

    def words_of(self, term_id: str) -> set[str]:
        """Every side-less word that occurs in a name of the structure."""
        return self._term_words[term_id]

    def native_words_of(self, term_id: str) -> set[str]:
        """Every side-less word of an English or Latin name of the structure."""
        return self._native_words[term_id]

    def nouns_of(self, adjective: str) -> list[str]:
        """One-word names by their adjective ("renal": kidney)."""
        return self._nouns.get(adjective, [])

    def forms_of(self, word: str) -> list[str]:
        """The word and its inflections that occur in names."""
        inflected = (form for form in base_forms(word) if form in self._inflectable)
        return [word, *inflected] if word in self.known else list(inflected)

    def search(self, words: tuple[str, ...], upper: frozenset[str]) -> list[Match]:
        """Names whose words all occur in the query, best first; `upper` are the words typed in capitals."""
        words, groups = self._regroup(words)
        spellings = [self._spellings(word, upper) for word in words]
        positions: dict[str, list[tuple[float, int]]] = defaultdict(list)
        for position, found in enumerate(spellings):
            for spelling in found:
                positions[spelling.word].append((spelling.cost, position))
        names = {name.words: name for word in positions for name in self._by_word.get(word, ())}
        matches = (self._match(name, words, spellings, positions) for name in names.values())
        kept = [match for match in matches if match and _keeps_together(match.used, groups)]
        return sorted(kept, key=lambda match: (-match.score, match.cost, match.name.words))

    def containing(self, words: tuple[str, ...]) -> list[Name]:
        """Names that hold every given word and more ("jugular"), shortest first."""
        groups = []
        for word in words:
            groups.append({name.words: name for form in self.forms_of(word) for name in self._by_word[form]})
        if not groups:
            return []
        common = set(groups[0]).intersection(*groups[1:])
        common = {key for key in common if not all(meaning.lay for meaning in groups[0][key].meanings)}
        return sorted((groups[0][key] for key in common), key=lambda name: (len(name.words), name.words))

    def _match(self, name, words, spellings, positions) -> Match | None:
        used: dict[int, str] = {}
        cost = 0.0
        for word in name.words:
            free = [(price, position) for price, position in positions.get(word, ()) if position not in used]
            if not free:
                return None
            price, position = min(free)
            used[position] = word
            cost += price
        chosen = {position: _spelling_of(word, spellings[position]) for position, word in used.items()}
        if not self._real_words_fit(chosen, len(words)):
            return None
        certain, corrections = True, []
        for position, word in used.items():
            spelling = chosen[position]
            certain &= spelling.certain and (spelling.cost != _ADJECTIVE_COST or len(name.words) > 1)
            if spelling.cost > _ADJECTIVE_COST:
                corrections.append((words[position], word))
        leftover = tuple(word for position, word in enumerate(words) if position not in used)
        score = sum(len(words[position]) for position in used) - 2.0 * cost
        return Match(name, leftover, score, cost, tuple(corrections), certain, frozenset(used))

    def _real_words_fit(self, chosen: dict[int, _Spelling], amount: int) -> bool:
        """A real word is an error only inside a name ("hepatic vain") that explains every word of the query."""
        real = sum(spelling.real for spelling in chosen.values())
        exact = any(spelling.cost <= _ADJECTIVE_COST and len(spelling.word) > 2 for spelling in chosen.values())
        return not real or real == 1 and exact and len(chosen) == amount

    def _spellings(self, word, upper) -> list[_Spelling]:
        if word in self._everyday and word not in upper:
            return []
        nouns = [_Spelling(noun, _ADJECTIVE_COST) for noun in self._nouns.get(word, ())]
        adjectives = (one for form in self.forms_of(word) for one in self._adjectives.get(form, ()))
        nouns += [_Spelling(one, _ADJECTIVE_COST) for one in adjectives]
        exact = self.forms_of(word)
        if exact:
            return [_Spelling(form, _INFLECTION_COST * (form != word)) for form in dict.fromkeys(exact)] + nouns
        short = len(word) <= 4 and word in upper
        if len(word) < 4 or short or word in self._fixed_words or not word.isalpha() or self._tables.is_finding(word):
            return nouns
        return nouns + self._corrected(word, word in self._real_words)

    def _corrected(self, word, real) -> list[_Spelling]:
        """Words of the vocabulary within typing distance; never an abbreviation, never an opposite."""
        from rapidfuzz import process
        from rapidfuzz.distance import OSA

        limit = 1 if real else _errors_in(word)
        nearest = process.extract(word, self._spellable, scorer=OSA.distance, score_cutoff=limit, limit=8)
        found = []
        for target, distance, _ in nearest:
            if distance > _errors_in(target) or self._are_opposites(word, target):
                continue
            first = word[0] == target[0]
            certain = not real and first and (distance == 1 and len(word) >= 5 or distance == 2 and len(word) >= 9)
            cost = distance * _TYPO_COST + (not first) * _FIRST_LETTER_COST
            found.append(_Spelling(target, cost, certain, real))
        return found

    def _are_opposites(self, word, target) -> bool:
        for one, other in self._tables.opposites:
            if word.startswith(one) and target.startswith(other) and not target.startswith(one):
                return True
            if word.startswith(other) and target.startswith(one) and not target.startswith(other):
                return True
        return False

    def _regroup(self, words) -> tuple[tuple[str, ...], list[int]]:
        """Join "brain stem" and split "breastbone" into the words that the vocabulary has, and whence each came."""
        joined: list[str] = []
        for word in words:
            spoken = joined and joined[-1] in self._tables.ignorable
            if joined and not spoken and joined[-1] + word in self.known and not {joined[-1], word} <= self.known:
                joined[-1] += word
            else:
                joined.append(word)
        result: list[str] = []
        groups: list[int] = []
        for number, word in enumerate(joined):
            parts = self._split(word)
            result += parts
            groups += [number] * len(parts)
        return tuple(result), groups

    def _split(self, word) -> list[str]:
        if word in self._real_words or self.forms_of(word):
            return [word]
        for cut in range(4, len(word) - 3):
            first, second = word[:cut], word[cut:]
            if first in self.native and second in self.native:
                return [first, second]
        return [word]


def _errors_in(word: str) -> int:
    """How many typing errors a word of its length may hold."""
    return 1 if len(word) <= 6 else 2 if len(word) <= 11 else 3


def _keeps_together(used: frozenset[int], groups: list[int]) -> bool:
    """ "Football" is not a foot: what was typed as one word is used as a whole or not at all."""
    taken = {groups[position] for position in used}
    return all(position in used for position, group in enumerate(groups) if group in taken)


def _spelling_of(word: str, spellings: list[_Spelling]) -> _Spelling:
    return min((one for one in spellings if one.word == word), key=lambda one: one.cost)


def _nouns_of_adjectives(vocabulary) -> dict[str, list[str]]:
    """One-word nouns by their adjective ("aortic": aorta), so that "abdominal aortic" finds the abdominal aorta."""
    nouns: dict[str, list[str]] = defaultdict(list)
    for term in vocabulary.terms:
        noun = normalise(term.preferred)
        for synonym in term.synonyms:
            if synonym.type == "adjective" and " " not in noun and term.laterality == "none":
                nouns[normalise(synonym.text)].append(noun)
    return nouns


def _adjectives_of_nouns(vocabulary) -> dict[str, list[str]]:
    """The adjectives of one-word names ("spleen": splenic), so that "vein of the spleen" is the splenic vein."""
    adjectives: dict[str, list[str]] = defaultdict(list)
    for term in vocabulary.terms:
        if term.laterality != "none":
            continue
        own = [word for one in term.synonyms if one.type == "adjective" and " " not in (word := normalise(one.text))]
        english = [one.text for one in term.synonyms if one.lang == "en" and one.type in ("exact", "lay")]
        for noun in map(normalise, (term.preferred, *english)):
            if " " not in noun:
                adjectives[noun] += [word for word in own if word != noun]
    return adjectives
