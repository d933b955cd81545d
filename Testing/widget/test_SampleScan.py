"""The entry of the Sample Data module, on a stand-in for it."""

import sys
from types import SimpleNamespace

from anatembed.scan.files import read_volume
from AnatomicalEmbeddingLib import SampleScan


def test_the_entry_is_made_with_a_way_to_load_it(monkeypatch):
    registered = []
    logic = SimpleNamespace(registerCustomSampleDataSource=lambda **entry: registered.append(entry))
    monkeypatch.setitem(sys.modules, "SampleData", SimpleNamespace(SampleDataLogic=logic))
    SampleScan.register("icon.png")
    (entry,) = registered
    assert entry["customDownloader"] is SampleScan.load and entry["thumbnailFileName"] == "icon.png"
    assert " " not in entry["sampleName"]


def test_the_bundled_scan_is_loaded_as_a_ct(monkeypatch):
    marks, asked = {}, []
    node = SimpleNamespace(SetAttribute=marks.__setitem__)

    def loadVolume(file, properties):
        asked.append((file, properties["name"]))
        return node

    monkeypatch.setattr(SampleScan, "slicer", SimpleNamespace(util=SimpleNamespace(loadVolume=loadVolume)))
    assert SampleScan.load() == [node]
    assert marks == {"DICOM.Modality": "CT"}
    ((file, name),) = asked
    assert name == SampleScan.TITLE
    assert read_volume(file).array_kji.ndim == 3
