"""The Logic as Slicer gets it, on stand-ins for the application: files beside Slicer's cache, work in a real child."""

from types import SimpleNamespace

import numpy as np
import pytest
import slicer.util
from anatembed.ask.locating import GO
from anatembed.scan.files import read_volume
from AnatomicalEmbeddingLib import SampleScan


@pytest.fixture
def assembly(floor3, monkeypatch, tmp_path):
    module = floor3("Assembly")
    app = SimpleNamespace(cachePath=str(tmp_path / "cache"), temporaryPath=str(tmp_path / "temporary"))
    monkeypatch.setattr(module, "slicer", SimpleNamespace(app=app))
    monkeypatch.setattr(module, "whenIdle", lambda function: function())
    return module


def test_files_lie_beside_the_cache_of_slicer(assembly, scene, tmp_path):
    logic = assembly.makeLogic(scene)
    assert assembly.keptFolder() == tmp_path / "AnatomicalEmbedding"
    assert logic.downloadsAndCaches() == (0, 0)
    assert logic.modelFacts()["name"] == "Model of this extension"
    logic.cleanUp()


def test_making_the_logic_makes_no_folder(assembly, scene, tmp_path):
    assembly.makeLogic(scene).cleanUp()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("cachePath", ["", "Cache", "/Cache", "/", "/proc/version/Cache/here"])
def test_where_nothing_can_be_kept_beside_the_cache_the_temporary_folder_is_taken(assembly, tmp_path, cachePath):
    assembly.slicer.app.cachePath = cachePath
    assert assembly.keptFolder() == tmp_path / "temporary" / "AnatomicalEmbedding"


def test_a_folder_that_may_not_be_written_to_is_not_taken(assembly, tmp_path, monkeypatch):
    monkeypatch.setattr(assembly.os, "access", lambda path, mode: path != tmp_path)
    assert assembly.keptFolder() == tmp_path / "temporary" / "AnatomicalEmbedding"


def test_a_folder_that_cannot_be_made_after_all_does_not_stop_an_embedding(assembly, tmp_path):
    (tmp_path / "file").touch()
    assert assembly.made(tmp_path / "kept" / "here") == tmp_path / "kept" / "here"
    assert assembly.made(tmp_path / "file" / "here") == tmp_path / "temporary"
    assert (tmp_path / "temporary").is_dir() and (tmp_path / "kept" / "here").is_dir()


def test_the_bundled_scan_is_embedded_in_a_child_process_and_kept_for_the_next_time(assembly, scene, tmp_path):
    volume = read_volume(SampleScan.path())
    scan = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Trunk")
    thin = volume.array_kji[::4]  # every fourth slice: it need not be good, only quick
    step = np.diag([1.0, 1.0, 4.0, 1.0])
    scan.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(volume.ijk_to_ras @ step))
    slicer.util.updateVolumeFromArray(scan, np.ascontiguousarray(thin))
    logic, ends = assembly.makeLogic(scene), []
    logic.embeddingEnded.connect(ends.append)
    logic.startEmbedding(scan, device="cpu")
    while logic.isEmbedding():
        logic._run._worker.wait(60)
    assert ends == [None], ends[0].details
    assert logic.locate(scan, "liver").decision == GO
    assert logic.downloadsAndCaches()[0] == 1
    logic.cleanUp()
    assert sorted(path.name for path in (tmp_path / "AnatomicalEmbedding").iterdir()) == ["maps"]
