"""Section Report of the page."""

from trame.widgets import html
from trame.widgets import vuetify3 as v3


def report_ui(report) -> None:
    """The field to paste into, the report with its links, what to choose from, and the slices worth a look."""
    v3.VTextarea(v_model=("report_text",), label="Paste a report", rows=4, density="compact", variant="outlined",
                 hide_details=True, disabled=("!embedded",), id="report-box")
    with html.Div(classes="line"):
        v3.VBtn("Read the report", size="small", variant="flat", color="primary", id="read-report",
                click=(report.read, "[report_text]"), disabled=("!embedded || !report_text",))
    html.Div("{{ report_summary }}", v_if=("report_summary",), classes="quiet", id="report-summary",
             raw_attrs=['role="status"'])
    with html.Div(v_if=("report_parts.length",), classes="report", id="report"), html.Template(
        v_for="(part, row) in report_parts", key="row",
    ):
        html.Span("{{ part.text }}", v_if="part.kind === 'plain'")
        html.Button("{{ part.text }}{{ part.ask ? ' ?' : '' }}", v_else_if="part.kind === 'here'", type="button",
                    classes="mention linked", click=(report.follow, "[part.number]"), raw_attrs=[':title="part.why"'])
        html.Span("{{ part.text }}{{ part.kind === 'side' ? ' !' : '' }}", v_else=True,
                  classes=("'mention ' + part.kind",), raw_attrs=[':title="part.why"', 'tabindex="0"'])
    html.Div("{{ report_answer }}", v_if=("report_answer",), classes="answer go", id="report-answer",
             raw_attrs=['role="status"'])
    with html.Div(v_if=("report_choices.length",), classes="choices", id="report-choices"):
        v3.VChip("{{ one.name }}", v_for="(one, row) in report_choices", key="row", size="small", color="primary",
                 click=(report.choose, "[row]"), disabled=("!one.here",), raw_attrs=[':title="one.reason"'])
    with html.Table(v_if=("report_slices.length",), classes="hits", id="report-slices"):
        with html.Thead(), html.Tr():
            html.Th("Slice")
            html.Th("Shows")
        with html.Tbody(), html.Tr(
            v_for="(one, row) in report_slices", key="row", click=(report.show_slice, "[row]"),
            raw_attrs=['tabindex="0"'], keydown_enter=(report.show_slice, "[row]"),
            __events=[("keydown_enter", "keydown.enter")],
        ):
            html.Td("{{ one.place }}", classes="place")
            html.Td("{{ one.shows }}")
