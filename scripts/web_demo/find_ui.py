"""Section Find of the page."""

from trame.widgets import html
from trame.widgets import vuetify3 as v3

from web_demo.said import hint, said


def find_ui(find) -> None:
    """The search box, the answer in words, near names to choose from, and the table of hits."""
    with html.Div(classes="line"):
        find.box.build("Structure, for example: left kidney", "!embedded")
        with v3.VMenu():
            with v3.Template(v_slot_activator="{ props }"):
                v3.VBtn(v_bind="props", icon="mdi-history", size="small", variant="text", **said("Search again for…"),
                        disabled=("!embedded || !earlier.length",))
            with v3.VList(density="compact"):
                v3.VListItem(v_for="text in earlier", key="text", title=("text",), click=(find.find, "[text]"))
    with html.Div(classes="line"):
        v3.VBtn("Find", prepend_icon="mdi-magnify", size="small", variant="flat", color="primary",
                click=(find.find, "[]"), disabled=("!embedded",), id="find")
        v3.VBtn("Show where it is likely", size="small", variant="tonal", click=find.show_heat_map,
                disabled=("!embedded",), id="heat-map")
    with html.Div(v_if=("answer",), classes="line answer-line"):
        html.Div("{{ answer }}", id="answer", classes=("'answer ' + answer_kind",),
                 raw_attrs=[':data-number="answers"', 'role="status"'])
        v3.VBtn(icon="mdi-content-copy", size="x-small", variant="text", id="copy-answer",
                **said("Copy the answer as text"))
    with html.Div(v_if=("choices.length",), classes="choices"):
        html.Span("{{ choices_lead }}")
        v3.VChip("{{ name }}", v_for="name in choices", key="name", size="small", color="primary",
                 click=(find.find, "[name]"))
    with html.Table(v_if=("hits.length",), classes="hits"):
        with html.Thead(), html.Tr():
            html.Th("Structure")
            html.Th("Confidence", **hint("How likely the place is within 10 mm of the structure"))
            html.Th("Place")
            html.Th("Keep")
        with html.Tbody(), html.Tr(
            v_for="(hit, row) in hits", key="row", click=(find.jump_to_row, "[row]"), raw_attrs=['tabindex="0"'],
            keydown_enter=(find.jump_to_row, "[row]"), __events=[("keydown_enter", "keydown.enter")],
            classes=("row === hit_row ? 'chosen' : ''",), v_show=("!hit.less_likely || less_likely_shown",),
        ):
            html.Td("{{ hit.name }}")
            html.Td("{{ hit.confidence_words }}", classes=("hit.sure ? '' : 'unsure'",))
            html.Td("{{ hit.place }}", classes="place")
            with html.Td():
                v3.VBtn(icon="mdi-bookmark-outline", size="x-small", variant="text", **said("Keep this place"),
                        click=(find.keep, "[row]"))
    v3.VBtn("{{ less_likely_shown ? 'Hide' : 'Show' }} {{ less_likely }} less likely", v_if=("less_likely",),
            size="small", variant="text", id="less-likely", click="less_likely_shown = !less_likely_shown")
