"""What the colours over a scan mean: the structures in the planes that are shown, a scale of values, a small body."""

import io

import numpy as np
from anatembed.ask.structure_colours import StructureColours
from anatembed.language.vocabulary import Vocabulary
from PIL import Image

_STEP_MM = 3.0
_NO_WHOLE = "region"
"""Category of what is no organ: nobody asks for the whole of which a kidney is a part."""
_KEY_PIXELS = 150
_STEPS = 9


def labels_in(structures: StructureColours, planes: list[tuple[np.ndarray, float, float]]) -> list[int]:
    """Labels of the structures that lie in planes, what covers most first; a plane is the 4x4 matrix of its middle to
    RAS, and its width and height in mm."""
    counts = np.zeros(len(structures.concept_ids) + 1, int)
    shape = np.array(structures.labels_kji.shape)
    to_ijk = np.linalg.inv(structures.ijk_to_ras)
    for plane_to_ras, width_mm, height_mm in planes:
        across, up = (np.arange(-size / 2, size / 2, _STEP_MM) for size in (width_mm, height_mm))
        x, y = (one.ravel() for one in np.meshgrid(across, up))
        places = to_ijk @ plane_to_ras @ np.stack([x, y, np.zeros_like(x), np.ones_like(x)])
        kji = np.rint(places[2::-1]).astype(int)
        kji = kji[:, ((kji >= 0) & (kji < shape[:, None])).all(axis=0)]
        counts += np.bincount(structures.labels_kji[tuple(kji)], minlength=len(counts))
    counts[0] = 0
    return [int(label) for label in np.argsort(-counts, kind="stable") if counts[label]]


def whole_of(concept: str, learnt: frozenset[str], vocabulary: Vocabulary) -> str:
    """The largest learnt organ of which a structure is a part, or itself."""
    wholes = [
        one for one in vocabulary.ancestors(concept) if one in learnt and vocabulary[one].category != _NO_WHOLE
    ]
    return max(wholes, key=lambda one: len(vocabulary.descendants(one)), default=concept)


def scale_of(volume_node) -> dict:
    """The ends in percent and the colours "#rrggbb", from the lowest that is painted to the highest, of an overlay."""
    display = volume_node.GetDisplayNode()
    table = display.GetColorNode().GetLookupTable()
    middle, width = display.GetLevel(), display.GetWindow()
    low, high = middle - width / 2, middle + width / 2
    first = max(low, display.GetLowerThreshold()) if display.GetApplyThreshold() else low
    first = min(max(first, 0.0), 1.0)
    last = min(high, display.GetUpperThreshold()) if display.GetApplyThreshold() else high
    first_row, last_row = table.GetTableRange()
    colours = []
    for value in np.linspace(first, last, _STEPS):
        rgb = [0.0, 0.0, 0.0]
        table.GetColor(first_row + (value - low) / max(width, 1e-6) * (last_row - first_row), rgb)
        colours.append("#" + bytes(round(255 * one) for one in rgb).hex())
    return {"low": f"{round(100 * first)}%", "high": f"{round(100 * last)}%", "colours": colours}


def body_key(rgba_kji: np.ndarray, ijk_to_ras: np.ndarray) -> bytes:
    """A PNG of the body from the front, the patient's right at its left, in the colours uint8 (K,J,I,4) of its places,
    averaged from front to back."""
    axes = [int(np.argmax(np.abs(ijk_to_ras[axis, :3]))) for axis in range(3)]
    if sorted(axes) != [0, 1, 2]:
        axes = [0, 1, 2]
    picture = np.transpose(rgba_kji, (2 - axes[2], 2 - axes[1], 2 - axes[0], 3)).astype(np.float32)
    if ijk_to_ras[2, axes[2]] > 0:
        picture = picture[::-1]
    if ijk_to_ras[0, axes[0]] > 0:
        picture = picture[:, :, ::-1]
    alpha = picture[..., 3]
    weight = alpha.sum(axis=1)
    colour = (picture[..., :3] * alpha[..., None]).sum(axis=1) / np.maximum(weight, 1)[..., None]
    inside = np.where(weight > 0, 255, 0)
    image = Image.fromarray(np.dstack([colour, inside]).round().astype(np.uint8), "RGBA")
    steps_mm = np.linalg.norm(ijk_to_ras[:3, :3], axis=0)
    width_mm, height_mm = image.width * steps_mm[axes[0]], image.height * steps_mm[axes[2]]
    size = max(1, round(_KEY_PIXELS * width_mm / height_mm)), _KEY_PIXELS
    file = io.BytesIO()
    image.resize(size, Image.Resampling.LANCZOS).save(file, "PNG", optimize=True)
    return file.getvalue()
