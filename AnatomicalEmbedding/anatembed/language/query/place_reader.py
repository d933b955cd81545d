"""Read a typed text as a place and the name of a structure; the name is left to the resolver, its side included."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain

from anatembed.language.query.candidate import Candidate
from anatembed.language.query.landmark_reader import LandmarkReader, TypedPart
from anatembed.language.query.place_phrase import PlacePhrase, at_level, beside, between, part_of
from anatembed.language.query.place_words import Phrase, PlaceWords
from anatembed.language.query.resolution import Resolution
from anatembed.language.query_words import QueryWords
from anatembed.language.text_normalisation import upper_case_words

Named = Callable[[str], Resolution]
NamedWords = Callable[[Phrase], Resolution]
_SIDE_LETTERS = {"l": "left", "r": "right"}
LANDMARK_NOUN = "part"
"""How a dome, apex, base or tip is called once its directions are known."""


class PlaceReader:
    """Finds places in a text that the vocabulary alone does not explain.

    Nothing is guessed: a text that is not a place and the name of a structure keeps the answer that it had.
    """

    def __init__(self, vocabulary, tables: QueryWords, words: PlaceWords):
        self._vocabulary, self._tables, self._words = vocabulary, tables, words
        self._single_words = words.single_words
        self._landmarks = LandmarkReader(tables, words)

    def read(self, text: str, plain: str, found: Resolution, resolve: Named) -> Resolution | None:
        """The resolution of the structure in a text with its place, or None when there is none.

        plain: the normalised text. found: what it means without places. resolve: gives the meaning of a name.
        """
        tokens = self._tokens(plain)
        if not tokens or any(word in self._tables.negation or word in self._tables.screen for word in tokens):
            return None
        upper = upper_case_words(text)

        def named(words: Phrase) -> Resolution:
            return resolve(" ".join(word.upper() if word in upper else word for word in words))

        if found.outcome == "accept" and not any(_begins(tokens, phrase) for phrase in self._words.swallowed):
            return self._swallowed_part(tokens, found, named)
        relations = (self._between, self._beside, self._level)
        related = next(filter(None, (relation(tokens, named) for relation in relations)), None)
        return related or self._part(tokens, found, named)

    def _tokens(self, plain: str) -> Phrase:
        """The words without commands around them and with short directions written out."""
        tables = self._tables
        words = tables.drop_commands(plain).split()
        written = [tables.expansions.get(word, word) for word in words]
        words = [long if self._words.directions_of(long) else word for word, long in zip(words, written, strict=True)]
        while words and words[0] in tables.ignorable and words[0] not in self._single_words:
            words.pop(0)
        while words and words[-1] in tables.command and words[-1] not in self._single_words:
            words.pop()
        return tuple(words)

    # Relations

    def _between(self, tokens: Phrase, named: NamedWords) -> Resolution | None:
        rest = self._after(tokens, self._words.between)
        if not rest:
            return None
        for phrase in self._words.both:
            if _begins(rest, phrase):
                return self._between_sides(self._clear(rest[len(phrase) :], named))
        for position, word in enumerate(rest):
            if word in self._words.conjunctions and 0 < position < len(rest) - 1:
                found = self._between_two(*self._completed(rest[:position], rest[position + 1 :]), named)
                if found:
                    return found
        return self._between_sides(self._clear(rest, named))

    def _completed(self, first: Phrase, second: Phrase) -> tuple[Phrase, Phrase]:
        """ "left and right kidney": a name of which only the side is written takes its noun from the other."""
        sides, articles = self._tables.side_words, self._words.articles

        def noun(words: Phrase) -> Phrase:
            return tuple(word for word in words if word not in sides)

        if articles.issuperset(noun(first)):
            return first + noun(second), second
        return first, second + noun(first) if articles.issuperset(noun(second)) else second

    def _between_two(self, first: Phrase, second: Phrase, named: NamedWords) -> Resolution | None:
        one, other = self._clear(first, named), self._clear(second, named)
        if other and other.outcome == "ask":
            one, other = other, one
        if not (one and other) or other.outcome != "accept" or other.candidates[0] in one.candidates:
            return None
        return self._placed(one, between(other.candidates[0]))

    def _between_sides(self, found: Resolution | None) -> Resolution | None:
        """ "Between the kidneys"."""
        if found is None or found.outcome != "ask" or len(found.candidates) != 2:
            return None
        one, other = found.candidates
        return self._placed(replace(found, outcome="accept", candidates=(one,)), between(other))

    def _beside(self, tokens: Phrase, named: NamedWords) -> Resolution | None:
        tokens = self._without_lead(tokens)
        for phrase, relation in self._words.relations:
            if _begins(tokens, phrase) and len(tokens) > len(phrase):
                found = self._clear(tokens[len(phrase) :], named)
                return self._placed(found, beside(relation, self._words)) if found else None
        return None

    def _level(self, tokens: Phrase, named: NamedWords) -> Resolution | None:
        for name, height in self._levels(tokens):
            other = self._clear(height, named)
            found = self._clear(name, named) if other else None
            if other and found and not set(found.candidates) & set(other.candidates):
                return self._placed(found, at_level(other.candidates))
        return None

    def _levels(self, tokens: Phrase) -> Iterator[tuple[Phrase, Phrase]]:
        """Names and what may give their height, the longest words for a level first."""
        for phrase in self._words.level:
            for start in range(1, len(tokens) - len(phrase)):
                if tokens[start : start + len(phrase)] == phrase:
                    yield tokens[:start], tokens[start + len(phrase) :]
        if len(tokens) > 2 and tokens[-1] == "level":
            yield tokens[:-2], tokens[-2:]

    def _after(self, tokens: Phrase, phrases: tuple[Phrase, ...]) -> Phrase:
        tokens = self._without_lead(tokens)
        return next((tokens[len(phrase) :] for phrase in phrases if _begins(tokens, phrase)), ())

    def _without_lead(self, tokens: Phrase) -> Phrase:
        """ "The space between" is "between"."""
        words = self._words
        while tokens and (tokens[0] in words.lead_in or tokens[0] in words.articles):
            tokens = tokens[1:]
        return tokens

    # Parts

    def _part(self, tokens: Phrase, found: Resolution, named: NamedWords) -> Resolution | None:
        if found.outcome == "ask" and self._clear(tokens, named):
            return None  # "upper arm bone" only lacks its side
        typed = chain(*(reading(tokens) for reading in self._ways), self._parts_around(tokens, named))
        placed = (self._of_typed_part(part, found, named) for part in typed if part.name)
        answer = next(filter(None, placed), None)
        if answer or found.outcome != "refuse" or any(one.side for one in found.candidates):
            return answer
        return self._half(tokens, named)

    @property
    def _ways(self) -> tuple[Callable[[Phrase], Iterator[TypedPart]], ...]:
        """How a part can be typed, what is called by a name of its own first."""
        return self._landmarks.read, self._parts, self._parts_behind

    def _of_typed_part(self, part: TypedPart, found: Resolution, named: NamedWords) -> Resolution | None:
        resolution = named((*part.sides, *part.name))
        if part.sides and self._may_have_sides(part, resolution):
            resolution, part = self._side_as_direction(part, resolution, named)
        return self._with_part(part, resolution, found, named)

    def _half(self, tokens: Phrase, named: NamedWords) -> Resolution | None:
        """ "Right cerebellum": what is known as a whole over both sides has a half on each; to be confirmed."""
        words, name = self._landmarks.without_sides(tuple(_SIDE_LETTERS.get(word, word) for word in tokens))
        sides = {self._tables.side_words[word] for word in words}
        whole = named(name) if len(sides) == 1 and name else None
        if whole is None or whole.outcome != "accept":
            return None
        if whole.candidates[0].id not in self._tables.whole_for_both_sides:
            return None
        return self._placed(replace(whole, outcome="confirm"), part_of((sides.pop(),), "half", self._words))

    def _swallowed_part(self, tokens: Phrase, found: Resolution, named: NamedWords) -> Resolution | None:
        """ "Upper part of the left femur": the name alone means the same structure, so the rest names its part."""
        concept_id = found.candidates[0].id
        for part in chain.from_iterable(reading(tokens) for reading in self._ways):
            plain = named((*part.sides, *part.name)) if part.name and (part.word or part.noun) else None
            directions = part.directions + (self._directions_for(part.word, concept_id) or ())
            if plain and directions and plain.outcome == "accept" and plain.candidates[0].id == concept_id:
                return self._placed(plain, self._place(directions, part))
        return None

    def _place(self, directions: tuple[str, ...], part: TypedPart) -> PlacePhrase:
        return part_of(tuple(dict.fromkeys(directions)), part.noun or LANDMARK_NOUN, self._words)

    def _with_part(
        self, part: TypedPart, resolution: Resolution, found: Resolution, named: NamedWords
    ) -> Resolution | None:
        """The name with its part; None where the vocabulary has a finer name, or the words may mean something else."""
        if resolution.outcome == "refuse" or not self._is_one_family(resolution.candidates):
            return None
        own = self._directions_for(part.word, resolution.candidates[0].id)
        directions = part.directions + (own or ())
        if own is None or not directions:
            return None
        place = self._place(directions, part)
        if not part.certain:
            return self._with_uncertain_part(part, place, resolution, found, named)
        return None if self._is_finer(found, resolution) else self._placed(resolution, place)

    def _with_uncertain_part(
        self, part: TypedPart, place: PlacePhrase, resolution: Resolution, found: Resolution, named: NamedWords
    ) -> Resolution | None:
        """Words that may say something else are a part only where the name alone means what the text means."""
        if found.outcome == "refuse" or _ids(resolution) != _ids(found):
            return None
        plain = self._clear((*part.sides, *part.name), named)
        return self._placed(replace(plain, outcome=found.outcome), place) if plain else None

    def _is_finer(self, found: Resolution, resolution: Resolution) -> bool:
        """Whether the vocabulary has a name for a part of the structure, and that is what the text means."""
        if found.outcome == "refuse":
            return False
        return any(_ids(resolution) & set(self._vocabulary.ancestors(one)) for one in _ids(found))

    def _side_as_direction(
        self, part: TypedPart, resolution: Resolution, named: NamedWords
    ) -> tuple[Resolution, TypedPart]:
        """ "Left part of the bladder": left of what has no sides is a direction; of all others, it is the side."""
        other = named(part.name)
        sides = {self._tables.side_words[word] for word in part.sides if word in self._tables.side_words}
        sided = part.word in self._words.landmarks_with_sides
        clear = other.outcome == "accept" or sided and other.outcome == "confirm"
        term = self._vocabulary[other.candidates[0].id] if clear else None
        written = any(word in self._tables.side_words for word in part.name)
        if term is None or len(sides) != 1 or written or term.side_policy != "unpaired":
            return resolution, part
        return other, replace(part, directions=part.directions + (sides.pop(),), sides=())

    def _may_have_sides(self, part: TypedPart, resolution: Resolution) -> bool:
        """True where "left" may say which part of an unpaired structure: its left pedicle, its left half."""
        if part.word in self._words.landmarks_with_sides:
            return True
        return resolution.outcome == "refuse" and part.noun not in ("", "pole", "end")

    def _directions_for(self, word: str, concept_id: str) -> tuple[str, ...] | None:
        """What "apex" or "distal" means of a structure; None where it means nothing."""
        if not word:
            return ()
        base = self._vocabulary[concept_id].base or concept_id
        if word in self._words.along:
            direction = self._words.along[word].get(base)
            return (direction,) if direction else None
        meanings, family = self._words.landmarks.get(word, {}), base.split("_")[0]
        keys = (concept_id, base, *([family] if family == "vertebrae" else []))
        return next((tuple(meanings[key]) for key in keys if key in meanings), None)

    def _parts(self, tokens: Phrase) -> Iterator[TypedPart]:
        """ "Upper pole of the right kidney", "upper third right femur"."""
        end = self._run(tokens)
        part = self._group(tokens[:end])
        if part is None:
            return
        rest = tokens[end:]
        of = rest[:1] and rest[0] in self._words.of
        if part.noun in ("third", "half") and not of and rest and rest[0] in self._tables_of_numbers:
            return
        sides, name = self._landmarks.without_sides(self._landmarks.name(rest))
        yield replace(part, name=name, sides=part.sides + sides)

    def _parts_behind(self, tokens: Phrase) -> Iterator[TypedPart]:
        """ "Right kidney upper pole"."""
        length = self._run(tokens[::-1])
        part = self._group(tokens[len(tokens) - length :])
        if part is not None:
            yield replace(part, name=tokens[: len(tokens) - length])

    def _parts_around(self, tokens: Phrase, named: NamedWords) -> Iterator[TypedPart]:
        """ "Posterior tracheal wall", "left bladder wall"; not "superior mesenteric artery wall": that is its name."""
        start = next((at for at, word in enumerate(tokens) if not self._landmarks.only_place((word,))), 0)
        if tokens[-1] not in self._words.nouns or not 0 < start < len(tokens) - 1 or self._clear(tokens[:-1], named):
            return
        part = self._group((*tokens[:start], tokens[-1]))
        if part is not None:
            yield replace(part, name=tokens[start:-1])

    @property
    def _tables_of_numbers(self) -> frozenset[str]:
        """Words after which "third" is a number: "upper third rib"."""
        tables = self._tables
        counted = tables.rib_words | tables.vertebra_words | tables.segment_words | tables.disc_words
        return counted | self._words.counted

    def _run(self, tokens: Phrase) -> int:
        """How many of the first words may belong to a part."""
        words = self._words
        for position, word in enumerate(tokens):
            place = words.directions_of(word) or word in words.nouns or word in words.along
            joining = word in words.conjunctions and 0 < position < len(tokens) - 1
            if not (place or self._landmarks.is_side(word) or joining):
                return position
        return len(tokens)

    def _group(self, tokens: Phrase) -> TypedPart | None:
        """The part that words name which hold nothing else; None for two nouns, or for a noun alone."""
        words = self._words
        directions = tuple(one for word in tokens for one in words.directions_of(word))
        nouns = self._nouns(tokens)
        along = [word for word in tokens if word in words.along]
        sides = tuple(word for word in tokens if self._landmarks.is_side(word) or word in self._tables.both)
        says_where = directions or along or nouns and sides
        if len(nouns) > 1 or len(along) > 1 or not says_where:
            return None
        certain = bool(nouns or along or words.certain.intersection(tokens))
        return TypedPart(directions, "".join(nouns), (), "".join(along), sides, certain)

    def _nouns(self, tokens: Phrase) -> list[str]:
        nouns = self._words.nouns
        return [nouns[word] for word in tokens if word in nouns and not self._words.directions_of(word)]

    # Outcomes

    def _clear(self, words: Phrase, named: NamedWords) -> Resolution | None:
        """The meaning of a name that is fully understood, its side possibly missing; else None."""
        resolution = named(words)
        if resolution.outcome == "accept":
            return resolution
        if resolution.outcome != "ask" or not self._is_one_family(resolution.candidates):
            return None
        bare = tuple(word for word in words if not self._landmarks.is_side(word))
        return resolution if named(("left", *bare)).outcome == "accept" else None

    def _is_one_family(self, candidates: tuple[Candidate, ...]) -> bool:
        return len({self._vocabulary[one.id].base or one.id for one in candidates}) == 1

    def _placed(self, resolution: Resolution, place: PlacePhrase) -> Resolution:
        first = self._vocabulary[resolution.candidates[0].id]
        name = first.base if resolution.outcome == "ask" and first.base else first.id
        label = place.label(self._vocabulary.name(name))
        reason = f"“{label}”: {resolution.reason}"
        if resolution.outcome == "accept":
            reason = f"“{label}” is named."
        elif resolution.outcome == "confirm":
            doubt, question, _ = resolution.reason.rpartition("Go to ")
            reason = f"{doubt}Go to “{label}”?" if question else f"“{label}” is probably meant. Go there?"
        return replace(resolution, reason=reason, place=place)


def _begins(tokens: Phrase, phrase: Phrase) -> bool:
    return tokens[: len(phrase)] == phrase


def _ids(resolution: Resolution) -> set[str]:
    return {one.id for one in resolution.candidates}
