"""The entry of the Sample Data module, on a double of it that counts as Slicer's does."""

import sys
from types import SimpleNamespace
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pytest
from anatembed.scan.files import read_volume
from AnatomicalEmbeddingLib import SampleScan
from slicer_module_doubles import sampleData


@pytest.fixture
def entries(monkeypatch):
    module = sampleData()
    monkeypatch.setitem(sys.modules, "SampleData", module)
    SampleScan.register("icon.png")
    return module.logic.entries["Anatomical Embedding"]


def test_the_entry_is_made_with_a_way_to_load_it(entries):
    (entry,) = entries
    assert entry.load is SampleScan.load and entry.thumbnailFileName == "icon.png"
    assert " " not in entry.sampleName and entry.nodeNames == [SampleScan.TITLE]


def test_its_address_is_the_file_that_is_installed(entries):
    (entry,) = entries
    (address,), (name,) = entry.uris, entry.fileNames
    assert url2pathname(urlsplit(address).path) == str(SampleScan.path()) and SampleScan.path().name == name


def test_registering_again_after_a_reload_makes_no_second_entry(entries):
    SampleScan.register("icon.png")
    assert len(entries) == 1


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
