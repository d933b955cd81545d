"""Section Compare of the page."""

from trame.widgets import html
from trame.widgets import vuetify3 as v3


def compare_ui(compare) -> None:
    """The second scan, the link, and one place."""
    v3.VSelect(v_model=("other_id",), items=("others",), label="Second scan", density="compact", variant="outlined",
               hide_details=True, clearable=True, disabled=("!others.length",), id="other-box")
    with html.Div(classes="line"):
        v3.VSwitch(model_value=("linked",), label="Link both", density="compact", hide_details=True, color="primary",
                   update_modelValue=(compare.link, "[$event]"), disabled=("!compare_ready",), id="link")
        v3.VSpacer()
        v3.VBtn("Find the clicked place there", size="small", variant="tonal", click=compare.find_there,
                disabled=("!compare_ready",), id="find-there")
    html.Div("{{ compare_line }}", v_if=("compare_line",), classes="quiet")
    html.Div("{{ match }}", v_if=("match",), classes="quiet", id="match")
