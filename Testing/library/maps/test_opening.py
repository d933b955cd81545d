"""However a scan comes, it is checked once and embedded once, and nothing that the cache does stops the answer."""

import errno
import os
from dataclasses import replace

import numpy as np
import pytest
from anatembed.maps.cache import MapCache
from anatembed.maps.embedding_map import EmbeddingMap, kept_codes
from anatembed.maps.opening import ScanOpener, is_map
from anatembed.scan import modality
from anatembed.scan.files import write_volume
from anatembed.scan.modality import NotACT
from anatembed.scan.volume import Volume
from anatembed.scan.volume_file import save_volume
from opened_people import HERE, never, planted_embed, silent
from phantoms import torso
from planted import SHA256, planted_checkpoint, planted_map
from zipped_scans import zipped

SCAN = torso("oblique").volume
MODEL = planted_checkpoint()


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "scan.nii.gz"
    write_volume(SCAN, path)
    return path


@pytest.fixture
def cache(tmp_path):
    return MapCache(tmp_path / "cache")


class Embedding:
    """Planted people in place of the network, and how often it was asked for."""

    def __init__(self):
        self.scans = []

    def __call__(self, volume, checkpoint, **options):
        self.scans.append(volume.name)
        return planted_embed(volume, checkpoint, **options)


def mr() -> Volume:
    values = np.abs(np.random.default_rng(0).normal(300, 150, (20, 24, 28))).astype(np.float32)
    return Volume(values, np.diag([5.0, 5.0, 5.0, 1.0]), name="mr.nii.gz")


def test_a_scan_is_read_and_embedded_with_progress_that_only_grows(path):
    stages = []
    scan = ScanOpener(MODEL, embed=planted_embed).open(path, lambda *one: stages.append(one), never)
    fractions = [fraction for _, fraction in stages]
    assert stages[0] == ("Reading the scan", 0.0)
    assert len(stages) >= 4
    assert fractions == sorted(fractions)
    assert fractions[-1] <= 1
    assert np.array_equal(scan.volume.array_kji, SCAN.array_kji)
    assert (scan.encoder_id, scan.warnings, scan.was_kept) == (MODEL.encoder_id, (), False)


def test_a_file_a_zip_of_it_and_what_another_program_hands_over_are_one_scan(path, tmp_path, cache):
    zipped(tmp_path / "scan.zip", {"deep/scan.nii.gz": path.read_bytes()})
    save_volume(ScanOpener(MODEL, embed=planted_embed).open(path, silent).volume, tmp_path / "scan.npz")
    embedding = Embedding()
    opener = ScanOpener(MODEL, cache=cache, embed=embedding)
    opened = [opener.open(tmp_path / name, silent) for name in ("scan.nii.gz", "scan.zip", "scan.npz")]
    assert embedding.scans == ["scan.nii.gz"]
    assert [one.was_kept for one in opened] == [False, True, True]
    assert len({one.volume.content_hash for one in opened}) == 1


def test_a_saved_map_is_opened_without_embedding_whatever_its_name(tmp_path):
    embedding = Embedding()
    for name in ("map.npz", "looks_like_a_scan.nii.gz", "no suffix"):
        planted_map(HERE).save(tmp_path / "saved.npz")
        (tmp_path / "saved.npz").rename(tmp_path / name)
        scan = ScanOpener(MODEL, embed=embedding).open(tmp_path / name, silent)
        assert scan.volume is None
        assert scan.encoder_id == f"anatembed-{SHA256[:12]}"
    assert embedding.scans == []


def test_maps_scans_archives_and_anything_else_are_told_apart(path, tmp_path):
    planted_map(HERE).save(tmp_path / "map.npz")
    save_volume(SCAN, tmp_path / "scan.npz")
    zipped(tmp_path / "scan.zip", {"scan.nii.gz": path.read_bytes()})
    (tmp_path / "text.npz").write_text("text")
    (tmp_path / "cut.npz").write_bytes((tmp_path / "map.npz").read_bytes()[:2000])
    names = ("map.npz", "cut.npz", "scan.npz", "scan.nii.gz", "scan.zip", "text.npz", "none.npz")
    assert [name for name in names if is_map(tmp_path / name)] == ["map.npz", "cut.npz"]
    with pytest.raises(ValueError, match=r"expected an embedding map, cut\.npz is damaged"):
        ScanOpener(MODEL).open(tmp_path / "cut.npz", silent)
    with pytest.raises(FileNotFoundError, match="nothing at"):
        ScanOpener(MODEL).open(tmp_path / "none.npz", silent)


def test_a_saved_map_is_refused_where_its_scan_is_wanted(tmp_path):
    planted_map(HERE).save(tmp_path / "map.npz")
    with pytest.raises(ValueError, match="expected a scan"):
        ScanOpener(MODEL).of_scan(tmp_path / "map.npz", silent)


