"""Cut the bundled sample scan out of its source: python scripts/make_sample_scan.py SOURCE.nii.gz -o OUT.nii.gz

Keeps the voxel grid (world coordinates do not change), crops to the body, and turns all that is not body into air.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from scipy import ndimage

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "AnatomicalEmbedding"))

from anatembed.geometry import spacing_mm, transform_points  # noqa: E402
from anatembed.model.preprocessing import PreparedVolume, prepare  # noqa: E402
from anatembed.scan.files import read_volume, write_volume  # noqa: E402
from anatembed.scan.volume import Volume  # noqa: E402

MARGIN_MM = 6.0
KEPT_SKIN_MM = 10.0
AIR_HU = -1000
HU_RANGE = (-1024, 2000)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("-o", "--out", type=Path, required=True)
    arguments = parser.parse_args()
    scan = sample_scan(read_volume(arguments.source))
    write_volume(scan, arguments.out)
    size_mib = arguments.out.stat().st_size / 2**20
    print(f"{arguments.out}: {scan.array_kji.shape} (K,J,I), {size_mib:.1f} MiB")


def sample_scan(source: Volume) -> Volume:
    """`source` cropped to the body and a margin, int16 HU, air outside the body."""
    prepared = prepare(source)
    body = body_on_grid_of(source, prepared)
    skin_voxels = max(1, round(KEPT_SKIN_MM / float(spacing_mm(source.ijk_to_ras).mean())))
    near_body = ndimage.binary_dilation(body, iterations=skin_voxels)
    array = np.clip(np.round(source.array_kji), *HU_RANGE).astype(np.int16)
    array[~near_body] = AIR_HU
    return crop(Volume(array, source.ijk_to_ras, source.modality, source.name), body)


def body_on_grid_of(source: Volume, prepared: PreparedVolume) -> np.ndarray:
    """The prepared body mask at the voxel centres of `source`: bool (K,J,I)."""
    ras_to_prepared = np.linalg.inv(prepared.ijk_to_ras)
    last = np.array(prepared.body_kji.shape[::-1]) - 1
    body = np.empty(source.array_kji.shape, dtype=bool)
    for k in range(body.shape[0]):
        j, i = np.indices(body.shape[1:])
        ijk = np.stack([i, j, np.full_like(i, k)], axis=-1)
        at = transform_points(ras_to_prepared @ source.ijk_to_ras, ijk)
        i, j, k_prepared = np.moveaxis(np.clip(np.round(at), 0, last).astype(int), -1, 0)
        body[k] = prepared.body_kji[k_prepared, j, i]
    return body


def crop(volume: Volume, body_kji: np.ndarray) -> Volume:
    """`volume` within the bounding box of `body_kji` and the margin; the origin moves along."""
    margin_kji = np.ceil(MARGIN_MM / spacing_mm(volume.ijk_to_ras)[::-1]).astype(int)
    inside = np.argwhere(body_kji)
    low = np.maximum(inside.min(axis=0) - margin_kji, 0)
    high = np.minimum(inside.max(axis=0) + 1 + margin_kji, body_kji.shape)
    ijk_to_ras = volume.ijk_to_ras.copy()
    ijk_to_ras[:3, 3] = transform_points(volume.ijk_to_ras, low[::-1])
    box = tuple(slice(start, stop) for start, stop in zip(low, high, strict=True))
    return Volume(volume.array_kji[box], ijk_to_ras, volume.modality, volume.name)


if __name__ == "__main__":
    main()
