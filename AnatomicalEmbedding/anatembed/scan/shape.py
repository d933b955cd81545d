"""Whether sizes are those of one 3D scan."""

from collections.abc import Sequence


def check_shape(shape_ijk: Sequence[int], name: str) -> tuple[int, int, int]:
    """The three sizes; ValueError for what is not one 3D scan. Axes of length 1 behind are a habit of some writers."""
    size = " x ".join(str(length) for length in shape_ijk)
    if min(shape_ijk, default=0) < 1:
        raise ValueError(f"expected a volume with voxels, but {name} is empty ({size})")
    if any(length != 1 for length in shape_ijk[3:]):
        raise ValueError(f"expected one 3D volume, but {name} is {len(shape_ijk)}D ({size})")
    if len(shape_ijk) < 3 or 1 in shape_ijk[:3]:
        raise ValueError(f"expected a 3D volume, but {name} is a single slice ({size})")
    i, j, k = shape_ijk[:3]
    return i, j, k
