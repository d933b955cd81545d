"""How long a user waits in Slicer: embedding, searching, naming under the mouse, the linked cursor, the overlay.

python scripts/benchmarks/interaction.py [--repeat 5] [-o Resources/Evaluation/interaction.json]

The scan is the bundled one resampled to 512x512x300, in a real MRML scene with three slice views (PyPI slicer-core);
what Slicer's own windows add is not in it. Some rows have an alternative beside them: embedding inside the own process,
which freezes the window; a scan that is written before the button comes back; an overlay with one colour per voxel of
the scan instead of one per code; a segment that is resampled over the whole scan instead of a box.
"""
from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import slicer
import slicer.util
import vtk
from anatembed.model.checkpoint import load_checkpoint
from anatembed.output_file import write_text
from anatembed.scan.volume import Volume

sys.path.append(str(Path(__file__).resolve().parents[1]))
from headless_logic import HeadlessLogic  # noqa: E402

SHAPE_KJI = (300, 512, 512)
ROWS: dict[str, dict] = {}
REPORT = "Liver, spleen and kidneys are normal. Cyst in the upper pole of the left kidney. Aorta not wide. L3 intact."
TARGETS_MS = {"cursor naming": 20, "linked cursor": 50}


def large_scan() -> Volume:
    """The bundled scan resampled to SHAPE_KJI as int16."""
    import embed

    embed.SHAPE_KJI = SHAPE_KJI
    return embed.large_scan()


def make_scene() -> tuple:
    """A scene with a crosshair and three slice views that can be rendered."""
    scene, application = slicer.vtkMRMLScene(), slicer.vtkSlicerApplicationLogic()
    application.SetMRMLScene(scene)
    colours = slicer.vtkMRMLColorLogic()
    colours.SetMRMLScene(scene)
    scene.RegisterNodeClass(slicer.vtkMRMLColorLegendDisplayNode())
    application.SetModuleLogic("Colors", colours)
    application.SetSliceLogics(vtk.vtkCollection())
    slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(scene, True)
    crosshair = slicer.vtkMRMLCrosshairNode()
    crosshair.SetCrosshairName("default")
    scene.AddNode(crosshair)
    return scene, (application, colours)


def add_scan(scene, volume: Volume, name: str):
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    node.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(volume.ijk_to_ras))
    slicer.util.updateVolumeFromArray(node, volume.array_kji)
    node.CreateDefaultDisplayNodes()
    node.SetAttribute("DICOM.Modality", "CT")
    return node


class Views:
    """Three slice views of 600x600 pixels; `render` draws all of them."""

    def __init__(self, scene, application, volume_node):
        self.logics = []
        for name, orientation in (("Red", "Axial"), ("Yellow", "Sagittal"), ("Green", "Coronal")):
            logic = slicer.vtkMRMLSliceLogic()
            logic.SetMRMLScene(scene)
            logic.SetMRMLApplicationLogic(application)
            application.GetSliceLogics().AddItem(logic)
            logic.AddSliceNode(name)
            logic.GetSliceNode().SetOrientation(orientation)
            logic.GetSliceNode().SetDimensions(600, 600, 1)
            logic.GetSliceCompositeNode().SetBackgroundVolumeID(volume_node.GetID())
            logic.FitSliceToBackground(600, 600)
            self.logics.append(logic)

    def render(self) -> None:
        for logic in self.logics:
            logic.GetImageDataConnection().GetProducer().Update()


def milliseconds(action, arguments) -> np.ndarray:
    """Time of one call for each of the arguments."""
    times = []
    for argument in arguments:
        began = time.perf_counter()
        action(argument)
        times.append(1000 * (time.perf_counter() - began))
    return np.array(times)


def places_in(volume: Volume, count: int) -> np.ndarray:
    """Random positions (count,3) within the patient."""
    random = np.random.default_rng(0)
    inside = np.argwhere(volume.array_kji[::8, ::8, ::8] > -200)
    kji = inside[random.choice(len(inside), count)] * 8
    homogeneous = np.column_stack([kji[:, ::-1], np.ones(count)])
    return (homogeneous @ volume.ijk_to_ras.T)[:, :3]


def print_times(what: str, times: np.ndarray) -> None:
    """A row of the table, kept in ROWS too."""
    name = what.split(":")[0]
    target = f"   target {TARGETS_MS[name]} ms" if name in TARGETS_MS else ""
    median, worst = float(np.median(times)), float(np.percentile(times, 95))
    ROWS[what] = {"median ms": round(median, 1), "95 % ms": round(worst, 1), "times": len(times)}
    sys.stdout.write(f"{what:68} {median:9.1f} {worst:9.1f}{target}\n")
    sys.stdout.flush()


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--repeat", type=int, default=5)
    arguments.add_argument("-o", "--output", type=Path, metavar="FILE.json")
    options = arguments.parse_args()
    volume = large_scan()
    shifted = volume.ijk_to_ras.copy()
    shifted[:3, 3] += (12.0, -7.0, 30.0)
    scene, (application, _colours) = make_scene()
    scan = add_scan(scene, volume, "CT")
    prior = add_scan(scene, Volume(volume.array_kji + np.int16(1), shifted, "CT"), "Prior CT")
    views = Views(scene, application, scan)
    sys.stdout.write(f"512x512x300 int16, {multiprocessing.cpu_count()} CPUs\n")
    sys.stdout.write(f"{'':68} {'median ms':>9} {'95 % ms':>9}\n")
    with tempfile.TemporaryDirectory() as folder:
        measure(scene, scan, prior, volume, views, Path(folder), options.repeat)
    if options.output:
        busy = round(os.getloadavg()[1], 1)
        facts = {"scan": "512x512x300 int16", "cores": multiprocessing.cpu_count(), "load": busy, "rows": ROWS}
        write_text(options.output, json.dumps(facts, indent=1) + "\n")


