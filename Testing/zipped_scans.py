"""ZIP archives, and DICOM slices to put into them."""

import zipfile

import numpy as np
import SimpleITK as sitk
from anatembed.scan.volume import Volume


def zipped(path, files: dict):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def dicom_slices(folder, volume: Volume) -> dict:
    """Bytes of one DICOM file per slice, by file name; for an axis-parallel scan."""
    steps = np.diag(volume.ijk_to_ras)[:3] * [-1, -1, 1]
    origin_lps = volume.ijk_to_ras[:3, 3] * [-1, -1, 1]
    files = {}
    for k, plane in enumerate(volume.array_kji):
        image = sitk.GetImageFromArray(plane[None].astype(np.int16))
        image.SetSpacing([*np.abs(steps[:2]), 1.0])
        position = origin_lps + [0, 0, k * steps[2]]
        for tag, value in {
            "0008|0016": "1.2.840.10008.5.1.4.1.1.2", "0008|0018": f"1.2.826.0.1.3680043.8.498.1.{k + 1}",
            "0008|0060": "CT", "0020|000d": "1.2.826.0.1.3680043.8.498.9", "0020|000e": "1.2.826.0.1.3680043.8.498.1",
            "0020|0032": "\\".join(f"{value:.6f}" for value in position),
            "0020|0037": "1\\0\\0\\0\\1\\0",
        }.items():
            image.SetMetaData(tag, value)
        writer = sitk.ImageFileWriter()
        writer.KeepOriginalImageUIDOn()
        path = folder / f"slice{k}.dcm"
        writer.SetFileName(str(path))
        writer.Execute(image)
        files[path.name] = path.read_bytes()
    return files
