"""The page: a bar on top, the sections on the left, the views, and the line that names the place under the mouse."""

from pathlib import Path

from trame.ui.vuetify3 import VAppLayout
from trame.widgets import html
from trame.widgets import vuetify3 as v3

from web_demo.border_ui import border_ui
from web_demo.compare_ui import compare_ui
from web_demo.find_ui import find_ui
from web_demo.here_ui import here_ui
from web_demo.said import hint, said
from web_demo.scan_ui import scan_ui
from web_demo.show_ui import show_ui
from web_demo.views import WINDOWS

TITLE = "Anatomical embedding"
SERVED = "__web_demo"
_WARNING = "For research and teaching. Not a medical device."


def build_page(demo) -> VAppLayout:
    """The whole page of one visitor."""
    folder = str(Path(__file__).parent / "serve")
    demo.server.enable_module({
        "serve": {SERVED: folder}, "scripts": [f"{SERVED}/web_demo.js"], "styles": [f"{SERVED}/web_demo.css"],
    })
    demo.state.trame__title = TITLE
    demo.state.trame__template_error = (
        '<div class="ended">The connection to this page\'s computer has ended, or the page was opened again elsewhere. '
        'What you opened here is deleted after a short while. <a href="">Connect again</a> '
        'or <a href="../../">begin anew</a>.</div>'
    )
    with VAppLayout(demo.server, theme=("theme", "dark")) as layout:
        _bar(demo)
        with v3.VNavigationDrawer(permanent=True, width=348, classes="panel"):
            _message()
            _section(demo.state, "Scan", scan_ui, demo.scans)
            _section(demo.state, "Find", find_ui, demo.find)
            _section(demo.state, "Show", show_ui, demo.overlay)
            _section(demo.state, "Compare", compare_ui, demo.compare, "with a second scan")
            _section(demo.state, "Border", border_ui, demo.border, "between two structures")
        with v3.VMain(classes="main"):
            with html.Div(classes="views", id="views"):
                demo.views.manager.initialize_layout_grid(layout)
            here_ui()
        html.Div("Drop the file to open it: NIfTI, NRRD, MetaImage, or a ZIP with DICOM", id="drop-here")
    return layout


def _bar(demo) -> None:
    with v3.VAppBar(flat=True, height=44, classes="bar"):
        v3.VAppBarTitle(TITLE)
        html.Span(_WARNING, classes="warning-line")
        v3.VSpacer()
        with v3.VBtnToggle(model_value=("window",), density="compact", mandatory=True, variant="outlined",
                           classes="windows"):
            for name in WINDOWS:
                v3.VBtn(name, value=name, size="small", click=(demo.set_window, f"['{name}']"),
                        **hint(f"{name} window, width {WINDOWS[name][0]}, centre {WINDOWS[name][1]} HU"))
        v3.VBtn(icon=("theme === 'dark' ? 'mdi-weather-sunny' : 'mdi-weather-night'",), size="small", id="theme",
                click="theme = theme === 'dark' ? 'light' : 'dark'", **said("Light or dark"))


def _message() -> None:
    with html.Div(v_if=("message",), classes=("'message ' + (message_problem ? 'problem' : '')",), id="message",
                  raw_attrs=['role="status"']):
        html.Span("{{ message }}")
        v3.VBtn(icon="mdi-close", size="x-small", variant="text", click="message = ''",
                **said("Close the message"))


def _section(state, title: str, build, logic, hint_when_closed: str = "") -> None:
    """A part that can be folded away; one with a hint is, at the beginning."""
    name = f"open_{title.lower()}"
    state.setdefault(name, not hint_when_closed)
    # In the state, because the page is built anew when the views are arranged otherwise.
    folding = [f':open="{name}"', f'@toggle="{name} = $event.target.open"']
    with html.Details(classes="section", id=f"section-{title.lower()}", raw_attrs=folding):
        with html.Summary(title):
            html.Span(hint_when_closed, classes="quiet")
        with html.Div(classes="section-content"):
            build(logic)
