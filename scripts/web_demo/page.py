"""The page: a bar on top, the sections on the left, the views, and the line that names the place under the mouse."""

from pathlib import Path

from trame.ui.vuetify3 import VAppLayout
from trame.widgets import html
from trame.widgets import vuetify3 as v3

from web_demo.border_ui import border_ui
from web_demo.compare_ui import compare_ui
from web_demo.find_ui import find_ui
from web_demo.here_ui import here_ui
from web_demo.report_ui import report_ui
from web_demo.said import hint, said
from web_demo.scan_ui import scan_ui
from web_demo.show_ui import show_ui
from web_demo.take_ui import take_ui
from web_demo.views import DISTANCE_TOOL, SLABS_MM, WINDOW_TOOL
from web_demo.windowing import WINDOWS

TITLE = "Anatomical embedding"
SERVED = "__web_demo"
_SCRIPTS = ("zip.js", "web_demo.js", "busy.js", "views.js", "copy.js")
_WARNING = "For research and teaching. Not a medical device."


def build_page(demo) -> VAppLayout:
    """The whole page of one visitor."""
    folder = str(Path(__file__).parent / "serve")
    demo.server.enable_module({
        "serve": {SERVED: folder}, "scripts": [f"{SERVED}/{name}" for name in _SCRIPTS],
        "styles": [f"{SERVED}/web_demo.css"],
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
            _section(demo.state, "Report", report_ui, demo.report, "with links into the scan")
            _section(demo.state, "Take away", take_ui, demo.take, "places, tables, a figure")
        with v3.VMain(classes="main"):
            with html.Div(classes="views", id="views"):
                demo.views.manager.initialize_layout_grid(layout)
            here_ui()
        html.Div("Drop it to open it: NIfTI, NRRD, MetaImage, a folder or a ZIP with DICOM", id="drop-here")
    return layout


def _bar(demo) -> None:
    with v3.VAppBar(flat=True, height=44, classes="bar"):
        html.H1(TITLE, classes="title")
        html.Span(_WARNING, classes="warning-line")
        v3.VSpacer()
        with v3.VBtnToggle(model_value=("window",), density="compact", variant="outlined", classes="windows"):
            for name, (width, centre) in WINDOWS.items():
                v3.VBtn(name, value=name, size="small", click=(demo.windowing.choose, f"['{name}']"),
                        **hint(f"{name} window, width {width}, centre {centre} HU"))
        v3.VBtn("Fits", size="small", id="window-fits", click=demo.windowing.fit_again,
                variant=("window_fits ? 'tonal' : 'text'",), raw_attrs=[
                    ':aria-pressed="window_fits"', 'title="Every answer brings the window in which it is looked at"'])
        html.Span("W {{ window_width }} C {{ window_centre }}", id="window-numbers",
                  **hint("Width and centre of the grey values in HU; drag with the left button to change them"))
        with v3.VBtnToggle(v_model=("tool",), density="compact", variant="outlined", mandatory=True, classes="windows"):
            v3.VBtn(icon="mdi-contrast-circle", value=WINDOW_TOOL, size="small", id="tool-window",
                    **said("Left drag changes window and level"))
            v3.VBtn(icon="mdi-ruler", value=DISTANCE_TOOL, size="small", id="tool-distance",
                    **said("Left drag measures a distance"))
        v3.VBtn(icon="mdi-undo", size="x-small", variant="text", disabled=("!distances",), id="distance-undo",
                click=demo.views.distances.remove_last, **said("Take the last distance away"))
        with v3.VMenu():
            with v3.Template(v_slot_activator="{ props }"):
                v3.VBtn("{{ slab_mm ? 'MIP ' + slab_mm + ' mm' : 'One slice' }}", v_bind="props", size="small",
                        variant="text", append_icon="mdi-menu-down", id="slab",
                        **hint("Show the brightest voxels of a slab of this thickness"))
            with v3.VList(density="compact"):
                for thickness in SLABS_MM:
                    v3.VListItem(title=f"MIP {thickness} mm" if thickness else "One slice",
                                 click=(demo.views.set_slab, f"[{thickness}]"))
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
    name = f"open_{title.split()[0].lower()}"
    state.setdefault(name, not hint_when_closed)
    # In the state, because the page is built anew when the views are arranged otherwise.
    folding = [f':open="{name}"', f'@toggle="{name} = $event.target.open"']
    with html.Details(classes="section", id=f"section-{title.split()[0].lower()}", raw_attrs=folding):
        with html.Summary(title):
            html.Span(hint_when_closed, classes="quiet")
        with html.Div(classes="section-content"):
            build(logic)
