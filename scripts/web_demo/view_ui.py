"""What lies over a view: the sides of the patient, the place of the plane, a slider, and a button to enlarge it."""

from trame.widgets import html
from trame.widgets import vuetify3 as v3
from trame_slicer.app.logic import connect_slice_view_slider_to_state
from trame_slicer.app.ui import Slider

from web_demo.said import said

_NAMES = {"Red": "Axial", "Green": "Coronal", "Yellow": "Sagittal"}


def slice_view_ui(server, view_id: str, view, enlarge) -> None:
    """Everything over a slice view; `enlarge` shows it alone, or all views again."""
    kind = view_id.removeprefix("Second")
    with html.Div(classes=f"over-view view-{kind.lower()}", id=f"over-{view_id}"):
        for side in ("left", "right", "top", "bottom"):
            html.Span(f"{{{{ {view_id}_letters.{side} }}}}", classes=f"side side-{side}")
        with html.Div(classes="view-name"):
            html.Span(_NAMES[kind])
            html.Span(f"{{{{ {view_id}_place }}}}", classes="view-place")
            html.Span(f"{{{{ {view_id}_slice }}}}", classes="view-slice")
        with html.Div(classes="scale-bar", style=(f"{{ width: {view_id}_bar.percent + '%' }}",)):
            html.Span(f"{{{{ {view_id}_bar.mm }}}} mm")
        _button("mdi-arrow-expand", "Enlarge this view, or show all", enlarge, "view-enlarge")
        _button("mdi-fit-to-page-outline", "Fit the scan into the view", view.reset_view, "view-fit")
        with html.Div(classes="view-slider"):
            Slider(typed_state=connect_slice_view_slider_to_state(server, view), density="compact",
                   color="grey-lighten-1", track_color="grey-darken-2", thumb_size=16,
                   **said(f"{_NAMES[kind]} slice"))


def three_d_view_ui(_server, view_id: str, view) -> None:
    """The button over the 3D view."""
    with html.Div(classes="over-view view-space", id=f"over-{view_id}"):
        with html.Div(classes="view-name"):
            html.Span("Bones and skin")
        _button("mdi-fit-to-page-outline", "Look from the front", view.reset_view, "view-fit")


def _button(icon: str, title: str, click, classes: str) -> None:
    v3.VBtn(icon=icon, size="x-small", variant="text", color="grey-lighten-1", click=click, classes=classes,
            **said(title))
