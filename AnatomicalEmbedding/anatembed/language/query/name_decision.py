"""From the names found in a query to an outcome with its reason in plain words."""

from dataclasses import dataclass
from functools import cached_property

from anatembed.language.query.phrase_index import Match, PhraseIndex
from anatembed.language.query.resolution import Resolution, accept, ask, confirm, refuse
from anatembed.language.query.side_policy import Verdict, judge
from anatembed.language.query_words import QueryWords
from anatembed.language.sides import SideReading
from anatembed.language.text_normalisation import normalise

_MAX_CANDIDATES = 8
_MAX_SUGGESTIONS = 3
_SUGGESTION_CUTOFF = 75
# A name that explains less than this share of the letters is a coincidence ("eye of a distant hurricane").
_MIN_EXPLAINED = 0.33
_TYPO_CONFIDENCE = 0.9
_WHICH_SIDE = {
    "none": "“{name}” exists on both sides. Choose left or right.",
    "one": "“{name}” exists on both sides. Choose left or right.",
    "both": "Both sides are named. Choose one.",
    "negated": "Only the side that is not wanted is named. Choose the side.",
    "screen": "A side of the image is not the side of the patient. Choose the patient's left or right.",
    "relative": "“To the left (or right) of” is not understood. Choose the patient's left or right.",
}


@dataclass(frozen=True)
class _Found:
    """The names that explain the query best, judged together."""

    verdict: Verdict
    match: Match
    unexplained: tuple[str, ...]


