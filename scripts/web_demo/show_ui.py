"""Section Show of the page."""

from trame.widgets import html
from trame.widgets import vuetify3 as v3

from web_demo.said import said
from web_demo.show_logic import MODES


def show_ui(show) -> None:
    """One button per overlay, its opacity, the threshold of the likelihood, and the legend."""
    with html.Div(classes="modes"):
        for mode, label in MODES.items():
            v3.VBtn(label, size="small", variant=(f"overlay === '{mode}' ? 'flat' : 'tonal'",),
                    id=f"show-{mode.replace(' ', '-')}",
                    color=(f"overlay === '{mode}' ? 'primary' : undefined",), click=(show.show, f"['{mode}']"),
                    disabled=("!embedded",))
    with html.Div(v_if=("overlay !== 'nothing'",), classes="line slider-line"):
        html.Label("Opacity")
        v3.VSlider(v_model=("opacity",), min=0, max=1, step=0.05, density="compact", hide_details=True, color="primary",
                   **said("Opacity"))
    with html.Div(v_if=("overlay === 'heat map'",), classes="line slider-line"):
        html.Label("From")
        v3.VSlider(v_model=("threshold",), min=0, max=0.95, step=0.05, density="compact", hide_details=True,
                   color="primary", **said("Show from this likelihood"))
        html.Span("{{ threshold ? Math.round(100 * threshold) + '%' : 'automatic' }}", classes="slider-value")
    html.Div("{{ meaning }}", v_if=("meaning",), classes="quiet")
    with html.Div(v_if=("scale",), classes="scale", id="scale"):
        html.Span("{{ scale.low }}")
        html.Div(classes="scale-colours", raw_attrs=['role="img"', 'aria-label="Colours from low to high"'],
                 style=("{ background: `linear-gradient(to right, ${scale.colours.join(', ')})` }",))
        html.Span("{{ scale.high }}")
    with html.Div(v_if=("position_key",), classes="position-key", id="position-key"):
        html.Span("R")
        html.Img(src=("position_key",), alt="This scan from the front, in the colours of its places")
        html.Span("L")
    with html.Div(v_if=("overlay === 'structures'",), classes="line legend-choices"):
        v3.VSwitch(v_model=("wholes",), label="Whole organs", density="compact", hide_details=True, color="primary",
                   id="wholes")
        v3.VSwitch(v_model=("legend_all",), label="All of the scan", density="compact", hide_details=True,
                   color="primary", id="legend-all")
    with html.Div(v_if=("legend.length",), classes="legend", id="legend",
                  raw_attrs=['role="group"', 'aria-label="Structures and their colours"']), html.Button(
        v_for="entry in legend", key="entry.name", click=(show.demo.find.find, "[entry.name]"), type="button",
        raw_attrs=['title="Find this structure"'],
    ):
        html.Span(classes="patch", style=("{ background: entry.colour }",))
        html.Span("{{ entry.name }}")
