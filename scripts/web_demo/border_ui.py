"""Section Border of the page."""

from trame.widgets import html
from trame.widgets import vuetify3 as v3


def border_ui(border) -> None:
    """Two fields and two buttons."""
    border.first.build("First structure", "!embedded")
    border.second.build("Second structure", "!embedded")
    with html.Div(classes="line"):
        v3.VBtn("Likeliest at the click", size="small", variant="tonal", click=border.take_likeliest,
                disabled=("!embedded",), id="likeliest")
        v3.VBtn("Show border", size="small", variant="flat", color="primary", click=border.show, id="border",
                disabled=("!embedded || !first_text || !second_text",))
    html.Div("{{ border_line }}", v_if=("border_line",), classes="quiet", id="border-line")
