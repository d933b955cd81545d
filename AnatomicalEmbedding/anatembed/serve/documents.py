"""Answers, readings and descriptions as JSON: the one form in which the command line, the tools for language models and
the page give them.

Every document says its frame. Positions are RAS mm in hundredths, probabilities have four digits.
"""
from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from anatembed.language.query.candidate import Candidate
from anatembed.language.query.place_phrase import PlacePhrase
from anatembed.language.query.resolution import Resolution
from anatembed.language.vocabulary import Vocabulary

if TYPE_CHECKING:  # so that questions without a scan are answered at once
    from anatembed.ask.explorer import Description, Explorer, NamedProbability
    from anatembed.ask.index import Hit
    from anatembed.ask.locating import Answer, Meaning
    from anatembed.ask.report import ReadMention, ReportReading
    from anatembed.scan.volume import Volume

FRAME = "RAS mm"


def answer_document(answer: Answer, vocabulary: Vocabulary) -> dict:
    """The answer to a typed question."""
    decided = _decided(answer, vocabulary)
    return {"query": answer.query, **decided, "seconds": round(answer.seconds, 4), "frame": FRAME}


def reading_document(reading: ReportReading, explorer: Explorer, volume: Volume | None = None) -> dict:
    """Mentions and key slices of a report; numbers of slices and mentions begin at 0.

    volume: the scan, if it is at hand; key slices then say which of its slices they are.
    """
    from anatembed.ask.key_slices import AxialSlices, scan_slice

    count = AxialSlices(explorer.map).count

    def of_the_scan(position_ras) -> dict | None:
        if volume is None:
            return None
        axis, index = scan_slice(volume.array_kji.shape, volume.ijk_to_ras, position_ras)
        return {"axis": axis, "index": index, "of": volume.array_kji.shape["kji".index(axis)]}

    return {
        "characters": len(reading.text),
        "mentions": [_mention(one, explorer.vocabulary) for one in reading.mentions],
        "key_slices": [
            {
                "index": one.index, "of": count, "position_ras_mm": position(one.position_ras),
                "scan_slice": of_the_scan(one.position_ras), "score": probability(one.score),
                "shows": list(one.shows), "mentions": reading.seen_in(one),
            }
            for one in reading.slices
        ],
        "seconds": round(reading.seconds, 3),
        "frame": FRAME,
    }  # fmt: skip


def description_document(description: Description, position_ras, vocabulary: Vocabulary) -> dict:
    """What lies at a position, the best name first; no names outside the body."""
    names = [_name_at_point(one, vocabulary) for one in description.candidates]
    whole = description.whole and _name_at_point(description.whole, vocabulary)
    return {**_position(position_ras), "inside_body": description.inside_body, "names": names,
            "caution": description.caution, "whole": whole, "frame": FRAME}


def _name_at_point(one: NamedProbability, vocabulary: Vocabulary) -> dict:
    return {**structure_document(one.id, vocabulary), "probability": probability(one.probability), "basis": one.basis}


def resolution_document(resolution: Resolution, text: str) -> dict:
    """Which structure a text means, without a scan: what has to be chosen or is refused whatever the scan shows."""
    named = [_named(one) for one in resolution.candidates]
    listed = {"accept": "understood", "confirm": "options", "ask": "options", "refuse": "suggestions"}
    decision = {"understood": "go", "options": "choose", "suggestions": "refuse"}[listed[resolution.outcome]]
    return {
        "query": text, "decision": decision, "refusal": resolution.refusal or None, "reason": resolution.reason,
        **{one: named if one == listed[resolution.outcome] else [] for one in ("understood", "options", "suggestions")},
        "where": where_document(resolution.place),
    }  # fmt: skip


def where_document(place: PlacePhrase | None) -> dict | None:
    """Where in, at or beside the structure is meant; `others` are ids."""
    if place is None:
        return None
    others = [one.id for one in place.others]
    return {"kind": place.kind, "directions": list(place.directions), "share": place.share or None, "others": others,
            "words": place.words}


def place_document(hit: Hit, vocabulary: Vocabulary) -> dict:
    """A place where something was found; without an id for words that are no known name."""
    return {
        "label": hit.label or vocabulary.name(hit.concept_id), "id": hit.concept_id,
        "side": side_of(hit.concept_id, vocabulary), **_position(hit.position_ras),
        "confidence": probability(hit.confidence), "presence": probability(hit.presence),
    }  # fmt: skip


def structure_document(concept_id: str, vocabulary: Vocabulary) -> dict:
    """A structure of the vocabulary."""
    return {"name": vocabulary.name(concept_id), "id": concept_id, "side": side_of(concept_id, vocabulary)}


def position(position_ras: Iterable[float]) -> tuple[float, float, float]:
    """Hundredths of a mm as plain numbers; adding zero turns -0.0 into 0.0."""
    right, anterior, superior = (round(float(value), 2) + 0.0 for value in position_ras)
    return right, anterior, superior


def probability(value: float) -> float:
    """Four digits as a plain number."""
    return round(float(value), 4)


def side_of(concept_id: str, vocabulary: Vocabulary) -> str | None:
    """left, right, or None for what has no side or no id."""
    side = vocabulary[concept_id].laterality if concept_id else "none"
    return side if side != "none" else None


def _decided(answer: Answer, vocabulary: Vocabulary) -> dict:
    from anatembed.ask.locating import CHOOSE

    chosen = answer.decision != CHOOSE
    return {
        "decision": answer.decision, "refusal": answer.refusal or None, "reason": answer.reason,
        "caution": answer.caution or None,
        "places": [place_document(one, vocabulary) for one in answer.places],
        "less_likely": [place_document(one, vocabulary) for one in answer.less_likely],
        "options": [_option(one, vocabulary) for one in answer.options],
        "understood": [_named(one) for one in answer.meant if chosen],
        "suggestions": [_named(one) for one in answer.suggestions],
        "where": where_document(answer.place),
        "presence": None if answer.presence is None else probability(answer.presence),
    }  # fmt: skip


def _option(one: Meaning, vocabulary: Vocabulary) -> dict:
    """What to ask for instead (`name`), with its best place, or the reason why it has none."""
    place = None if one.hit is None else place_document(one.hit, vocabulary)
    return {**_named(one), "place": place, "reason": one.reason or one.caution or None}


def _named(one: Meaning | Candidate) -> dict:
    return {"name": one.name, "id": one.id, "side": one.side}


def _mention(read: ReadMention, vocabulary: Vocabulary) -> dict:
    one = read.mention
    said = {"start": one.start, "end": one.end, "text": one.text, "kind": one.kind, "negated": one.negated}
    return {**said, **_decided(read.answer, vocabulary)}


def _position(position_ras) -> dict:
    from anatembed.maps.slice_planes import in_words

    return {"position_ras_mm": position(position_ras), "in_words": in_words(position_ras)}