class NameDecision:
    """Decide between accept, confirm, ask and refuse for names of the vocabulary."""

    def __init__(self, vocabulary, index: PhraseIndex, tables: QueryWords):
        self._vocabulary = vocabulary
        self._index = index
        self._tables = tables

    @cached_property
    def _plain_names(self) -> dict[str | None, dict[str, str]]:
        """Normalised names by id, of each side, and of all terms under None."""
        names: dict[str | None, dict[str, str]] = {None: {}, "left": {}, "right": {}, "none": {}}
        for term in self._vocabulary.terms:
            names[None][term.id] = names[term.laterality][term.id] = normalise(term.preferred)
        return names

    def unknown(self, text, side=None) -> Resolution:
        """Refuse a text in which no structure was recognised, with near names as suggestions."""
        suggestions = self._suggestions(normalise(text), side)
        reason = f"No anatomical structure was recognised in “{text[:60]}”. "
        if suggestions:
            names = " or ".join(f"“{self._vocabulary.name(one)}”" for one in suggestions)
            reason += f"Is {names} meant? Type that name to search for it."
        else:
            reason += "Type the name of a structure, for example “left kidney”."
        return refuse(self._vocabulary, reason, suggestions, unknown=any(map(str.isalpha, text)))

    def could_name(self, words: tuple[str, ...], term_id: str) -> bool:
        """False when the words say of another structure or of none: "close the window", "tibial nerve"."""
        tables, term = self._tables, self._vocabulary[term_id]
        own = self._index.native_words_of(term_id) | self._index.native_words_of(term.base or term_id)
        foreign_noun = any(word in tables.head_nouns and not self._is_one_of(word, own) for word in words)
        if foreign_noun or any(map(tables.is_finding, words)):
            return False
        if any(tables.opposite_words.get(word, frozenset()) & own and word not in own for word in words):
            return False
        vague = any(word in tables.unspecific for word in words)
        return not vague or any(self._is_specific(word) and self._index.forms_of(word) for word in words)

    def of_exact_name(self, verdict: Verdict, plain, everyday) -> Resolution:
        """A text that is a name as it stands; `everyday` when it is also a plain English word."""
        reading = SideReading(())
        doubt = f"“{plain}” is also an everyday word." if everyday else None
        explanation = f"“{self._vocabulary.name(verdict.term_ids[0])}” is named."
        return self._fitting(verdict, reading, doubt, plain, explanation)

    def of_chinese_name(self, verdict: Verdict, reading, rest, text) -> Resolution:
        if verdict.kind in ("unpaired", "wrong_side"):
            return self._side_refused(verdict, reading)
        if len(rest) > len(text) * (1 - _MIN_EXPLAINED) or self._tables.chinese_other.search(rest):
            return self.unknown(text)
        doubt = f"Not understood: “{rest}”." if rest else None
        return self._fitting(verdict, reading, doubt, text, "Understood.")

    def of_words(self, words, reading: SideReading, upper, text) -> Resolution:
        """The outcome for the side-less words of a query."""
        matches = self._index.search(words, upper)
        found = self._best(matches, reading) if matches else None
        hint = found is not None and found.verdict.weak and len(found.match.name.words) == 1
        if found is None or found.unexplained or hint:
            partial = self._partial(words, reading)
            if partial:
                return partial
        if found is None:
            return self.unknown(text, reading.side)
        if found.verdict.kind in ("unpaired", "wrong_side"):
            return self._side_refused(found.verdict, reading)
        second = self._second_structure(found, reading, upper)
        if second and not self._is_only_a_kind(found):
            ids = tuple(dict.fromkeys(self._offered(found.verdict) + second))[:_MAX_CANDIDATES]
            return ask(self._vocabulary, ids, "More than one structure is named. Choose one.")
        if self._would_choose_a_side(found, reading):
            partial = self._partial(found.match.name.words, reading)
            return partial if partial and partial.outcome == "ask" else self._not_in_vocabulary(found, text)
        if self._is_something_else(found, words, upper, reading):
            return self._not_in_vocabulary(found, text)
        return self._fitting(found.verdict, reading, self._doubt(found, reading), text, self._explanation(found))

    def _best(self, matches, reading) -> _Found:
        """The best names; one that fits the side goes before an equal one that does not, equal structures join."""
        tied = [match for match in matches if match.score > matches[0].score - 1e-6]
        judged = [(judge(match.name.meanings, reading, self._vocabulary), match) for match in tied]
        order = ("one", "sides", "wrong_side", "unpaired")
        kind = min((verdict.kind for verdict, _ in judged), key=order.index)
        joined = ("one", "sides") if kind == "one" and reading.kind == "none" else (kind,)
        judged = [(verdict, match) for verdict, match in judged if verdict.kind in joined]
        weak = all(verdict.weak for verdict, _ in judged)
        judged = [(verdict, match) for verdict, match in judged if verdict.weak == weak]
        ids = tuple(dict.fromkeys(one for verdict, _ in judged for one in verdict.term_ids))
        abbreviation = all(verdict.abbreviation for verdict, _ in judged)
        match = judged[0][1]
        return _Found(Verdict(kind, ids, weak, abbreviation), match, self._unexplained(match, ids, reading))

    def _unexplained(self, match: Match, ids, reading) -> tuple[str, ...]:
        """Leftover words that neither grammar nor the structure itself nor what it is part of explains."""
        if not match.leftover:
            return ()
        tables = self._tables
        explained = set(tables.ignorable | tables.generic | tables.connectors | tables.negation)
        if reading.kind == "screen":
            explained |= tables.screen
        for term_id in ids[:2]:
            term = self._vocabulary[term_id]
            explained.update(tables.generic_for_category.get(term.category, ()))
            for whole in self._vocabulary.ancestors(term_id):
                explained |= self._index.native_words_of(whole) - tables.part_words
            explained |= self._index.words_of(term_id) | self._index.words_of(term.base or term_id)
        return tuple(word for word in match.leftover if not self._is_one_of(word, explained))

    def _is_one_of(self, word, explained) -> bool:
        return word in explained or any(form in explained for form in self._index.forms_of(word))

    def _second_structure(self, found: _Found, reading, upper) -> tuple[str, ...]:
        """Ids of another structure that the leftover words name in full ("liver kidney")."""
        rest = tuple(word for word in found.unexplained if word not in self._tables.part_words)
        matches = self._index.search(rest, upper) if rest else []
        if not matches or matches[0].corrections or matches[0].leftover:
            return ()
        verdict = judge(matches[0].name.meanings, reading, self._vocabulary)
        native = any(meaning.native for meaning in matches[0].name.meanings)
        unsaid = self._tables.head_nouns | self._tables.kinds | self._tables.everyday_words
        if all(self._is_one_of(word, unsaid) for word in matches[0].name.words):
            return ()  # "main renal artery" has no hand in it ("main", French)
        return self._offered(verdict) if native and not verdict.weak and verdict.kind in ("one", "sides") else ()

    def _offered(self, verdict: Verdict) -> tuple[str, ...]:
        """The ids of a verdict; both sides where a name is only known with one, but the structure has two."""
        ids = verdict.term_ids
        if verdict.kind == "sides" and len(ids) == 1 and self._vocabulary[ids[0]].base:
            return tuple(self._vocabulary.sides(ids[0]).values())
        return ids

    def _is_something_else(self, found: _Found, words, upper, reading) -> bool:
        """True when the words that stay unexplained name something other than the structure found."""
        if not found.unexplained:
            return False
        return (
            not self._tables.head_nouns.isdisjoint(found.unexplained)
            or self._names_the_opposite(found)
            or self._is_only_a_kind(found)
            or self._is_another_of_its_kind(found)
            or self._is_mostly_unexplained(found, reading)
            or self._is_a_doubtful_name_among_others(found, words, upper)
        )

    def _is_mostly_unexplained(self, found: _Found, reading) -> bool:
        beside = self._tables.part_words
        rest = sum(len(word) for word in found.unexplained if not self._tables.is_finding(word) and word not in beside)
        understood = found.match.score + len(reading.side or "")
        return understood < _MIN_EXPLAINED * (understood + rest)

    def _is_a_doubtful_name_among_others(self, found: _Found, words, upper) -> bool:
        """A short form in small letters, or a name that was corrected, beside words that are no part of it."""
        if self._tables.part_words.issuperset(found.unexplained):
            return False
        return found.verdict.abbreviation and upper.isdisjoint(words) or not found.match.certain

    def _would_choose_a_side(self, found: _Found, reading) -> bool:
        """True when no side is typed, a word is not understood, and the name belongs to one side only: "coronary x"."""
        if reading.kind != "none" or found.verdict.kind != "sides" or not found.unexplained:
            return False
        return len(found.verdict.term_ids) == 1 and not self._vocabulary[found.verdict.term_ids[0]].base

    def _is_only_a_kind(self, found: _Found) -> bool:
        """True when the name says of what kind a structure is: "soleus muscle" is not any muscle."""
        kinds = self._tables.head_nouns | self._tables.kinds
        kind = all(self._is_one_of(word, kinds) for word in found.match.name.words)
        return kind and not all(word in self._tables.part_words for word in found.unexplained)

    def _is_another_of_its_kind(self, found: _Found) -> bool:
        """True for a muscle or vessel with another qualifier or place in its name: "deep femoral artery"."""
        tables = self._tables
        named = [self._vocabulary[one].category in ("muscle", "vessel") for one in found.verdict.term_ids[:1]]
        if not any(named) or any(word in tables.part_nouns for word in found.unexplained):
            return False
        return any(word in tables.qualifiers or word in self._index.native for word in found.unexplained)

    def _names_the_opposite(self, found: _Found) -> bool:
        """True when a leftover word is the opposite of a word of the structure: external for the internal one."""
        own = {word for one in found.verdict.term_ids[:2] for word in normalise(self._vocabulary.name(one)).split()}
        pairs = self._tables.opposite_words
        return any(pairs.get(word, frozenset()) & own for word in found.unexplained)

    def _doubt(self, found: _Found, reading) -> str | None:
        """Why the structure must be confirmed, or None."""
        rest = " ".join(found.unexplained)
        if rest and all(word in self._tables.part_words for word in found.unexplained):
            return f"“{rest}” is not a structure of its own here."
        if rest:
            return f"Not understood: “{rest}”."
        if not found.match.certain:
            typed, read = found.match.corrections[0]
            return f"“{typed}” was read as “{read}”."
        if found.verdict.weak:
            return "The text describes it, but is not its name."
        if reading.typo:
            return f"“{reading.typo}” was read as “{reading.side}”." if reading.side else "The side is misspelt."
        if reading.negation:
            return "The text holds a “not”."
        if reading.kind in ("screen", "relative"):
            return "The position in the text was not used."
        return None

    def _explanation(self, found: _Found) -> str:
        corrected = [f"“{typed}” was read as “{read}”" for typed, read in found.match.corrections]
        return "; ".join(corrected) + "." if corrected else "Every word of the text is understood."

    def _fitting(self, verdict, reading, doubt, text, explanation) -> Resolution:
        """Accept, confirm or ask for structures that fit."""
        ids = self._offered(verdict)[:_MAX_CANDIDATES]
        if verdict.kind == "sides" and len(ids) == 1:
            doubt = doubt or "No side is given."
        families = {self._vocabulary[one].base or one for one in ids}
        if verdict.kind == "sides" and len(families) == 1 < len(ids):
            name = self._vocabulary.name(self._vocabulary[ids[0]].base or ids[0])
            question = _WHICH_SIDE[reading.kind].format(name=name)
            return ask(self._vocabulary, ids, f"{doubt} {question}" if doubt else question)
        if len(ids) > 1:
            return ask(self._vocabulary, ids, f"“{text[:60]}” may mean more than one structure. Choose one.")
        name = self._vocabulary.name(ids[0])
        doubt = doubt or ("The text describes it, but is not its name." if verdict.weak else None)
        if doubt:
            return confirm(self._vocabulary, ids, f"{doubt} Go to “{name}”?")
        confidence = _TYPO_CONFIDENCE if "read as" in explanation else 1.0
        return accept(self._vocabulary, ids[0], explanation, confidence)

    def _side_refused(self, verdict: Verdict, reading) -> Resolution:
        """Refuse a side that the structure does not have, naming what exists."""
        term = self._vocabulary[verdict.term_ids[0]]
        asked = reading.side or "both sides"
        if verdict.kind == "wrong_side":
            other = self._vocabulary.name(term.id)
            counterpart = self._vocabulary.sides(term.id).get(reading.side)
            if counterpart:
                name = self._vocabulary.name(counterpart)
                reason = f"This name is known on the {term.laterality} only (“{other}”). Is “{name}” meant?"
                return refuse(self._vocabulary, reason, [counterpart])
            reason = f"“{other}” is known on the {term.laterality} only, not on the {asked}. Check the side."
            if term.laterality == "none":
                reason = f"“{other}” does not go with “{asked}”. Check the side."
            return refuse(self._vocabulary, reason, [term.id])
        if term.laterality != "none":
            reason = f"“{term.preferred}” exists on the {term.laterality} only. Ask for it without “both”."
        elif term.id in self._tables.whole_for_both_sides:
            reason = f"“{term.preferred}” is known here as a whole, without left and right parts. Leave the side out."
        else:
            reason = f"There is only one {term.preferred}: it has no left and right. Leave the side out."
        parts = [one for one in self._vocabulary.descendants(term.id) if self._is_side_part(one, term.id, reading.side)]
        if parts:
            reason += " Or name a part: " + ", ".join(f"“{self._vocabulary.name(one)}”" for one in parts[:3]) + "."
        return refuse(self._vocabulary, reason, [term.id, *parts[:3]])

    def _is_side_part(self, part_id, whole_id, side) -> bool:
        part = self._vocabulary[part_id]
        return part.laterality == side and part.side_policy == "inherent" and whole_id in part.part_of

    def _not_in_vocabulary(self, found: _Found, text) -> Resolution:
        ids = found.verdict.term_ids[:_MAX_SUGGESTIONS]
        nearest = " or ".join(f"“{self._vocabulary.name(one)}”" for one in ids)
        reason = f"“{text[:60]}” is not known here. The nearest is {nearest}; type that name instead."
        return refuse(self._vocabulary, reason, ids, unknown=True)

    def _partial(self, words, reading) -> Resolution | None:
        """Structures whose names hold all the words and more ("jugular", "mesenteric artery")."""
        ignorable = self._tables.ignorable | self._tables.connectors
        content = [word for word in words if word not in ignorable]
        if not any(self._is_specific(word) for word in content):
            return None
        verdicts = [judge(name.meanings, reading, self._vocabulary) for name in self._index.containing(tuple(content))]
        fitting = [verdict for verdict in verdicts if verdict.kind in ("one", "sides") and not verdict.weak]
        ids = tuple(dict.fromkeys(one for verdict in fitting for one in verdict.term_ids))
        if not ids:
            return None
        if len(ids) == 1:
            name = self._vocabulary.name(ids[0])
            return confirm(self._vocabulary, ids, f"The name is incomplete. Go to “{name}”?")
        if len(ids) > _MAX_CANDIDATES:
            reason = f"“{' '.join(content)}” fits many structures. Type the full name."
            return refuse(self._vocabulary, reason, ids[:_MAX_SUGGESTIONS])
        return ask(self._vocabulary, ids, "The name is incomplete: several structures fit. Choose one.")

    def _is_specific(self, word) -> bool:
        """True for a word that names anatomy by itself ("jugular"), false for "small", "window" or "lobe"."""
        plain = self._tables.unspecific | self._tables.generic | self._tables.part_words
        return len(word) > 3 and word.isalpha() and not self._is_one_of(word, plain) and word not in plain

    def _suggestions(self, plain, side) -> list[str]:
        """Ids of the most similar names that respect a side given in the text."""
        from rapidfuzz import fuzz, process

        near = process.extract(
            plain, self._plain_names[side], scorer=fuzz.ratio, score_cutoff=_SUGGESTION_CUTOFF, limit=_MAX_SUGGESTIONS
        )
        return [term_id for _, _, term_id in near]
