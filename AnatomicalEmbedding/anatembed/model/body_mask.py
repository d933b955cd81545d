"""Where the patient is: without air, couch and clothes, with the air inside the body."""

import numpy as np
from scipy import ndimage

_SKIN_HU = -500.0
_AIR_HU = -960.0
_AIR_IN_LUNG = 0.03
_COUCH_MM = 3.0
_KEPT_FRACTION = 0.05
_LEAK_MM = 6.0


def body_mask(array_kji: np.ndarray, spacing_mm: float) -> np.ndarray:
    """Body as bool (K,J,I) on the isotropic axis-aligned grid `array_kji` HU; all False where there is only air.

    Opening takes away thin sheets (couch, blankets), the larger pieces stay (arms beside the body), and each axial
    slice is filled, so that lungs and bowel gas belong to the body.
    """
    solid = array_kji > _SKIN_HU
    radius = max(1, round(_COUCH_MM / spacing_mm))
    # Beyond the faces of the scan the body goes on, so they do not erode.
    labels, count = ndimage.label(ndimage.binary_erosion(solid, iterations=radius, border_value=1))
    if count == 0:
        return np.zeros(solid.shape, dtype=bool)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    kept = (sizes >= _KEPT_FRACTION * sizes.max())[labels]
    body = ndimage.binary_dilation(kept, iterations=radius)
    return _close_leaks(_fill_slices(body, array_kji), max(1, round(_LEAK_MM / spacing_mm)))


def _fill_slices(body_kji: np.ndarray, array_kji: np.ndarray) -> np.ndarray:
    """Body with every axial hole; air that reaches the rim of a slice is a hole too where it is lung,
    because a narrow field of view cuts through lungs."""
    labels, count = ndimage.label(~body_kji, structure=_within_slices())
    at_rim = np.zeros(count + 1, dtype=bool)
    for rim in (labels[:, 0], labels[:, -1], labels[:, :, 0], labels[:, :, -1]):
        at_rim[rim] = True
    at_rim[0] = False
    sizes = np.maximum(np.bincount(labels.ravel(), minlength=count + 1), 1)
    mean_hu = np.bincount(labels.ravel(), weights=array_kji.ravel(), minlength=count + 1) / sizes
    # Lung holds next to no pure air. The air around a couch does, though foam can make its mean as high as lung's.
    air_hu = max(_AIR_HU, float(array_kji.min()) + 40)
    pure_air = np.bincount(labels.ravel(), weights=(array_kji < air_hu).ravel(), minlength=count + 1) / sizes
    is_lung = (mean_hu < _SKIN_HU) & (pure_air < _AIR_IN_LUNG)
    return ~(at_rim & ~is_lung)[labels]


def _within_slices() -> np.ndarray:
    in_plane = ndimage.generate_binary_structure(2, 1)
    return np.stack([np.zeros_like(in_plane), in_plane, np.zeros_like(in_plane)])


def _close_leaks(body_kji: np.ndarray, radius: int) -> np.ndarray:
    """Closing along k: a lung that leaks out in a few slices is filled there as well."""
    column = np.ones((2 * radius + 1, 1, 1), dtype=bool)
    padded = np.pad(body_kji, ((radius, radius), (0, 0), (0, 0)))
    return body_kji | ndimage.binary_closing(padded, column)[radius:-radius]
