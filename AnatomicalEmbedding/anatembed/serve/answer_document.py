"""An answer about a scan as plain data, and as an exit code."""

from dataclasses import asdict

from anatembed.serve.failures import DONE, NOT_HERE, NOT_UNDERSTOOD


def answer_document(answer) -> dict:
    """An Answer of the explorer as plain data."""
    return {
        "query": answer.query,
        "found": answer.found,
        "reason": answer.reason,
        "question": answer.question,
        "place": place_document(answer.place),
        "presence": None if answer.presence is None else round(answer.presence, 4),
        "resolved": [asdict(one) for one in answer.resolved],
        "hits": [
            {
                "position_ras": [round(float(value), 2) for value in hit.position_ras],
                "confidence": round(float(hit.confidence), 4),
                "presence": round(float(hit.presence), 4),
                "id": hit.concept_id,
                "label": hit.label,
            }
            for hit in answer.hits
        ],
        "seconds": round(answer.seconds, 4),
    }


def place_document(place) -> dict | None:
    """Where in, at or beside the structure is meant, as plain data; `others` are ids."""
    if place is None:
        return None
    others = [one.id for one in place.others]
    return {"kind": place.kind, "directions": list(place.directions), "share": place.share or None, "others": others,
            "words": place.words}


def exit_code(answer) -> int:
    """0 found, 4 not understood, else 3."""
    if answer.found:
        return DONE
    return NOT_UNDERSTOOD if answer.outcome == "not understood" else NOT_HERE
