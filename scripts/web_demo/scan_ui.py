"""Section Scan of the page."""

from trame.widgets import html
from trame.widgets import vuetify3 as v3

from web_demo.open_file import KINDS
from web_demo.said import hint, said


def scan_ui(scans) -> None:
    """Choose, open, embed, stop."""
    with html.Div(classes="line"):
        v3.VSelect(v_model=("scan_id",), items=("scans",), label="Scan", density="compact", variant="outlined",
                   hide_details=True, id="scan-box")
        v3.VBtn(icon="mdi-close", size="x-small", variant="text", **said("Close this scan"),
                click=scans.remove, disabled=("!scan_id || embedding",))
    with html.Div(classes="line"):
        html.Input(type="file", id="scan-file", accept=",".join(KINDS), classes="hidden-input",
                   raw_attrs=["multiple", 'aria-label="File to open"'])
        v3.VBtn("Open file", prepend_icon="mdi-folder-open-outline", size="small", variant="tonal", id="open-file",
                disabled=("upload_percent >= 0 || !!opening",),
                **hint("NIfTI, NRRD, MetaImage, DICOM files or a ZIP of them; or drop file or folder on the page"))
        with v3.VMenu():
            with v3.Template(v_slot_activator="{ props }"):
                v3.VBtn("Examples", v_bind="props", size="small", variant="text", append_icon="mdi-menu-down")
            with v3.VList(density="compact", max_width=320):
                v3.VListItem(v_for="example in examples", key="example.name", title=("example.name",),
                             subtitle=("example.explanation",), lines="three",
                             click=(scans.open_example, "[example.name]"))
        v3.VSpacer()
        v3.VBtn("{{ embed_text }}", size="small", color=("embedding ? 'warning' : 'primary'",),
                variant=("embedded && !embedding ? 'tonal' : 'flat'",),
                click=scans.embed_or_cancel, disabled=("!can_embed",), id="embed")
    with html.Div(v_if=("upload_percent >= 0",), classes="work"):
        v3.VProgressLinear(model_value=("upload_percent",), color="primary", height=6, rounded=True)
        html.Span("Sending the file to this page's computer, {{ upload_percent }}%")
        v3.VBtn("Cancel", size="x-small", variant="text", id="cancel-upload")
    with html.Div(v_if=("opening",), classes="work"):
        v3.VProgressLinear(indeterminate=True, color="primary", height=6, rounded=True)
        html.Span("Reading {{ opening }}")
        v3.VBtn("Cancel", size="x-small", variant="text", click=scans.cancel_opening)
    with html.Div(v_if=("embedding",), classes="work", id="embedding"):
        v3.VProgressLinear(model_value=("progress",), color="primary", height=6, rounded=True)
        html.Span("{{ stage }}")
    html.Div("{{ scan_line }}", classes="quiet", id="scan-line")
    with html.Details(v_if=("details",), classes="details"):
        html.Summary("Report for the developers")
        html.Pre("{{ details }}")
