"""Where the plane of a slice view lies in a scan, and how large a millimetre is in it."""

import numpy as np

from web_demo import words

_ROUND_MM = (200, 100, 50, 20, 10, 5, 2, 1)
_LONGEST_SHARE = 0.3
_ALONG = 0.99


def sides(slice_to_ras: np.ndarray) -> dict[str, str]:
    """Letters of the patient's sides at the edges of a view, by its 4x4 matrix to RAS."""
    right, up = slice_to_ras[:3, 0], slice_to_ras[:3, 1]
    return {side: words.axis_letter(way) for side, way in
            {"left": -right, "right": right, "top": up, "bottom": -up}.items()}


def place(slice_to_ras: np.ndarray) -> str:
    """Where a plane lies: "S 21 mm"; for an oblique plane of the axis that it crosses most steeply."""
    axis = int(np.argmax(np.abs(slice_to_ras[:3, 2])))
    value = float(slice_to_ras[axis, 3])
    direction = np.zeros(3)
    direction[axis] = 1.0 if value >= 0 else -1.0
    return f"{words.axis_letter(direction)} {abs(value):.0f} mm"


def slice_number(slice_to_ras: np.ndarray, ijk_to_ras: np.ndarray, shape_kji) -> str:
    """Which of a scan's slices a plane is: "45 / 120", counted from 1 as the scan stores them; empty where the plane
    is oblique to them or beside the scan."""
    steps = ijk_to_ras[:3, :3] / np.linalg.norm(ijk_to_ras[:3, :3], axis=0)
    along = np.abs(slice_to_ras[:3, 2] @ steps)
    axis = int(np.argmax(along))
    if along[axis] < _ALONG:
        return ""
    index = int(np.rint((np.linalg.inv(ijk_to_ras) @ slice_to_ras[:, 3])[axis]))
    count = shape_kji[2 - axis]
    return f"{index + 1} / {count}" if 0 <= index < count else ""


def scale_bar(width_mm: float) -> dict:
    """A round length in mm that takes at most a third of a view of this width, and its share in percent."""
    length = next((one for one in _ROUND_MM if one <= _LONGEST_SHARE * width_mm), _ROUND_MM[-1])
    return {"mm": length, "percent": round(100 * length / max(width_mm, 1e-6), 3)}


def hu_at(array_kji: np.ndarray, ijk_to_ras: np.ndarray, position_ras) -> int | None:
    """HU of the voxel at a position (RAS mm); None beside the scan."""
    ijk = np.rint(np.linalg.inv(ijk_to_ras) @ [*position_ras, 1.0])[:3].astype(int)
    kji = tuple(ijk[::-1])
    if any(not 0 <= index < size for index, size in zip(kji, array_kji.shape, strict=True)):
        return None
    return round(float(array_kji[kji]))
