"""Section Take away of the page."""

from trame.widgets import html
from trame.widgets import vuetify3 as v3

from web_demo.said import hint, said

_MARKUPS, _CSV = "application/json", "text/csv"


def take_ui(take) -> None:
    """Kept places, and a button for every file."""
    html.Div("Keep a place with the bookmark beside it.", v_if=("!kept.length",), classes="quiet")
    with html.Table(v_if=("kept.length",), classes="hits", id="kept"), html.Tbody(), html.Tr(
        v_for="(place, row) in kept", key="row", click=(take.go, "[row]"), raw_attrs=['tabindex="0"'],
        keydown_enter=(take.go, "[row]"), __events=[("keydown_enter", "keydown.enter")],
    ):
        html.Td("{{ place.name }}")
        html.Td("{{ place.place }}", classes="place")
        with html.Td():
            v3.VBtn(icon="mdi-close", size="x-small", variant="text", click=(take.remove, "[row]"),
                    __events=[("click", "click.stop")],
                    **said("Keep this place no longer"))
    with html.Div(classes="line"):
        html.Span("Kept places")
        _download("Slicer", "kept-places.mrk.json", "kept_markups", _MARKUPS, "!kept.length",
                  "The kept places as a list of points for 3D Slicer")
        _download("CSV", "kept-places.csv", "kept_csv", _CSV, "!kept.length", "The kept places as a table")
    with html.Div(classes="line"):
        html.Span("All structures")
        _download("Slicer", "structures.mrk.json", "structures_markups", _MARKUPS, "!embedded",
                  "The middle of every structure as a list of points for 3D Slicer")
        _download("CSV", "structures.csv", "structures_csv", _CSV, "!embedded",
                  "Middle and volume of every structure as a table")
    with html.Div(classes="line"):
        _download("Figure of the views (PNG)", "views.png", "figure", "image/png", "!scan_id",
                  "The slice views with places, scale, window and key")
        v3.VBtn("Copy link", size="small", variant="tonal", id="copy-link", disabled=("!scan_id",),
                **hint("An address that leads back to this view, for as long as this page is open"))


def _download(label: str, name: str, trigger: str, kind: str, disabled: str, explanation: str) -> None:
    v3.VBtn(label, size="small", variant="tonal", id=f"take-{trigger.replace('_', '-')}", disabled=(disabled,),
            click=f"utils.download('{name}', trigger('{trigger}'), '{kind}')", **hint(explanation))
