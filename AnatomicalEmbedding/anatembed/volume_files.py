"""Image files and DICOM folders to `Volume` and back."""

from pathlib import Path

import numpy as np

from .volume import Volume


def read_volume_file(path) -> Volume:
    """See `volume.read_volume`."""
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"expected an image file or DICOM folder, but {path} does not exist")
    return _read_nifti(path)


def _read_nifti(path: Path) -> Volume:
    import nibabel

    image = nibabel.load(path)
    return Volume(np.asanyarray(image.dataobj).T, image.affine, name=path.name)
