"""Type a structure, go through the places where it is, keep one, see where it is likely."""

from anatembed.language.vocabulary import Vocabulary
from anatembed.serve.documents import side_of

from web_demo import words
from web_demo.kept import KeptPlace
from web_demo.section import Section, shown
from web_demo.structure_box import StructureBox

_EARLIER = 8


class FindLogic(Section):
    """Asks the chosen scan; the Logic goes to what was found, and nowhere while there is something to choose."""

    def __init__(self, demo) -> None:
        super().__init__(demo)
        self.box = StructureBox(demo, "find", self.find)
        self._hits: list = []
        self._asked: str | None = None
        self._vocabulary = Vocabulary.load()
        start = {"hits": [], "hit_row": -1, "answer": "", "answer_text": "", "answer_kind": "go",
                 "choices": [], "choices_lead": "", "answers": 0,
                 "earlier": [], "threshold": 0.0, "less_likely": 0, "less_likely_shown": False}
        for name, value in start.items():
            self.state.setdefault(name, value)
        self.state.change("threshold")(self._on_threshold)

    @shown
    def find(self, text: str | None = None) -> None:
        """Ask for a text, or for what stands in the box."""
        text = self.box.text() if text is None else text
        if not text:
            raise RuntimeError("Type a structure first, for example: left kidney.")
        self.box.write(text)
        self._clear()
        self.tell("")
        scan = self.require_scan()
        with self.demo.views.still():
            answer = self.logic.locate(scan, text)
        self._fit_window(answer)
        self._asked = scan.GetID()
        self._show(answer)
        if self.logic.shownOverlay() == "heat map":  # the answer is not to stand beside the picture of another one
            self._colour(text)

    @shown
    def jump_to_row(self, row: int) -> None:
        """Move the views to the hit of a row."""
        if 0 <= row < len(self._hits):
            self.state.hit_row = row
            with self.demo.views.still():
                self.logic.jumpTo(self._hits[row].position_ras)

    @shown
    def keep(self, row: int) -> None:
        """Make a hit a point that stays when the next search clears the others."""
        if 0 <= row < len(self._hits):
            scan, hit = self.require_scan(), self._hits[row]
            self.logic.keepHit(scan, hit)
            side = side_of(hit.concept_id, self._vocabulary)
            place = KeptPlace(scan.GetName(), hit.label, hit.concept_id, side, tuple(hit.position_ras), hit.confidence)
            self.demo.take.add(scan, place)
            self.tell(f"Kept: {self._name(self._hits[row])}.")

    @shown
    def show_heat_map(self) -> None:
        """Colour the scan by how likely the structure of the box is."""
        text = self.box.text()
        if not text:
            raise RuntimeError("Type a structure first; its likelihood is then shown over the scan.")
        answer = self._colour(text)
        if not answer.places:
            self._clear()
            self._show(answer)

    def refresh(self) -> None:
        scan = self.embedded_scan()
        if self._asked is not None and (scan is None or scan.GetID() != self._asked):
            self._clear()
        self.state.earlier = self.logic.history()[:_EARLIER]

    def _colour(self, text: str):
        threshold = self.state.threshold or None
        return self.logic.showHeatMap(self.require_scan(), text, threshold=threshold, opacity=self.state.opacity)

    def _fit_window(self, answer) -> None:
        """Grey values in which what was found is looked at."""
        if answer.places and answer.places[0].concept_id:
            self.demo.windowing.fit(self._vocabulary[answer.places[0].concept_id].category)

    def _as_text(self, answer) -> str:
        """The answer and its places, to be copied into a text."""
        places = [
            f"{self._name(hit)}: {words.position(hit.position_ras)}, confidence {words.placeConfidence(hit.confidence)}"
            for hit in answer.places
        ]
        return "\n".join([f"{self.require_scan().GetName()}: {answer.words}", *places])

    def _name(self, hit) -> str:
        return words.capital(hit.label)

    def _show(self, answer) -> None:
        document = self.logic.documentOf(answer)
        options = [one["place"] for one in document["options"] if one["place"]]
        self._hits = [*answer.places, *(one.hit for one in answer.options if one.hit), *answer.less_likely]
        self.state.hits = [
            *(_row(place, False) for place in [*document["places"], *options]),
            *(_row(place, True) for place in document["less_likely"]),
        ]
        self.state.less_likely, self.state.less_likely_shown = len(answer.less_likely), False
        self.state.hit_row = 0 if answer.places else -1
        self.state.answers += 1
        self.state.answer = answer.words
        self.state.answer_text = self._as_text(answer)
        self.state.answer_kind = "caution" if answer.caution else answer.decision
        self.state.choices_lead, self.state.choices = _choices(document)

    def _clear(self) -> None:
        self._hits, self._asked = [], None
        self.state.hits, self.state.hit_row, self.state.answer, self.state.choices = [], -1, "", []
        self.state.less_likely = 0

    def _on_threshold(self, threshold, **_state) -> None:
        if self.demo.is_ready and self.logic.shownOverlay() == "heat map":
            if threshold > 0:
                self.logic.setHeatThreshold(threshold)
                self.demo.refresh()
            else:
                self.show_heat_map()


def _row(place: dict, less_likely: bool) -> dict:
    """A row of the table: a place of an answer's document, and its words."""
    return {
        **place, "name": words.capital(place["label"]), "confidence_words": words.placeConfidence(place["confidence"]),
        "sure": place["confidence"] >= 0.5, "place": words.position(place["position_ras_mm"]),
        "less_likely": less_likely,
    }


def _choices(document: dict) -> tuple[str, list[str]]:
    """What there is to choose, or near names of what was not understood; no names for a clear answer."""
    options = [one["name"] for one in document["options"]]
    if options:
        return "Is this meant?" if len(options) == 1 else "Choose one:", options
    return "Did you mean:", [one["name"] for one in document["suggestions"]]
