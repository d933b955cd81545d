"""A Logic that remembers what the panel asked and answers at once; nothing is computed."""

import re
from dataclasses import dataclass, replace
from types import SimpleNamespace

from anatembed.ask.explorer import Description, NamedProbability
from anatembed.ask.index import Hit
from anatembed.ask.locating import CHOOSE, GO, NOT_HERE, REFUSE, Answer, Meaning
from anatembed.language.query.resolution import NOT_UNDERSTOOD, Candidate
from AnatomicalEmbeddingLib.Logic import NotOne
from AnatomicalEmbeddingLib.PlacesFile import Place
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
    details: str = "Traceback: the whole story"
    cancelled: bool = False
    offersCPU: bool = False


def hit(concept: str, confidence: float, position_ras, label: str = "") -> Hit:
    return Hit(position_ras, confidence, concept, 1.0, label or NAMES.get(concept, concept))


def meaning(one: Hit | None, name: str = "", reason: str = "", caution: str = "") -> Meaning:
    shown = "" if one is None else one.label
    return Meaning(one.concept_id if one else name, name or shown, None, one, shown, reason=reason, caution=caution)


def part(whole: Hit) -> Hit:
    return replace(whole, label=f"upper part of {whole.label}")


def choose(query: str, reason: str, *hits: Hit) -> Answer:
    return Answer(query, CHOOSE, reason, meant=tuple(meaning(one) for one in hits))


def description(inside: bool = True, **probabilities) -> Description:
    """What lies at a place: ids with their probabilities, from the most probable on."""
    return Description(inside, [NamedProbability(one, NAMES[one], p) for one, p in probabilities.items()])


LIVER = [hit("liver", 0.93, (62.4, -8.2, -20.6)), hit("liver", 0.412, (-31.0, 15.0, 4.0))]
KIDNEYS = [hit("kidney_left", 0.88, (-60.0, -40.0, -80.0)), hit("kidney_right", 0.86, (58.0, -42.0, -85.0))]
BOTH_SIDES = "“kidney” exists on both sides. Choose left or right."
ANSWERS = {
    "liver": Answer(
        "liver", GO, "Liver: found.", places=(LIVER[0],), less_likely=(LIVER[1],), meant=(meaning(LIVER[0]),)),
    "liver segment 2": Answer(
        "liver segment 2", GO, "Liver: found.",
        caution="Liver segment II: not learnt by this model, the whole is shown.",
        places=(LIVER[0],), meant=(meaning(LIVER[0], "liver segment II", caution="The whole is shown."),),
    ),
    "right kidney": Answer(
        "right kidney", GO, "Right kidney: found.", places=(KIDNEYS[1],), meant=(meaning(KIDNEYS[1]),)),
    "kidney": choose("kidney", BOTH_SIDES, *KIDNEYS),
    "upper kidney": choose("upper kidney", BOTH_SIDES, *(part(one) for one in KIDNEYS)),
    "upper part of right kidney": Answer(
        "upper part of right kidney", GO, "Upper part of right kidney: found.", places=(part(KIDNEYS[1]),),
        meant=(meaning(part(KIDNEYS[1])),),
    ),
    "livr": choose("livr", "“livr” was read as “liver”. Go to “liver”?", LIVER[0]),
    "left kidney": Answer(
        "left kidney", GO, "Left kidney: found.", places=(KIDNEYS[0],), meant=(meaning(KIDNEYS[0]),)),
    "spleen": Answer(
        "spleen", REFUSE, "Spleen: not in this scan (confidence that it is there 3%).", NOT_HERE,
        meant=(meaning(None, "spleen", "Spleen: not in this scan."),),
    ),
    "adrenla": Answer(
        "adrenla", REFUSE, "No structure of this name is known.", NOT_UNDERSTOOD,
        suggestions=tuple(Candidate(one, NAMES[one], "left", 0.2) for one in ("adrenal_left", "kidney_left")),
    ),
}


