"""An embedding that is made elsewhere: how it begins, goes on and ends, whatever happens to its scan meanwhile."""

import errno

import pytest
import slicer.util
from AnatomicalEmbeddingLib.SceneNodes import nodesOfClass
from hypothesis import given, settings
from hypothesis import strategies as some
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from placements import addScan, affine
from scene_logic import embed, logicOn


@pytest.fixture
def logic(scene, tmp_path):
    logic = logicOn(scene, tmp_path)
    logic.ends = []
    logic.embeddingEnded.connect(logic.ends.append)
    return logic


def nodesOf(scene) -> list:
    return [scene.GetNthNode(index).GetID() for index in range(scene.GetNumberOfNodes())]


def test_progress_is_passed_on_and_the_end_is_told(logic, scan):
    steps = []
    logic.progressChanged.connect(lambda *step: steps.append(step))
    logic.startEmbedding(scan, device="cpu")
    assert logic.isEmbedding() and not logic.isEmbedded(scan)
    logic.worker.onProgress("Embedding", 0.5, 3.0)
    logic.worker.finish()
    assert steps == [("Embedding", 0.5, 3.0)] and logic.ends == [None]
    assert not logic.isEmbedding() and logic.isEmbedded(scan)
    assert logic.worker.asked[0]["device"] == "cpu"


def test_a_failure_is_told_and_leaves_the_scene_and_the_first_embedding_as_they_were(logic, scene, scan):
    embed(logic, scan)
    before = nodesOf(scene)
    logic.startEmbedding(scan, again=True)
    logic.worker.fail(message="The memory does not suffice.", offersCPU=True)
    assert logic.ends[-1].message == "The memory does not suffice." and logic.ends[-1].offersCPU
    assert logic.locate(scan, "liver").places
    logic.hideOverlay()
    assert set(before) <= set(nodesOf(scene))


def test_a_cancel_in_the_middle_leaves_everything_as_it_was(logic, scene, scan):
    before = nodesOf(scene)
    logic.startEmbedding(scan)
    logic.worker.onProgress("Embedding", 0.5, None)
    logic.cancelEmbedding()
    assert [failure.cancelled for failure in logic.ends] == [True]
    assert not logic.isEmbedding() and not logic.isEmbedded(scan)
    assert nodesOf(scene) == before and scan.GetAttributeNames() == ()
    logic.cancelEmbedding()
    assert len(logic.ends) == 1


def test_a_second_embedding_has_to_wait_and_the_first_is_not_disturbed(logic, scene, scan):
    other = addScan(scene, affine(origin_ras=(9, 9, 9)), name="Prior")
    logic.startEmbedding(scan)
    with pytest.raises(RuntimeError, match='"CT" is being embedded. Wait until it is done, or cancel it.'):
        logic.startEmbedding(other)
    logic.worker.finish()
    assert logic.isEmbedded(scan) and not logic.isEmbedded(other)


def test_what_was_embedded_before_is_not_embedded_again_unless_wanted(logic, scene, scan, tmp_path):
    embed(logic, scan)
    namesake = addScan(scene, affine(), name="The same scan, loaded twice")
    logic.startEmbedding(namesake)
    assert not logic.isEmbedding() and logic.isEmbedded(namesake) and logic.ends == [None, None]
    logic.startEmbedding(namesake, again=True)
    assert logic.isEmbedding()


def test_a_scan_that_is_removed_meanwhile_is_a_failure_in_words(logic, scene, scan):
    logic.startEmbedding(scan)
    scene.RemoveNode(scan)
    logic.worker.finish()
    assert logic.ends[0].message == '"CT" was removed from the scene while it was embedded.'
    assert not logic.isEmbedding()


def test_a_scan_that_is_edited_meanwhile_has_to_be_embedded_again(logic, scan):
    logic.startEmbedding(scan)
    slicer.util.arrayFromVolume(scan)[0, 0, 0] += 1
    slicer.util.arrayFromVolumeModified(scan)
    logic.worker.finish()
    assert logic.ends == [None] and not logic.isEmbedded(scan)


def test_closing_the_scene_stops_the_embedding(logic, scene, scan):
    logic.startEmbedding(scan)
    scene.Clear(False)
    assert not logic.isEmbedding() and [failure.cancelled for failure in logic.ends] == [True]
    fresh = addScan(scene, affine())
    embed(logic, fresh)
    assert logic.isEmbedded(fresh)


def test_work_that_cannot_begin_is_said_in_words_and_another_may(logic, scan):
    logic.worker.unable = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(RuntimeError, match='"CT" cannot be embedded: The disk is full.'):
        logic.startEmbedding(scan)
    logic.worker.unable = None
    embed(logic, scan)
    assert logic.isEmbedded(scan)


def test_a_cache_that_cannot_keep_the_map_does_not_lose_it(logic, scan, monkeypatch):
    def adopt(_path):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(logic._cache, "adopt", adopt)
    embed(logic, scan)
    assert logic.ends == [None] and logic.locate(scan, "liver").places


def test_a_finished_file_that_is_no_map_is_a_failure_in_words(logic, scan, tmp_path):
    logic.startEmbedding(scan)
    path = tmp_path / "map.npz"
    path.write_bytes(b"half a map")
    logic.worker.volume = None
    logic.worker.onEnded(None, path)
    assert "embedding map" in logic.ends[0].message and not logic.isEmbedded(scan)


