"""The bundled CT as an entry of Slicer's Sample Data module; nothing is downloaded."""

from pathlib import Path

import slicer
import slicer.util

NAME = "CTTrunk"
TITLE = "CT of the trunk"


def path() -> Path:
    """The image file that is installed with the module."""
    from anatembed.shipped_file import shipped_file

    return shipped_file("cort_trunk_ct.nii.gz")


def register(thumbnailPath: str) -> None:
    """Add the entry; to be called when Slicer has started, because Sample Data may be loaded after this module."""
    import SampleData

    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category="Anatomical Embedding", sampleName=NAME, thumbnailFileName=thumbnailPath, nodeNames=TITLE,
        customDownloader=load,
    )


def load(_source=None):
    """Load the bundled CT; returns a list with its volume node."""
    node = slicer.util.loadVolume(str(path()), {"name": TITLE})
    # The file holds no DICOM header; the scan is a CT, and the user should not be asked about it.
    node.SetAttribute("DICOM.Modality", "CT")
    return [node]
