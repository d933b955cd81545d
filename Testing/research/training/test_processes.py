"""What torchrun's environment means."""

from research.training.processes import ALONE, processes


def test_without_torchrun_there_is_one_process_and_it_writes(monkeypatch):
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    with processes() as these:
        assert these == ALONE
        assert these.first


def test_a_second_process_does_not_write():
    assert not ALONE.__class__(1, 2, "cpu").first
