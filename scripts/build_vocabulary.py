"""Build the shipped vocabulary and the guard words.

python scripts/build_vocabulary.py SOURCE_JSON [-o OUT] [--words WORDS.txt --words ENGLISH_VOCAB.txt]

SOURCE_JSON holds the terms with codes, provenance and synonyms. WORDS are lists of real words (one a line):
those close to a term are shipped as guards, so that a real word is never taken for a typing error.
"""

import argparse
import json
import re
import sys
from collections import Counter
from pathlib import Path

from rapidfuzz import process
from rapidfuzz.distance import OSA

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY / "AnatomicalEmbedding"))

from anatembed.language.query_words import load_query_words  # noqa: E402
from anatembed.language.text_normalisation import normalise  # noqa: E402
from anatembed.language.vocabulary import DEFAULT_PATH, SCHEMA  # noqa: E402
from anatembed.output_file import write_text  # noqa: E402

CORRECTIONS = Path(__file__).with_name("vocabulary_corrections.json")
GUARD_NAME = "guard_words.txt"
ATTRIBUTION = [
    "Part of the names, synonyms and ids: UBERON (releases/2026-04-01, https://uberon.org), CC BY 3.0; FMA ids through "
    "the UBERON-FMA bridge (2021-02-16), CC BY 3.0.",
    "Ids and class names that follow TotalSegmentator (https://github.com/wasserth/TotalSegmentator) and VISTA3D "
    "(https://github.com/Project-MONAI/VISTA): Apache-2.0.",
    "SNOMED CT codes: only those in 3D Slicer's DICOM terminology tables (DICOM free set).",
    "Other names, translations, partonomy and sides were written for this project; no native speaker has reviewed the "
    "translations.",
    "Guard words: from UBERON (CC BY 3.0) and from the word list of all-MiniLM-L6-v2 (Apache-2.0).",
]
SIDE_WORD = {"left": "left", "right": "right"}


def main():
    arguments = parse_arguments()
    source = json.loads(arguments.source.read_text(encoding="utf-8"))
    corrections = json.loads(CORRECTIONS.read_text(encoding="utf-8"))
    content = build(source["terms"], corrections)
    write_text(arguments.output, json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n")
    if arguments.words:
        words = {word for path in arguments.words for word in read_words(path)}
        guards = guard_words(content["terms"], words)
        write_text(arguments.output.with_name(GUARD_NAME), "\n".join(guards) + "\n")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, metavar="SOURCE_JSON")
    parser.add_argument("-o", "--output", type=Path, default=DEFAULT_PATH)
    parser.add_argument("--words", type=Path, action="append", default=[], help="a list of real words; may be repeated")
    return parser.parse_args()


def build(source_terms: list[dict], corrections: dict) -> dict:
    """The content of vocabulary.json from the source terms and the corrections."""
    terms = [term_row(term, corrections) for term in source_terms]
    for addition in corrections["add_terms"]:
        terms += new_rows(addition)
    drop_shared_snomed(terms, corrections["snomed_owner_of_shared_code"])
    known = {term["id"] for term in terms}
    check_references(terms, corrections, known)
    return {"schema": SCHEMA, "attribution": ATTRIBUTION, "aliases": corrections["aliases"], "terms": terms}


def term_row(term: dict, corrections: dict) -> dict:
    """One shipped term; keys without a value are left out."""
    family = term["base"] or term["id"]
    codes, provenance = term["codes"], term["provenance"]
    snomed = codes.get("SNOMEDCT")
    keep_snomed = snomed and snomed["in_slicer_dicom_json"] and family not in corrections["drop_snomed"]
    row = {
        "id": term["id"],
        "preferred": term["preferred"],
        "category": term["category"],
        "laterality": term["laterality"] if term["laterality"] in SIDE_WORD else "none",
        "pair": term["pair"],
        "base": term["base"],
        "part_of": term["part_of"],
        "snomed": snomed["code"] if keep_snomed else None,
        "uberon": codes.get("UBERON"),
        "fma": codes.get("FMA") if "BodyParts3D" not in provenance.get("codes.FMA", "BodyParts3D") else None,
        "side_policy": term["side_policy"],
        "synonyms": synonym_rows(term, family, corrections),
    }
    return {key: value for key, value in row.items() if value}


