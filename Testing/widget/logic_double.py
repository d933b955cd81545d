"""A Logic that remembers what the panel asked and answers at once; nothing is computed."""

import re
from dataclasses import dataclass
from types import SimpleNamespace

from AnatomicalEmbeddingLib.Signal import Signal

NAMES = {
    "liver": "liver", "spleen": "spleen", "kidney_left": "left kidney", "kidney_right": "right kidney",
    "adrenal_left": "left adrenal gland",
}
SHOWN = {"hepar (liver)": "liver"} | {name: concept for concept, name in NAMES.items()}
CARD = "# The model\n\nTrained on public CT scans.\n\n- finds 120 structures\n- is not for diagnosis\n"


@dataclass
class Failure:
    message: str
    report: str = "Traceback: the whole story"
    cancelled: bool = False
    offersCPU: bool = False


def hit(concept: str, confidence: float, position_ras) -> SimpleNamespace:
    return SimpleNamespace(
        concept_id=concept, label=NAMES.get(concept, concept), confidence=confidence, position_ras=position_ras,
        presence=1.0,
    )


def answer(
    query: str, reason: str, outcome: str = "found", resolved=(), hits=(), sure=0.5, question=False, choices=None
) -> SimpleNamespace:
    """`sure` is the confidence of the first candidate, others have 0.5; `choices` are their names without a place."""
    candidates = tuple(
        SimpleNamespace(id=one, name=NAMES[one], side=None, confidence=0.5 if n else sure)
        for n, one in enumerate(resolved)
    )
    return SimpleNamespace(
        query=query, reason=reason, outcome=outcome, found=outcome == "found", resolved=candidates, hits=list(hits),
        question=question, choices=tuple(choices or (one.name for one in candidates)),
    )


def part(whole: SimpleNamespace) -> SimpleNamespace:
    return SimpleNamespace(**vars(whole) | {"label": f"upper part of {whole.label}"})


def description(inside: bool = True, **probabilities) -> SimpleNamespace:
    """What lies at a place: ids with their probabilities, from the most probable on."""
    candidates = [SimpleNamespace(id=one, name=NAMES[one], probability=p) for one, p in probabilities.items()]
    return SimpleNamespace(inside_body=inside, candidates=candidates)


LIVER = [hit("liver", 0.93, (62.4, -8.2, -20.6)), hit("liver", 0.412, (-31.0, 15.0, 4.0))]
KIDNEYS = [hit("kidney_left", 0.88, (-60.0, -40.0, -80.0)), hit("kidney_right", 0.86, (58.0, -42.0, -85.0))]
ANSWERS = {
    "liver": answer("liver", "liver: found", resolved=["liver"], hits=LIVER),
    "kidney": answer(
        "kidney",
        "left kidney, right kidney: found (both sides)",
        resolved=["kidney_left", "kidney_right"],
        hits=KIDNEYS,
        question=True,
    ),
    "upper kidney": answer(
        "upper kidney",
        "upper part of left kidney, upper part of right kidney: found (both sides)",
        resolved=["kidney_left", "kidney_right"],
        hits=[part(one) for one in KIDNEYS],
        question=True,
        choices=["upper part of left kidney", "upper part of right kidney"],
    ),
    "upper part of right kidney": answer(
        "upper part of right kidney", "upper part of right kidney: found", resolved=["kidney_right"],
        hits=[part(KIDNEYS[1])],
    ),
    "livre": answer(
        "livre", "liver: found (“livre” was read as “liver”. Go to “liver”?)", resolved=["liver", "spleen"],
        hits=LIVER, sure=0.6, question=True,
    ),
    "left kidney": answer("left kidney", "left kidney: found", resolved=["kidney_left"], hits=KIDNEYS[:1]),
    "spleen": answer(
        "spleen", "spleen: not in this scan (confidence that it is there 3%)", "not in this scan", ["spleen"]
    ),
    "adrenla": answer(
        "adrenla", "No structure of this name is known", "not understood", ["adrenal_left", "kidney_left"]
    ),
}


