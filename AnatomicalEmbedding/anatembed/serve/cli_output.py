"""The documents of the command line as text for people."""

import json
from collections.abc import Iterable, Iterator


def answer(document: dict) -> Iterator[str]:
    """The reason and the caution, then a line for each place or option, and the less likely places under a heading."""
    yield document["reason"]
    if document["caution"]:
        yield f"Caution: {document['caution']}"
    yield from _numbered(document["places"])
    for one in document["options"]:
        yield f"  - {one['name']}: " + (_place(one["place"]) if one["place"] else "no place")
    if document["less_likely"]:
        yield "Less likely places:"
        yield from _numbered(document["less_likely"], 1 + len(document["places"]))
    if document["suggestions"]:
        yield f"Did you mean: {', '.join(one['name'] for one in document['suggestions'])}?"


def report(document: dict) -> Iterator[str]:
    """A line for each mention with its place, the options of an open question below it, then the key slices."""
    from anatembed.maps.slice_planes import along

    if not document["mentions"]:
        yield "No structure is mentioned in this report."
        return
    width = min(36, max(len(_one_line(one["text"])) for one in document["mentions"]))
    for number, one in enumerate(document["mentions"], 1):
        said = one["reason"] if one["decision"] != "go" else f"{one['places'][0]['label']}: {_place(one['places'][0])}"
        said += f"  ({one['caution']})" if one["caution"] else ""
        denied = "  (denied in the report)" if one["negated"] else ""
        mark = {"go": "", "choose": "choose: ", "refuse": f"{one['refusal']}: "}[one["decision"]]
        yield f"{number:3}. {_one_line(one['text']):{width}}  {mark}{said}{denied}"
        for option in one["options"]:
            yield f"{'':{width + 7}}{option['name']}: " + (_place(option["place"]) if option["place"] else "no place")
    for one in document["key_slices"]:
        scan = one["scan_slice"]
        where = f", slice {scan['index'] + 1} of {scan['of']} of the scan" if scan else ""
        yield f"key slice at {along(2, one['position_ras_mm'][2])} mm{where}: {', '.join(one['shows'])}"


def resolution(document: dict) -> Iterator[str]:
    """The decision with its reason, then a line for each structure."""
    yield f"{document['decision']}: {document['reason']}"
    for one in (*document["understood"], *document["options"], *document["suggestions"]):
        yield f"  {one['id']}  {one['name']}"


def description(document: dict) -> Iterator[str]:
    """A line for each name, what an unsure part belongs to, and what is doubtful; or that the place lies outside the
    body."""
    if not document["inside_body"]:
        yield "outside the body"
        return
    width = max((len(one["name"]) for one in document["names"]), default=0)
    for one in document["names"]:
        basis = f" ({one['basis']})" if one["basis"] else ""
        yield f"{one['probability']:6.1%}  {one['name']:{width}}  {one['id']}{basis}"
    if document["whole"]:
        yield f"part of {document['whole']['name']}, {document['whole']['probability']:.1%}"
    if document["caution"]:
        yield f"Caution: {document['caution']}"


def embedded(document: dict) -> Iterator[str]:
    """Where the map is and how large."""
    yield f"written: {document['map']} ({_grid(document)}, {document['seconds']:.1f} s)"


def info(document: dict) -> Iterator[str]:
    """The facts of a map, a line each."""
    low, high = document["bounds_ras"]
    source = document["source"]
    yield f"map      {document['map']} ({document['bytes'] / 1e6:.1f} MB)"
    yield f"scan     {source.get('name') or 'unnamed'}, modality {source.get('modality', 'unknown')}"
    yield f"grid     {_grid(document)}"
    ranges = (f"{axis} {a:.0f}..{b:.0f}" for axis, a, b in zip("RAS", low, high, strict=True))
    yield f"covers   {', '.join(ranges)} mm"
    fits = "" if document["fits_the_model_in_use"] else f" (not the model in use, which is {document['model_in_use']})"
    yield f"model    {document['encoder_id']}{fits}"


def terms(document: dict) -> Iterator[str]:
    """A line for each structure, * before those that the model has learnt, and the counts."""
    width = max((len(row["id"]) for row in document["terms"]), default=0)
    for row in document["terms"]:
        yield f"{'*' if row['learnt'] else ' '} {row['id']:{width}}  {row['name']}"
    yield f"{document['understood']} understood, {document['learnt']} of them learnt (*)"


def device(document: dict) -> Iterator[str]:
    """One line, such as "NVIDIA RTX 3060, 12 GB free" or "CPU, about 6 s"; a second one if it does not work."""
    seconds, free = document["seconds"], f"{document['free_bytes'] / 1e9:.0f} GB free"
    duration = [] if seconds is None else [f"about {max(1, round(seconds))} s"]
    facts = [free, *duration] if document["kind"] != "cpu" else duration or [free]
    yield ", ".join([document["name"], *facts])
    if not document["works"]:
        yield f"does not work: {document['problem']}"


def demo(document: dict) -> Iterator[str]:
    """A paragraph for each question, and where the pictures are."""
    scan = document["scan"]
    seconds = document["embedding_seconds"]
    how = "was embedded before" if seconds is None else f"embedded in {seconds:.1f} s"
    yield f"{scan['name']} ({_grid(scan)}): {how}."
    yield ""
    for one in document["answers"]:
        sign = {"go": "found    ", "choose": "choose   ", "refuse": "refused  "}[one["decision"]]
        yield f"“{one['query']}”"
        yield f"    {sign}{one['reason']}"
        if one["places"]:
            yield f"    place    {_place(one['places'][0])}"
        yield f"    picture  {one['picture']}" if one["picture"] else "    picture  none: there is nothing to show"
    yield ""
    yield f"overlay of position colours: {document['overlay']}"
    yield f"all pictures are in {document['folder']} ({document['seconds']:.1f} s in all)"


def json_lines(documents: Iterable[dict]) -> Iterator[str]:
    """One JSON document a line."""
    return (json.dumps(document, ensure_ascii=False) for document in documents)


def _numbered(places: list[dict], first: int = 1) -> Iterator[str]:
    width = max((len(one["label"]) for one in places), default=0)
    for number, one in enumerate(places, first):
        yield f"{number:3}. {one['label']:{width}}  {_place(one)}"


def _place(place: dict) -> str:
    from anatembed.ask.locating import percent  # here, so that commands without a scan start at once

    return f"RAS {_position(place['position_ras_mm'])} mm  confidence {percent(place['confidence'])}"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _position(position_ras) -> str:
    return "(" + ", ".join(f"{value:7.1f}" for value in position_ras) + ")"


def _grid(document: dict) -> str:
    k, j, i = document["shape_kji"]
    return f"{i} x {j} x {k} places of {document['spacing_mm'][0]:g} mm"
