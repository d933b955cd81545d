"""How the views are arranged: one scan in three slices and in 3D, two scans above each other, or one view alone."""

from trame_slicer.views import Layout, LayoutDirection, ViewLayoutDefinition

ORIENTATIONS = {"Red": "Axial", "Green": "Coronal", "Yellow": "Sagittal"}
"""Name of the view, as in Slicer, and its orientation."""
SECOND = "Second"
"""What the names of the second scan's views begin with."""
THREE_D = "ThreeD"
ONE_SCAN, TWO_SCANS, ALONE = "one scan", "two scans", "alone "
_BLACK = "#000000"


def slice_view(name: str) -> ViewLayoutDefinition:
    """A view of the first or the second scan."""
    makers = {"Axial": ViewLayoutDefinition.axial_view, "Coronal": ViewLayoutDefinition.coronal_view,
              "Sagittal": ViewLayoutDefinition.sagittal_view}
    view = makers[ORIENTATIONS[name.removeprefix(SECOND)]](name)
    view.properties.group = int(name.startswith(SECOND))
    return view


def view_layouts() -> dict[str, Layout]:
    """Every arrangement by its name."""
    row, column = LayoutDirection.Horizontal, LayoutDirection.Vertical
    space = ViewLayoutDefinition.threed_view(name=THREE_D, background_color=_BLACK)
    red, green, yellow = (slice_view(name) for name in ORIENTATIONS)
    second = [slice_view(SECOND + name) for name in ORIENTATIONS]
    alone = {ALONE + view.singleton_tag: Layout(row, [view]) for view in (red, green, yellow, space, *second)}
    return {
        ONE_SCAN: Layout(row, [Layout(column, [red, green]), Layout(column, [space, yellow])]),
        TWO_SCANS: Layout(column, [Layout(row, [red, green, yellow]), Layout(row, second)]),
        **alone,
    }
