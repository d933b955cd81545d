"""What would be shown wrongly, leak a file or take all memory ends at the command line in one sentence and code 2."""

import pytest
from hostile_scans import HOSTILE_SCANS


@pytest.mark.parametrize("kind", HOSTILE_SCANS)
def test_a_hostile_scan_is_refused_in_one_sentence(anatembed, tiny_model, tmp_path, kind):
    make, words = HOSTILE_SCANS[kind]
    said = anatembed("embed", make(tmp_path), "-o", tmp_path / "map.npz", "--model", tiny_model, "--no-cache")
    assert said.code == 2
    assert words in said.err
    assert said.err.strip().count("\n") == 0
    assert "root:" not in said.err + said.out
    assert not (tmp_path / "map.npz").exists()
