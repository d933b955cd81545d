import logging
import os
import subprocess
import sys

import numpy as np
import pytest
from anatembed.maps.cache import MapCache
from anatembed.maps.embedding_map import EmbeddingMap
from anatembed.scan.files import write_volume
from anatembed.scan.volume import Volume
from anatembed.serve.scan_opening import ScanOpener
from opened_people import HERE, never, planted_embed, silent
from phantoms import torso
from planted import planted_checkpoint, planted_map


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "scan.nii.gz"
    write_volume(torso().volume, path)
    return path


def of_the_scan(volume, checkpoint, **options) -> EmbeddingMap:
    """A planted map that says which scan it is of, as the true one does."""
    made = planted_embed(volume, checkpoint, **options)
    source = {"name": volume.name, "content_hash": volume.content_hash, "modality": volume.modality}
    return EmbeddingMap(made.features_ckji, made.ijk_to_ras, made.encoder_id, made.body_kji, source)


def never_called(*_, **__):
    raise AssertionError("expected the map to be known already")


def test_a_scan_is_read_and_embedded_with_progress_that_only_grows(path):
    stages = []
    scan = ScanOpener(planted_checkpoint(), embed=planted_embed).open(path, lambda *one: stages.append(one), never)
    fractions = [fraction for _, fraction in stages]
    assert stages[0] == ("Reading the scan", 0.0)
    assert len(stages) >= 4
    assert fractions == sorted(fractions)
    assert fractions[-1] <= 1
    assert scan.volume.array_kji.shape == (30, 50, 70)
    assert scan.explorer.locate("liver").found


def test_a_saved_map_is_opened_without_embedding(tmp_path):
    planted_map(HERE).save(tmp_path / "map.npz")
    scan = ScanOpener(planted_checkpoint(), embed=never_called).open(tmp_path / "map.npz", silent, never)
    assert scan.volume is None
    assert scan.explorer.locate("liver").found


def test_a_map_of_another_model_is_refused(tmp_path):
    planted_map(HERE, encoder_id="anatembed-other").save(tmp_path / "map.npz")
    with pytest.raises(ValueError, match="made by the model anatembed-other"):
        ScanOpener(planted_checkpoint()).open(tmp_path / "map.npz", silent, never)


def test_a_scan_is_embedded_once_when_maps_are_kept(path, tmp_path):
    cache = MapCache(tmp_path / "cache")
    ScanOpener(planted_checkpoint(), cache=cache, embed=of_the_scan).open(path, silent, never)
    assert cache.contents()[0] == 1
    again = ScanOpener(planted_checkpoint(), cache=cache, embed=never_called).open(path, silent, never)
    assert again.explorer.locate("liver").found


def test_a_map_that_cannot_be_kept_is_used_all_the_same(path, tmp_path, caplog):
    (tmp_path / "cache").write_text("a file where the folder should be")
    cache = MapCache(tmp_path / "cache")
    with caplog.at_level(logging.WARNING):
        scan = ScanOpener(planted_checkpoint(), cache=cache, embed=of_the_scan).open(path, silent, never)
    assert scan.explorer.locate("liver").found
    assert "the map was not kept" in caplog.text


def test_what_is_no_ct_is_refused_before_it_is_embedded(tmp_path):
    values = np.abs(np.random.default_rng(0).normal(300, 150, (20, 24, 28))).astype(np.float32)
    write_volume(Volume(values, np.diag([5.0, 5.0, 5.0, 1.0])), tmp_path / "mr.nii.gz")
    with pytest.raises(ValueError, match=r"mr\.nii\.gz: expected a CT"):
        ScanOpener(planted_checkpoint(), embed=never_called).open(tmp_path / "mr.nii.gz", silent, never)


class Stop(BaseException):
    """As what ends a thread that is no longer wanted."""


def test_what_the_callback_raises_ends_the_embedding(path):
    asked = []

    def cancelled():
        asked.append(True)
        if len(asked) == 3:
            raise Stop
        return False

    with pytest.raises(Stop):
        ScanOpener(planted_checkpoint(), embed=planted_embed).open(path, silent, cancelled)


def test_torch_is_not_imported_before_a_scan_is_embedded():
    code = (
        "import sys; import anatembed.serve.scan_tools, anatembed.serve.mcp_server; "
        "assert not {'torch', 'transformers'} & set(sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
