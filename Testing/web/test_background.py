import pytest

pytest.importorskip("slicer", reason="needs slicer-core")
from web_demo.background import WAITING, QueuedWorker, Slot


class WorkerDouble:
    """Begins and ends when the test says so."""

    def __init__(self, on_ended) -> None:
        self.on_ended, self.volume = on_ended, None

    def embed(self, volume, **options) -> None:
        if volume == "broken":
            raise ValueError("no scan")
        self.volume = volume

    def cancel(self) -> None:
        self.on_ended("cancelled", None)


class Visitor:
    """A QueuedWorker, and what it told."""

    def __init__(self, path) -> None:
        self.progress, self.ended, self.timers = [], [], []
        self.worker = QueuedWorker(
            lambda *step: self.progress.append(step), lambda *end: self.ended.append(end), Slot(path), every=self.every
        )
        self.double = self.worker._worker = WorkerDouble(self.worker._ended)

    def every(self, callback):
        self.timers.append(callback)
        return self.timers.clear

    def tick(self) -> None:
        for callback in list(self.timers):
            callback()


@pytest.fixture
def two(tmp_path):
    return Visitor(tmp_path / "slot"), Visitor(tmp_path / "slot")


def test_a_slot_belongs_to_one_at_a_time(tmp_path):
    first, second = Slot(tmp_path / "slot"), Slot(tmp_path / "slot")
    assert first.take() and first.take() and not second.take()
    first.give_back()
    assert second.take() and not first.take()


def test_the_second_visitor_waits_and_is_told_so(two):
    first, second = two
    first.worker.embed("one")
    second.worker.embed("two")
    second.tick()
    assert (first.double.volume, second.double.volume) == ("one", None)
    assert second.progress == [(WAITING, 0.0, None)]


def test_the_second_visitor_begins_when_the_first_has_ended(two):
    first, second = two
    first.worker.embed("one")
    second.worker.embed("two")
    first.double.on_ended(None, "map")
    second.tick()
    assert second.double.volume == "two" and second.timers == []
    assert first.ended == [(None, "map")]


def test_who_waits_can_cancel(two):
    first, second = two
    first.worker.embed("one")
    second.worker.embed("two")
    second.worker.cancel()
    first.double.on_ended(None, "map")
    second.tick()
    assert second.double.volume is None
    assert second.ended[0][0].cancelled and "Nothing was changed" in second.ended[0][0].message


def test_who_is_cancelled_gives_the_slot_to_the_next(two):
    first, second = two
    first.worker.embed("one")
    first.worker.cancel()
    second.worker.embed("two")
    assert second.double.volume == "two"


def test_a_scan_that_cannot_begin_gives_the_slot_back(two):
    first, second = two
    with pytest.raises(ValueError, match="no scan"):
        first.worker.embed("broken")
    second.worker.embed("two")
    assert second.double.volume == "two"
