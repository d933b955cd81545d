"""The bundled CT as an entry of Slicer's Sample Data module; nothing is downloaded."""

from pathlib import Path

import slicer
import slicer.util

CATEGORY = "Anatomical Embedding"
NAME = "CTTrunk"
TITLE = "CT of the trunk"


def path() -> Path:
    """The image file that is installed with the module."""
    from anatembed.shipped_file import shipped_file

    return shipped_file("cort_trunk_ct.nii.gz")


def register(thumbnailPath: str) -> None:
    """Add the entry; to be called when Slicer has started, because Sample Data may be loaded after this module."""
    import SampleData

    # Slicer counts addresses and file names even where, as here, a function of ours takes the place of the download.
    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category=CATEGORY, sampleName=NAME, thumbnailFileName=thumbnailPath, uris=path().as_uri(),
        fileNames=path().name, nodeNames=TITLE, customDownloader=load,
    )


def load(_source=None):
    """Load the bundled CT; returns a list with its volume node."""
    node = slicer.util.loadVolume(str(path()), {"name": TITLE})
    # The file holds no DICOM header; the scan is a CT, and the user should not be asked about it.
    node.SetAttribute("DICOM.Modality", "CT")
    return [node]
