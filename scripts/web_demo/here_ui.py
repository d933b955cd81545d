"""The line below the views that names the place under the mouse."""

from trame.widgets import html
from trame.widgets import vuetify3 as v3


def here_ui() -> None:
    """Name, position and the other candidates."""
    with html.Div(classes="here", id="here"):
        v3.VIcon("mdi-crosshairs-question", size="small")
        html.Strong("{{ here_name || 'Point at a place, or tap it, to name it' }}", id="here-name")
        html.Span("{{ here_place }}", classes="here-place")
        html.Span("or: {{ here_others }}", v_if=("here_others",), classes="here-others")
        v3.VSpacer()
        v3.VCheckbox(v_model=("follow_mouse",), label="Follow the mouse", density="compact", hide_details=True)
