"""The views of one visitor: what they show, where they are, and what is under the mouse."""

from collections.abc import Callable
from contextlib import contextmanager

import slicer
import slicer.util
import vtk
from AnatomicalEmbeddingLib import VolumeBridge
from AnatomicalEmbeddingLib.SceneNodes import nodesOfClass
from trame_slicer.core import LayoutManager, SlicerApp
from trame_slicer.rca_view import RemoteSliceViewFactory, RemoteThreeDViewFactory
from vtk.util.numpy_support import vtk_to_numpy

from web_demo import plane
from web_demo.distance import Distances, in_words
from web_demo.figure import Tile
from web_demo.markers import Rings
from web_demo.pointer import Pointer
from web_demo.surfaces import add_surfaces, remove_surfaces
from web_demo.view_layouts import ALONE, ONE_SCAN, ORIENTATIONS, SECOND, THREE_D, TWO_SCANS, view_layouts
from web_demo.view_size import bounded_size
from web_demo.view_ui import slice_view_ui, three_d_view_ui

_AFTER_THE_VIEW = -10.0
"""Priority of observers that are asked after the view's own."""
SLABS_MM = (0, 5, 10, 20, 40)
"""Thicknesses of which the brightest voxels can be shown; 0 is one slice."""
WINDOW_TOOL, DISTANCE_TOOL = "window", "distance"
_RIM = 0.08
"""What is nearer to the edge of a view than this share of it is brought into its middle."""


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
        self.pointer = Pointer(self._scan_in)
        self.distances = Distances(app.scene, self._show_distances)
        self._rings = Rings(app.scene)
        self.moved: Callable = lambda: None
        self._watched: set[str] = set()
        self._base = ONE_SCAN
        self._in_space: str | None = None
        self._state.setdefault("layout", ONE_SCAN)
        for name, value in {"tool": WINDOW_TOOL, "slab_mm": 0, "distance": "", "distances": 0}.items():
            self._state.setdefault(name, value)
        for name in self._names():
            for part, value in {"letters": {}, "place": "", "slice": "", "bar": {"mm": 0, "percent": 0}}.items():
                self._state.setdefault(f"{name}_{part}", value)
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

    def jump(self, position_ras, second: bool = False) -> None:
        """Bring the planes of the views of one scan through a position, without moving the picture sideways."""
        for view in self._slices(second):
            view.get_view_node().JumpSliceByOffsetting(*(float(value) for value in position_ras))

    @contextmanager
    def still(self):
        """While the planes of the first scan jump, their pictures do not move sideways; only a place that would lie at
        the edge of a view, or beyond, is brought into its middle."""
        views = self._slices(second=False)
        before = [slicer.util.arrayFromVTKMatrix(view.get_view_node().GetSliceToRAS()).copy() for view in views]
        crosshair = self._app.scene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
        was = crosshair.GetCrosshairRAS()
        yield
        position_ras = crosshair.GetCrosshairRAS()
        if position_ras == was:
            return
        for view, slice_to_ras in zip(views, before, strict=True):
            _move_back(view.get_view_node(), slice_to_ras, position_ras)

    def scroll(self, name: str, steps: int) -> None:
        """Move the plane of a slice view by whole slices."""
        view = self._app.view_manager.get_view(name)
        if name not in self._names() or view is None or not isinstance(steps, int):
            return
        low, high = view.get_slice_range()
        view.set_slice_value(min(max(view.get_slice_value() + steps * view.get_slice_step(), low), high))

    def set_slab(self, thickness_mm: int) -> None:
        """Show the brightest voxels of a slab in every slice view, or with 0 one slice."""
        self._state.slab_mm = thickness_mm
        for view in self._app.view_manager.get_slice_views():
            self._put_slab_on(view)
            view.schedule_render()

    def tiles(self) -> list[Tile]:
        """The slice views that are shown, as they are."""
        shown = self._app.view_manager.filter_visible_views(self._app.view_manager.get_slice_views())
        return [self._tile(view) for view in shown]

    def draw(self) -> None:
        """Draw every view again: an image whose opacity or threshold has changed does not ask for it."""
        self._rings.dress()
        for view in self._app.view_manager.get_views():
            view.schedule_render()

    def hide_scales(self) -> None:
        """The page writes scales itself, in percent and where there is room."""
        for legend in nodesOfClass(self._app.scene, "vtkMRMLColorLegendDisplayNode"):
            legend.SetVisibility(False)

    def overlay_node(self):
        """The volume that lies over the first scan, None without one."""
        found = (view.get_foreground_volume_id() for view in self._slices(second=False))
        return next((self._app.scene.GetNodeByID(one) for one in found if one), None)

    def planes(self) -> list[tuple]:
        """The planes of the first scan that are shown: matrix of the middle to RAS, width and height in mm."""
        shown = self._app.view_manager.filter_visible_views(self._slices(second=False))
        return [
            (slicer.util.arrayFromVTKMatrix(node.GetSliceToRAS()).copy(), *node.GetFieldOfView()[:2])
            for node in (view.get_view_node() for view in shown)
        ]

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
            self.pointer.watch(view)
            self._rings.watch(view)
            resized = _with(view, self._on_resized)
            view.interactor().AddObserver("WindowResizeEvent", resized, _AFTER_THE_VIEW)
            self._put_slab_on(view)
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

    def _tile(self, view) -> Tile:
        image, name = vtk.vtkImageData(), view.get_singleton_tag()
        view.render_window().Render()
        slicer.vtkMRMLLayerDisplayableManager.RenderWindowBufferToImage(view.render_window(), image)
        columns, rows, _ = image.GetDimensions()
        pixels = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(rows, columns, -1)[::-1, :, :3].copy()
        kind = ORIENTATIONS[name.removeprefix(SECOND)]
        label = f"{kind}  {self._state[f'{name}_place']}"
        return Tile(pixels, label, self._state[f"{name}_letters"], self._state[f"{name}_bar"])

    def _put_slab_on(self, view) -> None:
        view.set_slab_type(vtk.VTK_IMAGE_SLAB_MAX)
        view.set_slab_thickness(float(self._state.slab_mm))
        view.set_slab_enabled(self._state.slab_mm > 0)

    def _show_distances(self, lengths_mm: list[float]) -> None:
        with self._state:
            self._state.distances = len(lengths_mm)
            self._state.distance = in_words(lengths_mm[-1]) if lengths_mm else ""

    def _on_view_modified(self, view) -> None:
        node, scan, name = view.get_view_node(), self._scan_in(view), view.get_singleton_tag()
        slice_to_ras = slicer.util.arrayFromVTKMatrix(node.GetSliceToRAS())
        with self._state:
            self._state[f"{name}_letters"] = plane.sides(slice_to_ras)
            self._state[f"{name}_place"] = plane.place(slice_to_ras)
            self._state[f"{name}_bar"] = plane.scale_bar(node.GetFieldOfView()[0])
            self._state[f"{name}_slice"] = "" if scan is None else plane.slice_number(
                slice_to_ras, VolumeBridge.ijkToWorld(scan), scan.GetImageData().GetDimensions()[::-1]
            )
        self.moved()

    def _scan_in(self, view):
        node_id = view.get_background_volume_id()
        return self._app.scene.GetNodeByID(node_id) if node_id else None



def _move_back(node, slice_to_ras, position_ras) -> None:
    """Put a slice node where its picture was, with the plane through a position, if that is well within the view."""
    centred = slicer.util.arrayFromVTKMatrix(node.GetSliceToRAS()).copy()
    _place(node, slice_to_ras)
    node.JumpSliceByOffsetting(*position_ras)
    across, up = (slicer.util.arrayFromVTKMatrix(node.GetSliceToRAS()).T[:2, :3] @ (
        [*position_ras] - slicer.util.arrayFromVTKMatrix(node.GetSliceToRAS())[:3, 3]
    )) / node.GetFieldOfView()[:2]
    if max(abs(across), abs(up)) > 0.5 - _RIM:
        _place(node, centred)


def _place(node, slice_to_ras) -> None:
    node.GetSliceToRAS().DeepCopy(slice_to_ras.ravel())
    node.UpdateMatrices()


def _with(view, method: Callable) -> Callable:
    return lambda _caller, _event: method(view)

