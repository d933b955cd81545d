"""The anatomical terms that the software understands, read from resources/vocabulary.json."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from anatembed.shipped_file import shipped_file

DEFAULT_PATH = shipped_file("vocabulary.json")
SCHEMA = "anatembed-vocabulary/1"


@dataclass(frozen=True)
class Synonym:
    """Another way to write a term; `type` says how far it can be trusted (`related` and `adjective` only suggest)."""

    text: str
    lang: str
    type: str


@dataclass(frozen=True)
class Term:
    """One structure; `laterality` is left, right or none, `side_policy` paired, unpaired or inherent.

    A paired structure has three terms: the side-less one (laterality none, e.g. `kidney`) and its two sides,
    whose `base` is the side-less id. An inherent side belongs to the name itself (left ventricle, lingula).
    """

    id: str
    preferred: str
    category: str
    laterality: str
    pair: str | None
    base: str | None
    part_of: tuple[str, ...]
    snomed: str | None
    synonyms: tuple[Synonym, ...]
    side_policy: str


class Vocabulary:
    """All terms by id, with their partonomy and sides."""

    def __init__(self, terms, aliases=None, attribution=()):
        self.terms: tuple[Term, ...] = tuple(terms)
        self.aliases: dict[str, str] = dict(aliases or {})
        self.attribution: tuple[str, ...] = tuple(attribution)
        self._by_id = {term.id: term for term in self.terms}

    @classmethod
    def load(cls, path=None) -> "Vocabulary":
        """Read a vocabulary file; FileNotFoundError or ValueError says what is missing."""
        path = Path(path) if path else DEFAULT_PATH
        if not path.is_file():
            raise FileNotFoundError(f"expected a vocabulary file at {path}, found none")
        content = json.loads(path.read_text(encoding="utf-8"))
        schema = content.get("schema") if isinstance(content, dict) else None
        if schema != SCHEMA:
            raise ValueError(f"expected a vocabulary of schema {SCHEMA}, got {schema!r} in {path}")
        return cls((_term(row) for row in content["terms"]), content["aliases"], content["attribution"])

    def __getitem__(self, term_id: str) -> Term:
        """The term of an id; ValueError for an unknown id."""
        try:
            return self._by_id[term_id]
        except KeyError:
            raise ValueError(f"expected the id of an anatomical term, got {term_id!r}, which is unknown") from None

    def __contains__(self, term_id: str) -> bool:
        return term_id in self._by_id

    def __len__(self) -> int:
        return len(self.terms)

    @property
    def ids(self) -> tuple[str, ...]:
        """Every id in file order."""
        return tuple(self._by_id)

    def name(self, term_id: str) -> str:
        """The preferred English name of an id; ValueError for an unknown id."""
        return self[term_id].preferred

    def canonical_id(self, term_id: str) -> str:
        """The vocabulary id of an id or of another project's spelling of it (`aorta_arch`); ValueError if unknown."""
        return self[self.aliases.get(term_id, term_id)].id

    def id_spelt(self, text: str) -> str | None:
        """The id that a text spells in any case (`vertebrae_l1`, `AORTA_ARCH`), or None."""
        return self._by_spelling.get(text.lower())

    def ancestors(self, term_id: str) -> tuple[str, ...]:
        """Ids of everything that the structure is part of, nearest first."""
        return self._closure(term_id, lambda one: self[one].part_of)

    def descendants(self, term_id: str) -> tuple[str, ...]:
        """Ids of every part of the structure, nearest first."""
        return self._closure(term_id, lambda one: self._parts.get(self[one].id, ()))

    def sides(self, term_id: str) -> dict[str, str]:
        """The left and right ids of a structure, by side; empty when it has no sides."""
        term = self[term_id]
        return self._sides.get(term.base or term.id, {})

    @cached_property
    def _by_spelling(self) -> dict[str, str]:
        return {one.lower(): self.canonical_id(one) for one in (*self.aliases, *self._by_id)}

    @cached_property
    def _parts(self) -> dict[str, list[str]]:
        parts: dict[str, list[str]] = {}
        for term in self.terms:
            for whole in term.part_of:
                parts.setdefault(whole, []).append(term.id)
        return parts

    @cached_property
    def _sides(self) -> dict[str, dict[str, str]]:
        sides: dict[str, dict[str, str]] = {}
        for term in self.terms:
            if term.base:
                sides.setdefault(term.base, {})[term.laterality] = term.id
        return {base: dict(sorted(found.items())) for base, found in sides.items()}

    def _closure(self, term_id, neighbours) -> tuple[str, ...]:
        found: dict[str, None] = {}
        queue = list(neighbours(term_id))
        while queue:
            one = queue.pop(0)
            if one not in found and one != term_id:
                found[one] = None
                queue.extend(neighbours(one))
        return tuple(found)


def _term(row: dict) -> Term:
    return Term(
        id=row["id"],
        preferred=row["preferred"],
        category=row["category"],
        laterality=row["laterality"],
        pair=row.get("pair"),
        base=row.get("base"),
        part_of=tuple(row.get("part_of", ())),
        snomed=row.get("snomed"),
        synonyms=tuple(Synonym(*fields) for fields in row.get("synonyms", ())),
        side_policy=row["side_policy"],
    )