def test_a_scan_is_embedded_once_and_its_map_tells_the_name_it_has_now(path, tmp_path, cache):
    embedding = Embedding()
    opener = ScanOpener(MODEL, cache=cache, embed=embedding)
    first = opener.open(path, silent)
    path.rename(tmp_path / "renamed.nii.gz")
    again = opener.open(tmp_path / "renamed.nii.gz", silent)
    assert embedding.scans == ["scan.nii.gz"]
    assert (first.was_kept, again.was_kept) == (False, True)
    assert again.embedding_map.source["name"] == "renamed.nii.gz"
    kept = kept_codes(first.embedding_map.features_ckji, first.embedding_map.body_kji)
    np.testing.assert_array_equal(again.embedding_map.features_ckji, kept)
    np.testing.assert_array_equal(again.embedding_map.ijk_to_ras, first.embedding_map.ijk_to_ras)


@pytest.mark.parametrize("change", ["voxels", "geometry", "model"])
def test_another_scan_or_model_is_embedded_anew(change, cache):
    embedding = Embedding()
    ScanOpener(MODEL, cache=cache, embed=embedding).of_volume(SCAN, silent)
    flipped = np.diag([-1.0, 1, 1, 1]) @ SCAN.ijk_to_ras
    volume = {"voxels": replace(SCAN, array_kji=SCAN.array_kji[:, ::-1]), "geometry": replace(SCAN, ijk_to_ras=flipped)}
    model = replace(MODEL, sha256="ef" * 32) if change == "model" else MODEL
    ScanOpener(model, cache=cache, embed=embedding).of_volume(volume.get(change, SCAN), silent)
    assert len(embedding.scans) == cache.contents()[0] == 2


def test_without_a_cache_a_scan_is_embedded_every_time():
    embedding = Embedding()
    opener = ScanOpener(MODEL, embed=embedding)
    assert [opener.of_volume(SCAN, silent).was_kept for _ in range(2)] == [False, False]
    assert len(embedding.scans) == 2


def test_a_damaged_map_in_the_cache_is_made_again(cache):
    embedding = Embedding()
    opener = ScanOpener(MODEL, cache=cache, embed=embedding)
    opener.of_volume(SCAN, silent)
    kept = cache.path_for(SCAN.content_hash, MODEL.encoder_id)
    kept.write_bytes(kept.read_bytes()[:-100])
    assert not opener.of_volume(SCAN, silent).was_kept
    assert opener.of_volume(SCAN, silent).was_kept
    assert len(embedding.scans) == 2


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.ENOSPC])
def test_a_cache_that_keeps_nothing_is_a_sentence_and_the_scan_is_open(cache, monkeypatch, number):
    def refuse(*_, **__):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("numpy.lib.format.write_array", refuse)
    scan = ScanOpener(MODEL, cache=cache, embed=planted_embed).of_volume(SCAN, silent)
    (warning,) = scan.warnings
    assert warning == (
        f"the map cannot be kept in {cache.folder}: {os.strerror(number)}; the scan will be embedded again next time"
    )
    assert scan.embedding_map.shape_kji == planted_map(HERE).shape_kji


def test_a_cache_that_is_a_file_does_not_stop_the_answer(tmp_path):
    (tmp_path / "cache").write_text("a file where the folder should be")
    scan = ScanOpener(MODEL, cache=MapCache(tmp_path / "cache"), embed=planted_embed).of_volume(SCAN, silent)
    assert len(scan.warnings) == 1


@pytest.fixture
def looks(monkeypatch):
    """Every look of `check_is_ct` at the voxels of a scan."""
    seen, sample = [], modality._sample
    monkeypatch.setattr(modality, "_sample", lambda array: seen.append(array) or sample(array))
    return seen


def test_a_scan_is_looked_at_once_also_by_the_true_embedding(looks):
    from tiny_model import tiny_checkpoint

    scan = ScanOpener(tiny_checkpoint(), device="cpu").of_volume(SCAN, silent)
    assert isinstance(scan.embedding_map, EmbeddingMap)
    assert len(looks) == 1


def test_what_is_no_ct_is_refused_before_it_is_embedded_and_also_when_it_was_forced_once(cache):
    embedding = Embedding()
    forced = ScanOpener(MODEL, cache=cache, force=True, embed=embedding).of_volume(mr(), silent)
    (warning,) = forced.warnings
    assert warning.startswith("mr.nii.gz was embedded although it does not look like a CT: expected a CT")
    with pytest.raises(NotACT, match=r"mr\.nii\.gz: expected a CT"):
        ScanOpener(MODEL, cache=cache, embed=embedding).of_volume(mr(), silent)
    assert len(embedding.scans) == 1


class Stop(BaseException):
    """As what ends a thread that is no longer wanted."""


def test_what_the_callback_raises_ends_the_embedding_and_keeps_nothing(path, cache):
    asked = []

    def cancelled():
        asked.append(True)
        if len(asked) == 3:
            raise Stop
        return False

    with pytest.raises(Stop):
        ScanOpener(MODEL, cache=cache, embed=planted_embed).open(path, silent, cancelled)
    assert cache.contents() == (0, 0)