URETER = hit("ureter_right", 0.4, (40.0, 10.0, -90.0), "right ureter")
PANCREAS = hit("pancreas", 0.9, (-20.0, 5.0, -40.0))
WRONG_SIDE = "“lingula of left lung” is known on the left only, not on the <right>. Check the side."
SAID = {  # word of a report: what the scan answers
    "liver": Answer("liver", GO, "Liver: found.", places=(LIVER[0],), meant=(meaning(LIVER[0]),)),
    "kidneys": choose("kidneys", BOTH_SIDES, *KIDNEYS),
    "ureters": Answer("ureters", CHOOSE, "“ureter” exists on both sides.", meant=(
        meaning(None, "left ureter", "Left ureter: not here."), meaning(URETER))),
    "pancreatic tail": Answer(
        "pancreatic tail", GO, "Pancreas: found.", places=(PANCREAS,),
        meant=(meaning(PANCREAS, "tail of pancreas", caution="Tail of pancreas: the whole is shown."),),
    ),
    "spleen": Answer("spleen", REFUSE, "Spleen: not in this scan.", NOT_HERE, meant=(meaning(None, "spleen"),)),
    "right lingula": Answer("right lingula", REFUSE, WRONG_SIDE, "check the side"),
}


def reading(text: str) -> SimpleNamespace:
    """A report in which the words of SAID are mentions, "no" before one denies it."""
    mentions = [_mention(text, match) for match in re.finditer("|".join(SAID), text, re.IGNORECASE)]
    found = list(dict.fromkeys(choice.shown for one in mentions for choice in one.found))
    slices = [SimpleNamespace(index=n, position_ras=(1.0, 2.0, -20.0 * n), shows=tuple(found)) for n in (1, 3)]
    return SimpleNamespace(text=text, mentions=mentions, slices=slices if found else [], caution="")


def _mention(text: str, match) -> SimpleNamespace:
    answer = SAID[match.group().lower()]
    place = SimpleNamespace(
        start=match.start(), end=match.end(), text=match.group(), negated=text[: match.start()].endswith("No "),
    )
    return SimpleNamespace(
        mention=place, answer=answer, found=tuple(one for one in answer.meant if one.hit is not None))


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
        self.places = []
        self.there = description(liver=0.87, spleen=0.06, kidney_right=0.001)
        self.match = SimpleNamespace(position_ras=(10.0, 20.0, -30.0), confidence=0.72)

    # Scan
    def deviceLine(self, scan) -> str:
        return self.device

    def askDeviceAgain(self) -> None:
        self._note("askDeviceAgain")

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

    def fitWindow(self, scan, concept) -> tuple:
        self._note("fitWindow", scan.GetName(), concept)
        return "soft tissue", 400, 40

    def makeSegment(self, scan, text, threshold=None):
        self._note("makeSegment", scan.GetName(), text, threshold)
        if not ANSWERS[text].places:
            raise RuntimeError(ANSWERS[text].words)
        return SimpleNamespace(GetName=lambda: "liver")

    # Take along
    def keptPlaces(self, scan) -> list:
        return self.places

    def writeKept(self, scan, path) -> int:
        self._note("writeKept", scan.GetName(), path)
        return len(self.places)

    def readKept(self, scan, path) -> int:
        self._note("readKept", scan.GetName(), path)
        self.places = [Place((1.0, 2.0, 3.0), "liver", ""), Place((4.0, 5.0, 6.0), "spleen", "")]
        return len(self.places)

    def tableOfStructures(self, scan):
        self._note("tableOfStructures", scan.GetName())
        return SimpleNamespace(GetName=lambda: "Structures of CT 1", GetNumberOfRows=lambda: 87)

    def history(self) -> list:
        return self.asked

    def showHeatMap(self, scan, text, threshold=None, opacity=0.6):
        self._note("showHeatMap", scan.GetName(), text, threshold, round(opacity, 3))
        self.overlay = "heat map" if ANSWERS[text].places else None
        return ANSWERS[text]

    def setHeatThreshold(self, value) -> None:
        self._note("setHeatThreshold", round(value, 3))

    def motionOf(self, scan):
        return self.motion

    # Report
    def readReport(self, scan, text, most=5):
        self._note("readReport", scan.GetName(), text, most)
        return reading(text)

    def showMention(self, scan, meant) -> None:
        self._note("showMention", scan.GetName(), meant.shown, tuple(meant.hit.position_ras))

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

    def structureOf(self, scan, text) -> str:
        answer = ANSWERS.get(text) or Answer(text, REFUSE, f"No anatomical structure was recognised in “{text}”.")
        if not answer.places:
            raise NotOne(answer.reason, [one.name for one in answer.options])
        return answer.places[0].concept_id

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