SAID = {  # word of a report: status, names of the choices, their hits
    "liver": ("found", ["liver"], LIVER[:1]),
    "kidneys": ("ambiguous", ["left kidney", "right kidney"], KIDNEYS),
    "ureters": ("ambiguous", ["left ureter", "right ureter"], [None, hit("ureter_right", 0.4, (40.0, 10.0, -90.0))]),
    "pancreatic tail": ("found", ["tail of pancreas"], [hit("pancreas", 0.9, (-20.0, 5.0, -40.0))]),
    "spleen": ("not in this scan", ["spleen"], [None]),
    "right lingula": ("check the side", [], []),
}
REASONS = {
    "ambiguous": "“{word}” exists on both sides. Choose left or right.",
    "not in this scan": "spleen: not in this scan",
    "check the side": "“lingula of left lung” is known on the left only, not on the <right>. Check the side.",
    "found": "{word}: found",
}


def reading(text: str) -> SimpleNamespace:
    """A report in which the words of SAID are mentions, "no" before one denies it."""
    mentions = [_mention(text, match) for match in re.finditer("|".join(SAID), text, re.IGNORECASE)]
    found = list(dict.fromkeys(choice.shown for one in mentions for choice in one.found))
    slices = [SimpleNamespace(index=n, position_ras=(1.0, 2.0, -20.0 * n), shows=tuple(found)) for n in (1, 3)]
    return SimpleNamespace(text=text, mentions=mentions, slices=slices if found else [])


def _mention(text: str, match) -> SimpleNamespace:
    status, names, hits = SAID[match.group().lower()]
    choices = tuple(
        SimpleNamespace(
            name=name, shown="pancreas" if "pancreas" in name else name, hit=one, reason=f"{name}: not here"
        )
        for name, one in zip(names, hits, strict=True)
    )
    place = SimpleNamespace(
        start=match.start(), end=match.end(), text=match.group(), negated=text[: match.start()].endswith("No "),
    )
    return SimpleNamespace(
        mention=place, status=status, choices=choices, reason=REASONS[status].format(word=match.group()),
        found=tuple(choice for choice in choices if choice.hit is not None),
    )


