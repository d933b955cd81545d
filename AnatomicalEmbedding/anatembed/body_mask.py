"""Where the patient is: without air, couch and clothes, with the air inside the body."""

import numpy as np
from scipy import ndimage

_SKIN_HU = -500.0
_COUCH_MM = 6.0
_KEPT_FRACTION = 0.05


def body_mask(array_kji: np.ndarray, spacing_mm: float) -> np.ndarray:
    """Body as bool (K,J,I) on the isotropic grid `array_kji` HU; all False where nothing is denser than air."""
    solid = array_kji > _SKIN_HU
    radius = max(1, round(_COUCH_MM / spacing_mm))
    core = ndimage.binary_erosion(solid, iterations=radius, border_value=1)
    labels, count = ndimage.label(core)
    if count == 0:
        return np.zeros(solid.shape, dtype=bool)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    kept = (sizes >= _KEPT_FRACTION * sizes.max())[labels]
    body = ndimage.binary_dilation(kept, iterations=radius, mask=solid)
    return _fill_slices(body)


def _fill_slices(mask_kji: np.ndarray) -> np.ndarray:
    """Axial holes filled: lungs and bowel gas belong to the body."""
    in_plane = ndimage.generate_binary_structure(2, 1)[None]
    labels, count = ndimage.label(~mask_kji, structure=np.concatenate([0 * in_plane, in_plane, 0 * in_plane]))
    outside = np.zeros(count + 1, dtype=bool)
    for edge in (labels[:, 0], labels[:, -1], labels[:, :, 0], labels[:, :, -1]):
        outside[edge] = True
    outside[0] = False
    return ~outside[labels]
