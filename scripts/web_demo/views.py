"""The views of one visitor: what they show, where they are, and what is under the mouse."""

from collections.abc import Callable

import numpy as np
import slicer
import slicer.util
from AnatomicalEmbeddingLib.SceneNodes import nodesOfClass
from trame_slicer.core import LayoutManager, SlicerApp
from trame_slicer.rca_view import RemoteSliceViewFactory, RemoteThreeDViewFactory

from web_demo import words
from web_demo.surfaces import add_surfaces, remove_surfaces
from web_demo.view_layouts import ALONE, ONE_SCAN, ORIENTATIONS, SECOND, THREE_D, TWO_SCANS, view_layouts
from web_demo.view_size import bounded_size
from web_demo.view_ui import slice_view_ui, three_d_view_ui

WINDOWS = {"Soft tissue": (400, 40), "Lung": (1500, -500), "Bone": (1800, 400)}
"""Width and centre in HU."""
_CLICK_PIXELS = 4
_LEGEND_SIZE, _LEGEND_POSITION = (0.09, 0.28), (0.98, 0.74)
"""As parts of a view."""
_BEFORE_THE_VIEW = 10.0
_AFTER_THE_VIEW = -10.0
"""Priorities of observers that are asked before and after the view's own."""


class _Bounded:
    """Views whose size the page sets within bounds only."""

    def _create_view(self, *arguments):
        made = super()._create_view(*arguments)
        take = made.view_adapter.update_size
        made.view_adapter.update_size = lambda origin, size: take(origin, bounded_size(size))
        return made


class _SliceViews(_Bounded, RemoteSliceViewFactory):
    pass


class _SpaceViews(_Bounded, RemoteThreeDViewFactory):
    pass


