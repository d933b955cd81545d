"""A field for the name of a structure that offers names while one types, with mouse, finger and arrow keys."""

from collections.abc import Callable

from trame.widgets import html
from trame.widgets import vuetify3 as v3

_OFFERS = 8


class StructureBox:
    """`name` is the beginning of its state; `entered(text)` is called for Enter and for an offer that was chosen.

    What is typed comes as a call, in the order of the other calls: the browser sends its state later, and an old text
    would then replace what was written here meanwhile.
    """

    def __init__(self, demo, name: str, entered: Callable | None = None) -> None:
        self._state, self._logic, self._name = demo.state, demo.logic, name
        self._entered = entered or (lambda text: None)
        self._text = ""
        for key, value in {"text": "", "offers": [], "marked": -1}.items():
            self._state.setdefault(f"{name}_{key}", value)
        self._state.client_only(f"{name}_text")

    def text(self) -> str:
        return self._text.strip()

    def write(self, text: str) -> None:
        """Put a text into the field without offering anything."""
        self._text = text
        key = f"{self._name}_text"
        self._state[key] = text
        self._state.dirty(key)  # the browser may show another one that was typed, which the state does not know
        self.close()

    def typed(self, text: str | None) -> None:
        """Offer names for what stands in the field now; None when it was cleared."""
        self._text = text or ""
        offers = self._logic.complete(self.text(), _OFFERS)
        self._state[f"{self._name}_offers"] = [{"id": concept, "shown": shown} for concept, shown in offers]
        self._state[f"{self._name}_marked"] = -1

    def close(self) -> None:
        """Offer nothing."""
        self._state[f"{self._name}_offers"] = []
        self._state[f"{self._name}_marked"] = -1

    def move(self, step: int) -> None:
        """Mark the next or the last offer."""
        offers, marked = self._state[f"{self._name}_offers"], self._state[f"{self._name}_marked"]
        if offers:
            self._state[f"{self._name}_marked"] = (marked + step) % len(offers) if marked >= 0 or step > 0 else -1

    def enter(self, text: str) -> None:
        """Take the marked offer, or the text as it stands."""
        offers, marked = self._state[f"{self._name}_offers"], self._state[f"{self._name}_marked"]
        if 0 <= marked < len(offers):
            self.choose(offers[marked]["id"])
            return
        self.write(text)
        self._entered(text.strip())

    def choose(self, concept: str) -> None:
        """Take an offer by its id, under its plain name."""
        self.write(self._logic.nameOf(concept))
        self._entered(self.text())

    def build(self, label: str, disabled: str, **options) -> None:
        """Add the field and its list to the page; `disabled` is an expression of the page."""
        name = self._name
        with html.Div(classes="structure-box"):
            v3.VTextField(
                v_model=(f"{name}_text",), label=label, disabled=(disabled,), density="compact", variant="outlined",
                hide_details=True, clearable=True, autocomplete="off", spellcheck="false",
                update_modelValue=(self.typed, "[$event]"),
                keydown_enter=(self.enter, "[$event.target.value]"), keydown_down=(self.move, "[1]"),
                keydown_up=(self.move, "[-1]"), keydown_esc=self.close, blur=self.close,
                __events=[("keydown_enter", "keydown.enter"), ("keydown_down", "keydown.down.prevent"),
                          ("keydown_up", "keydown.up.prevent"), ("keydown_esc", "keydown.esc"), "blur"],
                id=f"{name}-box", **options,
            )
            with v3.VSheet(
                v_if=(f"{name}_offers.length",), classes="structure-offers", elevation=6, raw_attrs=['role="listbox"']
            ):
                html.Div(
                    "{{ offer.shown }}", v_for=(f"(offer, row) in {name}_offers",), key="offer.id",
                    raw_attrs=['role="option"'],
                    classes=(f"'structure-offer' + (row === {name}_marked ? ' marked' : '')",),
                    mousedown=(self.choose, "[offer.id]"), __events=[("mousedown", "mousedown.prevent")],
                )