class LogicDouble:
    """`calls` is what was asked, in order; `error` is raised by every request that does something."""

    def __init__(self) -> None:
        for name in ("embeddedChanged", "progressChanged", "embeddingEnded", "cursorNamed", "linked", "deviceChanged"):
            setattr(self, name, Signal())
        self.calls = []
        self.error = None
        self.embedded = set()
        self.running = None
        self.device = "NVIDIA RTX 3060, 12 GB free"
        self.overlay = None
        self.asked = []
        self.kept = (3, 120_000_000)
        self.motion = (0.0,)
        self.there = description(liver=0.87, spleen=0.06, kidney_right=0.001)
        self.match = SimpleNamespace(position_ras=(10.0, 20.0, -30.0), confidence=0.72)

    # Scan
    def deviceLine(self, scan) -> str:
        return self.device

    def startEmbedding(self, scan, device="auto", again=False) -> None:
        self._note("startEmbedding", scan.GetName(), device, again)
        self.running = scan.GetID()

    def cancelEmbedding(self) -> None:
        self._note("cancelEmbedding")
        self.end(Failure("The embedding was stopped. Nothing was changed.", cancelled=True))

    def isEmbedding(self) -> bool:
        return self.running is not None

    def isEmbedded(self, scan) -> bool:
        return scan is not None and scan.GetID() in self.embedded

    def end(self, failure=None) -> None:
        """Let the running embedding end."""
        if failure is None:
            self.embedded.add(self.running)
        self.running = None
        self.embeddedChanged.emit()
        self.embeddingEnded.emit(failure)

    # Find
    def complete(self, text: str, limit: int = 10) -> list:
        found = [(concept, shown) for shown, concept in SHOWN.items() if text and text.casefold() in shown.casefold()]
        return found[:limit]

    def nameOf(self, concept: str) -> str:
        return NAMES[concept]

    def locate(self, scan, text: str):
        self._note("locate", scan.GetName(), text)
        self.asked.insert(0, text)
        return ANSWERS[text]

    def jumpTo(self, position_ras) -> None:
        self._note("jumpTo", tuple(position_ras))

    def keepHit(self, scan, kept) -> None:
        self._note("keepHit", scan.GetName(), kept.concept_id)

    def history(self) -> list:
        return self.asked

    def showHeatMap(self, scan, text, threshold=None, opacity=0.6):
        self._note("showHeatMap", scan.GetName(), text, threshold, round(opacity, 3))
        self.overlay = "heat map" if ANSWERS[text].found else None
        return ANSWERS[text]

    def setHeatThreshold(self, value) -> None:
        self._note("setHeatThreshold", round(value, 3))

    def motionOf(self, scan):
        return self.motion

    # Report
    def readReport(self, scan, text, most=5):
        self._note("readReport", scan.GetName(), text, most)
        return reading(text)

    def showMention(self, scan, choice) -> None:
        self._note("showMention", scan.GetName(), choice.shown, tuple(choice.hit.position_ras))

    def showSlice(self, position_ras) -> None:
        self._note("showSlice", tuple(position_ras))

    # Here
    def describe(self, scan, position_ras):
        self._note("describe", scan.GetName(), tuple(position_ras))
        return self.there

    def followCursor(self, scan) -> None:
        self._note("followCursor", scan.GetName() if scan is not None else None)

    # Compare
    def findThere(self, scan, position_ras, other):
        self._note("findThere", scan.GetName(), tuple(position_ras), other.GetName())
        return self.match

    def link(self, scan, other) -> None:
        self._note("link", scan.GetName(), other.GetName())

    def unlink(self) -> None:
        self._note("unlink")

    # Border
    def twoLikeliest(self, scan, position_ras) -> tuple:
        self._note("twoLikeliest", scan.GetName(), tuple(position_ras))
        return "liver", "kidney_right"

    def showBorder(self, scan, first, second) -> None:
        self._note("showBorder", scan.GetName(), first, second)
        self.overlay = "border"

    def makeSegments(self, scan, first, second):
        self._note("makeSegments", scan.GetName(), first, second)
        return SimpleNamespace(GetName=lambda: "liver and right kidney")

    # Show
    def showOverlay(self, scan, mode, opacity=0.5) -> None:
        self._note("showOverlay", scan.GetName(), mode, round(opacity, 3))
        self.overlay = mode

    def hideOverlay(self) -> None:
        self._note("hideOverlay")
        self.overlay = None

    def setOverlayOpacity(self, opacity) -> None:
        self._note("setOverlayOpacity", round(opacity, 3))

    def shownOverlay(self):
        return self.overlay

    def legend(self, scan) -> list:
        return [("Liver", (204, 102, 26)), ("Left <kidney>", (0, 114, 178)), ("Spleen", (0, 158, 115))]

    # Model
    def modelFacts(self) -> dict:
        return {
            "name": "AnatEmbed 2", "encoderId": "a1b2c3d4", "licence": "Apache-2.0", "card": CARD,
            "path": "/models/model.npz", "concepts": 120,
        }

    def importModel(self, path, sha256="") -> None:
        self._note("importModel", path, sha256)

    def useShippedModel(self) -> None:
        self._note("useShippedModel")

    def downloadsAndCaches(self) -> tuple:
        return self.kept

    def removeCaches(self) -> None:
        self._note("removeCaches")
        self.kept = (0, 0)

    def cleanUp(self) -> None:
        self._note("cleanUp")

    def _note(self, *call) -> None:
        self.calls.append(call)
        if self.error is not None:
            raise self.error