def measure(scene, scan, prior, volume: Volume, views: Views, folder: Path, repeat: int) -> None:
    headless, blocked = HeadlessLogic(scene, folder), []
    logic = headless.logic

    def embed(node) -> None:
        blocked.append(milliseconds(headless.begin, [node])[0])
        headless.wait()

    print_times("embedding: in a child process, from button to answer", milliseconds(embed, [scan, prior]))
    print_times("embedding: of it, the window does not answer for", np.array(blocked))
    print_times("embedding: of it, alternative, the scan written meanwhile", milliseconds(
        lambda node: begin_and_write(node, folder), [scan, prior]))
    print_times("embedding: alternative, in the own process", milliseconds(embed_here, [volume]))
    texts = ("spleen", "left kidney", "aorta", "gallbladder", "T12", "heart", "right lung", "urinary bladder")

    def ask(text: str) -> None:
        logic.locate(scan, text)

    print_times("first question: prepares what all later ones share", milliseconds(ask, ["liver"]))
    print_times("next question: answer, points, jump", milliseconds(ask, texts))
    places = places_in(volume, 60)
    print_times("cursor naming, first time", milliseconds(lambda p: logic.describe(scan, p), places[:1]))
    print_times("cursor naming: name and candidates", milliseconds(lambda p: logic.describe(scan, p), places))
    logic.findThere(scan, places[0], prior)
    print_times("linked cursor: same place in the prior, marker", milliseconds(
        lambda p: logic.findThere(scan, p, prior), places[:30]))

    def show(mode: str) -> None:
        logic.showOverlay(scan, mode)
        views.render()

    for mode in ("colours", "structures", "uncertainty"):
        print_times(f"overlay: {mode}, first time", milliseconds(show, [mode]))
        print_times(f"overlay: {mode}, refresh and three slice views", milliseconds(show, [mode] * repeat))
    rgba = np.zeros((*SHAPE_KJI, 4), np.uint8)
    print_times("overlay: alternative, one colour per voxel of the scan", milliseconds(
        lambda _: full_resolution(scene, scan, rgba, views), range(2)))
    logic.showBorder(scan, "liver", "kidney_right")
    print_times("border: liver and right kidney", milliseconds(
        lambda _: logic.showBorder(scan, "liver", "kidney_right"), range(repeat)))
    more(logic, scan, repeat)
    logic.cleanUp()


def more(logic, scan, repeat: int) -> None:
    """What is done with answers."""
    print_times("likelihood: heat map of the liver", milliseconds(
        lambda _: logic.showHeatMap(scan, "liver"), range(repeat)))
    print_times("segment: liver, on the voxels of the scan", milliseconds(
        lambda _: logic.makeSegment(scan, "liver"), range(2)))
    print_times("segment: alternative, resampled over the whole scan", milliseconds(
        lambda _: over_whole_scan(logic, scan), range(2)))
    print_times("table of structures: place, extent, volume, HU", milliseconds(
        lambda _: logic.tableOfStructures(scan), range(2)))
    print_times("report: of six places, with key slices", milliseconds(
        lambda _: logic.readReport(scan, REPORT), range(2)))
    print_times("grey values: those for bone", milliseconds(
        lambda _: logic.fitWindow(scan, "vertebrae_L3"), range(repeat)))


def begin_and_write(node, folder: Path) -> None:
    """What the button waited for when the scan was written in the window's own thread."""
    from anatembed.scan.volume_file import save_volume
    from AnatomicalEmbeddingLib.Embeddings import Embeddings

    path = folder / "scan.npz"
    save_volume(Embeddings.snapshot(node).volume, path)
    path.unlink()


def over_whole_scan(logic, scan) -> np.ndarray:
    """The likelihood of the liver at every voxel of the scan, before any threshold."""
    from AnatomicalEmbeddingLib import VolumeBridge
    from scipy import ndimage

    embedded, _motion = logic._embeddings.current(scan)
    probability_kji, _answer = embedded.explorer.probability("liver")
    to_field = np.linalg.inv(embedded.embeddingMap.ijk_to_ras) @ VolumeBridge.ijkToWorld(scan)
    matrix, offset = to_field[:3, :3][::-1, ::-1], to_field[:3, 3][::-1]
    return ndimage.affine_transform(probability_kji, matrix, offset, SHAPE_KJI, np.float32, order=1)


def embed_here(volume: Volume) -> None:
    from anatembed.maps.inference import embed

    embed(volume, load_checkpoint())


def full_resolution(scene, scan, rgba: np.ndarray, views: Views) -> None:
    """An overlay node as large as the scan, filled, shown and drawn."""
    from AnatomicalEmbeddingLib import VolumeBridge

    node = VolumeBridge.addColourVolume(scene, rgba, VolumeBridge.ijkToWorld(scan), "Full", scan)
    for logic in views.logics:
        logic.GetSliceCompositeNode().SetForegroundVolumeID(node.GetID())
    views.render()
    scene.RemoveNode(node)


if __name__ == "__main__":
    main()
