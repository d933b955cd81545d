import os
import subprocess
import sys
from pathlib import Path

import pytest
from anatembed.language.vocabulary import Vocabulary
from anatembed.maps.opening import ScanOpener
from anatembed.scan.files import write_volume
from anatembed.serve.open_scans import OpenScans, open_scan, state_of
from opened_people import HERE, never, opened, planted_embed, silent
from phantoms import torso
from planted import planted_checkpoint, planted_map


def test_every_scan_gets_an_id_that_is_not_used_again():
    scans = OpenScans()
    first = scans.add(opened(Path("a")))
    scans.close(first.id)
    second = scans.add(opened(Path("b")))
    assert (first.id, second.id) == ("scan1", "scan2")
    assert scans.get("scan2") is second


def test_the_least_recently_used_scan_is_closed_when_there_are_too_many():
    scans = OpenScans(most=2)
    for name in "ab":
        scans.add(opened(Path(name)))
    scans.get("scan1")
    scans.add(opened(Path("c")))
    assert [one.id for one in scans.all()] == ["scan1", "scan3"]
    with pytest.raises(ValueError, match=r"no open scan 'scan2' \(open: scan1, scan3\)"):
        scans.get("scan2")


def test_the_memory_is_bounded_but_the_last_scan_always_stays():
    size = opened(Path("a")).bytes
    scans = OpenScans(most=10, most_bytes=int(2.5 * size))
    for name in "abc":
        scans.add(opened(Path(name)))
    assert [one.id for one in scans.all()] == ["scan2", "scan3"]
    small = OpenScans(most_bytes=1)
    small.add(opened(Path("a")))
    small.add(opened(Path("b")))
    assert [one.id for one in small.all()] == ["scan2"]


def test_a_scan_with_voxels_is_larger_than_its_map():
    volume = opened(Path("a")).volume
    assert opened(Path("a")).bytes - opened(Path("a"), voxels=False).bytes == volume.array_kji.nbytes


def test_a_file_that_has_not_changed_is_found_again(tmp_path):
    path = tmp_path / "scan"
    path.write_bytes(b"1")
    scans, scan = OpenScans(), opened(path)
    scan.state = state_of(path)
    scans.add(scan)
    assert scans.find(path, state_of(path)) is scan
    path.write_bytes(b"22")
    assert scans.find(path, state_of(path)) is None
    assert scans.find(tmp_path / "other", scan.state) is None


def test_without_a_scan_the_modality_and_grid_are_those_of_the_map():
    scan, only_map = opened(Path("a")), opened(Path("a"), voxels=False)
    assert scan.modality == "CT"
    assert only_map.modality == "unknown"
    assert scan.grid[0] == (30, 50, 70)
    assert only_map.grid[0] == (24, 20, 32)


def test_a_matcher_is_kept_until_the_other_scan_is_closed():
    scans = OpenScans()
    first, second = scans.add(opened(Path("a"))), scans.add(opened(Path("b")))
    matcher = first.matcher_to(second)
    assert first.matcher_to(second) is matcher
    scans.close(second.id)
    third = scans.add(opened(Path("c")))
    assert first.matcher_to(third) is not matcher
    assert first._matcher[0] == third.id


def test_closing_what_is_not_open_is_a_mistake():
    with pytest.raises(ValueError, match=r"no open scan 'scan1' \(open: none\)"):
        OpenScans().close("scan1")


def test_a_file_is_opened_for_questions_with_its_voxels(tmp_path):
    write_volume(torso().volume, tmp_path / "scan.nii.gz")
    opener = ScanOpener(planted_checkpoint(), embed=planted_embed)
    scan = open_scan(tmp_path / "scan.nii.gz", opener, Vocabulary.load(), silent, never)
    assert scan.state == state_of(tmp_path / "scan.nii.gz")
    assert scan.volume.array_kji.shape == (30, 50, 70)
    assert scan.explorer.locate("liver").places


def test_a_map_of_another_model_is_refused(tmp_path):
    planted_map(HERE, encoder_id="anatembed-other").save(tmp_path / "map.npz")
    with pytest.raises(ValueError, match="made by the model anatembed-other"):
        open_scan(tmp_path / "map.npz", ScanOpener(planted_checkpoint()), Vocabulary.load(), silent, never)


def test_torch_is_not_imported_before_a_scan_is_embedded():
    code = (
        "import sys; import anatembed.serve.scan_tools, anatembed.serve.mcp_server; "
        "assert not {'torch', 'transformers'} & set(sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
