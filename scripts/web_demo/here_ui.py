"""The line below the views that names the place under the mouse."""

from trame.widgets import html
from trame.widgets import vuetify3 as v3


def here_ui() -> None:
    """Name, position, HU, the length of the last line and the other candidates; below, what the mouse does."""
    with html.Div(classes="here", id="here"):
        v3.VIcon("mdi-crosshairs-question", size="small")
        html.Strong("{{ here_name || 'Point at a place, or tap it, to name it' }}", id="here-name")
        html.Span("{{ here_place }}", classes="here-place")
        html.Span("{{ here_hu }}", classes="here-hu", id="here-hu")
        html.Span("Distance {{ distance }}", v_if=("distance",), id="distance")
        html.Span("or: {{ here_others }}", v_if=("here_others",), classes="here-others")
        v3.VSpacer()
        v3.VCheckbox(v_model=("follow_mouse",), label="Follow the mouse", density="compact", hide_details=True)
    with html.Div(classes="mouse-help", id="mouse-help"):
        html.Span("Wheel: slices")
        html.Span("{{ tool === 'window' ? 'Left drag: window and level' : 'Left drag: measures' }}")
        html.Span("Right drag: zoom")
        html.Span("Middle or Shift drag: move")
        html.Span("Click: name and cross-hair")
        html.Span("Double click: this view alone, or all")