class Sessions(RuleBasedStateMachine):
    """Whatever a user does in whatever order: no exception but in words, and no node of theirs is lost."""

    def __init__(self) -> None:
        super().__init__()
        import tempfile
        from pathlib import Path

        self.scene = slicer.vtkMRMLScene()
        self.scene.RegisterNodeClass(slicer.vtkMRMLColorLegendDisplayNode())
        crosshairNode = slicer.vtkMRMLCrosshairNode()
        crosshairNode.SetCrosshairName("default")
        self.scene.AddNode(crosshairNode)
        self.folder = tempfile.TemporaryDirectory()
        self.logic = logicOn(self.scene, Path(self.folder.name))
        self.scans, self.own = [], []

    def teardown(self) -> None:
        self.logic.cleanUp()
        self.folder.cleanup()

    def attempt(self, action, *arguments) -> None:
        try:
            action(*arguments)
        except RuntimeError as error:
            assert str(error)[:1].isupper() or str(error)[:1] == '"', error

    def one(self, number: int):
        return self.scans[number % len(self.scans)] if self.scans else None

    @rule(x=some.integers(0, 2))
    def load(self, x: int) -> None:
        if len(self.scans) < 3:
            self.scans.append(addScan(self.scene, affine(origin_ras=(-47 + x, -39, -34.5))))
            self.own.append(self.scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "Own"))

    @rule(n=some.integers(0, 2), again=some.booleans())
    def start(self, n: int, again: bool) -> None:
        scan = self.one(n)
        self.attempt(lambda: self.logic.startEmbedding(scan, again=again))

    @rule(how=some.sampled_from(["finish", "fail", "cancel"]))
    def end(self, how: str) -> None:
        if self.logic.isEmbedding():
            getattr(self.logic.worker, how)()

    @rule(n=some.integers(0, 2))
    def embedWhole(self, n: int) -> None:
        if self.one(n) and not self.logic.isEmbedding():
            self.attempt(embed, self.logic, self.one(n))

    @rule(n=some.integers(0, 2), text=some.sampled_from(["liver", "unicorn", ""]))
    def find(self, n: int, text: str) -> None:
        self.attempt(self.logic.locate, self.one(n), text)

    @rule(n=some.integers(0, 2), what=some.sampled_from(["colours", "structures", "uncertainty", "nonsense"]))
    def show(self, n: int, what: str) -> None:
        self.attempt(self.logic.showOverlay, self.one(n), what)

    @rule(n=some.integers(0, 2))
    def showHeat(self, n: int) -> None:
        self.attempt(self.logic.showHeatMap, self.one(n), "liver")

    @rule(n=some.integers(0, 2))
    def showBorder(self, n: int) -> None:
        self.attempt(self.logic.showBorder, self.one(n), "liver", "kidney_right")

    @rule()
    def hide(self) -> None:
        self.logic.hideOverlay()

    @rule(n=some.integers(0, 2), x=some.floats(-60, 60))
    def name(self, n: int, x: float) -> None:
        self.attempt(self.logic.describe, self.one(n), (x, 0.0, 0.0))

    @rule(n=some.integers(0, 2))
    def edit(self, n: int) -> None:
        if scan := self.one(n):
            slicer.util.arrayFromVolume(scan)[0, 0, 0] += 1
            slicer.util.arrayFromVolumeModified(scan)

    @rule(n=some.integers(0, 2))
    def remove(self, n: int) -> None:
        if scan := self.one(n):
            self.scans.remove(scan)
            self.scene.RemoveNode(scan)

    @rule()
    def close(self) -> None:
        self.scene.Clear(False)
        self.scans, self.own = [], []

    @rule()
    def clearCaches(self) -> None:
        self.logic.removeCaches()

    @invariant()
    def whatTheUserLoadedIsThere(self) -> None:
        for node in [*self.scans, *self.own]:
            assert self.scene.GetNodeByID(node.GetID()) is node

    @invariant()
    def thereAreNoMoreOverlaysThanScans(self) -> None:
        for role in ("colours", "structures", "uncertainty", "heat map", "border"):
            nodes = nodesOfClass(self.scene, "vtkMRMLScalarVolumeNode")
            assert sum(node.GetAttribute("AnatomicalEmbedding.Overlay") == role for node in nodes) <= len(self.scans)


TestSessions = Sessions.TestCase
TestSessions.settings = settings(max_examples=300, stateful_step_count=10, deadline=None)


@settings(max_examples=10, deadline=None)
@given(some.lists(some.sampled_from(["start", "finish", "fail", "cancel"]), max_size=12))
def test_every_begun_embedding_ends_exactly_once(steps):
    import tempfile
    from pathlib import Path

    scene = slicer.vtkMRMLScene()
    with tempfile.TemporaryDirectory() as folder:
        logic, ends = logicOn(scene, Path(folder)), []
        logic.embeddingEnded.connect(ends.append)
        scan, begun = addScan(scene, affine()), 0
        for step in steps:
            if step == "start" and not logic.isEmbedding():
                logic.startEmbedding(scan, again=True)
                begun += 1
            elif step != "start" and logic.isEmbedding():
                getattr(logic.worker, step)()
        logic.cancelEmbedding()
        assert len(ends) == begun