class Views:
    """Slice views and a 3D view in the page; names as in view_layouts.py."""

    def __init__(self, app: SlicerApp, server) -> None:
        self._app, self._state = app, server.state
        self.entered: Callable = lambda scan: None
        self.clicked: Callable = lambda scan, position_ras: None
        self._watched: set[str] = set()
        self._pressed = (0, 0)
        self._base = ONE_SCAN
        self._in_space: str | None = None
        self._state.setdefault("layout", ONE_SCAN)
        self._state.setdefault("window", next(iter(WINDOWS)))
        for name in self._names():
            self._state.setdefault(f"{name}_letters", {})
            self._state.setdefault(f"{name}_place", "")
        streaming = {"rca_encoder": "jpeg", "target_fps": 20, "blur_fps": 15, "interactive_quality": 70,
                     "rca_event_throttle_s": 0.03}
        for factory, over_view in ((_SliceViews, self._slice_ui), (_SpaceViews, three_d_view_ui)):
            app.view_manager.register_factory(factory(server, populate_view_ui_f=over_view, **streaming))
        self.manager = LayoutManager(app.scene, app.view_manager, server)
        self.manager.register_layout_dict(view_layouts(), lazy_initialization=True)
        self.manager.create_layout_views_if_needed(ONE_SCAN)
        self._prepare()
        self.manager.set_layout(ONE_SCAN)
        self._show_crosshair(True)

    def arrange(self, second_scan: bool) -> None:
        """Three slices and 3D of one scan, or three slices of each of two."""
        self._base = TWO_SCANS if second_scan else ONE_SCAN
        self._set(self._base)
        self._show_crosshair(not second_scan)

    def toggle_alone(self, name: str) -> None:
        """Show one view alone, or all of them again."""
        self._set(self._base if self._state.layout != self._base else ALONE + name)

    def show(self, scan, second: bool = False) -> None:
        """Show a scan, fitted into its views; None empties them."""
        for view in self._slices(second):
            view.set_background_volume_id(scan.GetID() if scan is not None else None)
            view.reset_view()
        if not second:
            self._show_in_space(scan)
            self._put_crosshair_in_the_middle(scan)

    def apply_window(self, name: str, scans: list) -> None:
        """Grey values of scans by a name of WINDOWS."""
        width, centre = WINDOWS[name]
        self._state.window = name
        for scan in scans:
            scan.GetDisplayNode().SetAutoWindowLevel(False)
            scan.GetDisplayNode().SetWindowLevel(width, centre)

    def jump(self, position_ras, second: bool = False) -> None:
        """Bring the planes of the views of one scan through a position, without moving the picture sideways."""
        for view in self._slices(second):
            view.get_view_node().JumpSliceByOffsetting(*(float(value) for value in position_ras))

    def draw(self) -> None:
        """Draw every view again: an image whose opacity or threshold has changed does not ask for it."""
        for view in self._app.view_manager.get_views():
            view.schedule_render()

    def make_legends_small(self) -> None:
        """Colour scales that fit into views of a web page, between the buttons and the letter of the side."""
        for legend in nodesOfClass(self._app.scene, "vtkMRMLColorLegendDisplayNode"):
            legend.SetSize(*_LEGEND_SIZE)
            legend.SetPosition(*_LEGEND_POSITION)

    def _slice_ui(self, server, view_id: str, view) -> None:
        slice_view_ui(server, view_id, view, lambda: self.toggle_alone(view_id))

    def _set(self, layout: str) -> None:
        self.manager.create_layout_views_if_needed(layout)
        self._prepare()
        self.manager.set_layout(layout)
        self._state.layout = layout

    def _show_crosshair(self, wanted: bool) -> None:
        """Not with two scans: the cross-hair would stand at another anatomical place in the second one."""
        node = slicer.vtkMRMLCrosshairNode
        crosshair = self._app.scene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
        crosshair.SetCrosshairMode(node.ShowIntersection if wanted else node.NoCrosshair)

    def _names(self) -> list[str]:
        return [*ORIENTATIONS, *(SECOND + name for name in ORIENTATIONS)]

    def _slices(self, second: bool) -> list:
        views = self._app.view_manager.get_slice_views()
        return [view for view in views if view.get_singleton_tag().startswith(SECOND) == second]

    def _prepare(self) -> None:
        """Watch views that are new."""
        for view in self._app.view_manager.get_slice_views():
            name = view.get_singleton_tag()
            if name in self._watched:
                continue
            self._watched.add(name)
            view.modified.connect(self._on_view_modified)
            interactor = view.interactor()
            events = {"MouseMoveEvent": self._on_move, "LeftButtonPressEvent": self._on_press,
                      "LeftButtonReleaseEvent": self._on_release, "WindowResizeEvent": self._on_resized}
            for event, method in events.items():
                priority = _AFTER_THE_VIEW if event == "WindowResizeEvent" else _BEFORE_THE_VIEW
                interactor.AddObserver(event, _with(view, method), priority)
            self._on_view_modified(view)
        for view in self._app.view_manager.get_threed_views():
            view.renderer().SetUseDepthPeeling(False)  # many passes, slow without a graphics card
            view.renderer().SetUseDepthPeelingForVolumes(False)

    def _show_in_space(self, scan) -> None:
        if scan is not None and scan.GetID() == self._in_space:
            return
        self._in_space = scan.GetID() if scan is not None else None
        remove_surfaces(self._app.scene)
        view = self._app.view_manager.get_view(THREE_D)
        if scan is not None:
            add_surfaces(self._app.scene, scan, [view.get_view_node_id()])
        view.reset_view()

    def _put_crosshair_in_the_middle(self, scan) -> None:
        if scan is None:
            return
        bounds = [0.0] * 6
        scan.GetRASBounds(bounds)
        middle = [(low + high) / 2 for low, high in zip(bounds[::2], bounds[1::2], strict=True)]
        self.jump(middle)
        self._app.scene.GetFirstNodeByClass("vtkMRMLCrosshairNode").SetCrosshairRAS(*middle)

    def _on_resized(self, view) -> None:
        """Fit the scan into the new size, with the plane where it is."""
        offset = view.get_slice_value()
        view.fit_view_to_content()
        view.set_slice_value(offset)

    def _on_view_modified(self, view) -> None:
        slice_to_ras = slicer.util.arrayFromVTKMatrix(view.get_view_node().GetSliceToRAS())
        right, up, through = (slice_to_ras[:3, column] for column in range(3))
        name = view.get_singleton_tag()
        letters = {"left": -right, "right": right, "top": up, "bottom": -up}
        with self._state:
            self._state[f"{name}_letters"] = {side: words.axis_letter(way) for side, way in letters.items()}
            self._state[f"{name}_place"] = _place(through, slice_to_ras[:3, 3])

    def _on_move(self, view) -> None:
        self.entered(self._scan_in(view))

    def _on_press(self, view) -> None:
        self._pressed = view.interactor().GetEventPosition()

    def _on_release(self, view) -> None:
        x, y = view.interactor().GetEventPosition()
        if max(abs(x - self._pressed[0]), abs(y - self._pressed[1])) > _CLICK_PIXELS:
            return
        position = slicer.util.arrayFromVTKMatrix(view.get_view_node().GetXYToRAS()) @ [x, y, 0.0, 1.0]
        scan = self._scan_in(view)
        if scan is not None:
            self.clicked(scan, position[:3])

    def _scan_in(self, view):
        node_id = view.get_background_volume_id()
        return self._app.scene.GetNodeByID(node_id) if node_id else None


def _place(through, origin) -> str:
    """Where a plane lies: "S 21 mm"; for an oblique plane of the axis that it crosses most steeply."""
    axis = int(np.argmax(np.abs(through)))
    value = float(origin[axis])
    direction = np.zeros(3)
    direction[axis] = 1.0 if value >= 0 else -1.0
    return f"{words.axis_letter(direction)} {abs(value):.0f} mm"


def _with(view, method: Callable) -> Callable:
    return lambda _caller, _event: method(view)