def synonym_rows(term: dict, family: str, corrections: dict) -> list[list[str]]:
    """[text, lang, type] of a term with the corrections of its family applied."""
    dropped = {sideless(text) for text in corrections["drop_synonyms"].get(family, ())}
    related = {sideless(text) for text in corrections["related_synonyms"].get(family, ())}
    rows = []
    for synonym in term["synonyms"]:
        plain = sideless(synonym["text"])
        if plain in dropped and synonym["lang"] == "en":
            continue
        kind = "related" if plain in related and synonym["lang"] == "en" else synonym["type"]
        rows.append([synonym["text"], synonym["lang"], kind])
    rows += [[adjective, "en", "adjective"] for adjective in term["adjectives"]]
    for text, lang, kind in corrections["add_synonyms"].get(family, ()):
        rows += sided_synonym(text, lang, kind, term)
    if term["id"] != family:  # names of one side only, such as RPA
        rows += corrections["add_synonyms"].get(term["id"], ())
    return unique(rows)


def sided_synonym(text, lang, kind, term) -> list[list[str]]:
    """An added synonym; type `side` belongs to the two sides only ("left diaphragm", never "diaphragm")."""
    if term["base"]:
        return [[f"{term['laterality']} {text}", lang, "exact" if kind == "side" else kind]] if lang == "en" else []
    return [] if kind == "side" else [[text, lang, kind]]


def new_rows(addition: dict) -> list[dict]:
    """The term of an addition, with its left and right terms when it is paired."""
    paired = addition.get("paired", False)
    base = {
        "id": addition["id"],
        "preferred": addition["preferred"],
        "category": addition["category"],
        "laterality": "none",
        "part_of": addition["part_of"],
        "side_policy": "paired" if paired else "unpaired",
        "synonyms": addition["synonyms"],
    }
    rows = [base]
    for side, other in (("left", "right"), ("right", "left")) if paired else ():
        english = [[f"{side} {text}", lang, kind] for text, lang, kind in addition["synonyms"] if lang == "en"]
        rows.append(
            base
            | {
                "id": f"{addition['id']}_{side}",
                "preferred": f"{side} {addition['preferred']}",
                "laterality": side,
                "pair": f"{addition['id']}_{other}",
                "base": addition["id"],
                "part_of": [f"{whole}_{side}" for whole in addition["part_of"]],
                "synonyms": english,
            }
        )
    return rows


def drop_shared_snomed(terms: list[dict], owners: dict[str, str]) -> None:
    """A code that two structures of one side share is wrong for at least one: only a named owner keeps it."""
    uses = Counter((term.get("snomed"), term["laterality"]) for term in terms)
    for term in terms:
        code = term.get("snomed")
        shared = code and uses[code, term["laterality"]] > 1
        if shared and owners.get(code) != term.get("base", term["id"]):
            del term["snomed"]


def check_references(terms, corrections, known) -> None:
    """ValueError for a duplicate id, or a part_of, pair, base, alias or correction that names no term."""
    if len(known) != len(terms):
        raise ValueError(f"expected unique ids, got {len(terms) - len(known)} repeated ones")
    named = [one for term in terms for one in [*term.get("part_of", ()), term.get("pair"), term.get("base")] if one]
    named += corrections["aliases"].values()
    named += [one for key in ("drop_synonyms", "related_synonyms", "add_synonyms") for one in corrections[key]]
    missing = sorted(set(named) - known)
    if missing:
        raise ValueError(f"expected the ids of terms, got unknown ones: {', '.join(missing)}")
    clash = sorted(known & set(corrections["aliases"]))
    if clash:
        raise ValueError(f"expected aliases that are no ids, got {', '.join(clash)}")


def guard_words(terms: list[dict], words: set[str]) -> list[str]:
    """Real words within typing-error distance of a word of a term (the resolver's widest limits)."""
    native = set()
    for term in terms:
        for text, lang, kind in [[term["preferred"], "en", "exact"], *term.get("synonyms", ())]:
            if lang in ("en", "la") and kind != "abbreviation":
                native.update(normalise(text).split())
    targets = sorted(word for word in native if len(word) >= 4 and word.isalpha())
    words = words - native - set(load_query_words().side_words)
    return sorted(word for word in words if word.isalpha() and len(word) >= 3 and is_near(word, targets))


def is_near(word: str, targets: list[str]) -> bool:
    limit = 1 if len(word) <= 5 else 2 if len(word) <= 11 else 3
    return process.extractOne(word, targets, scorer=OSA.distance, score_cutoff=limit) is not None


def read_words(path: Path) -> set[str]:
    lines = path.read_text(encoding="utf-8").split("\n")
    return {normalise(line) for line in lines if re.fullmatch(r"[^\W\d_]{3,}", line.strip())}


def sideless(text: str) -> str:
    sides = load_query_words().side_words
    return " ".join(word for word in normalise(text).split() if word not in sides)


def unique(rows: list[list[str]]) -> list[list[str]]:
    """The first row of every text of a language; the preferred name may be repeated in another language."""
    first = {}
    for text, lang, kind in rows:
        first.setdefault((normalise(text), lang), [text, lang, kind])
    return list(first.values())


if __name__ == "__main__":
    main()
