"""What the panel does, without the panel: embed scans, ask them for anatomy, show the answers in the views."""

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import slicer
import slicer.util
from anatembed.geometry import transform_points

from . import Segments
from .Border import Border
from .Compare import Compare, placeThere
from .Cursor import Cursor
from .DeviceLine import DeviceLine
from .EmbeddingRun import EmbeddingRun
from .Embeddings import Embeddings
from .Failure import inWords
from .Navigation import Navigation
from .Observing import Observers, weak
from .Overlay import HEAT_MAP, Overlay, automaticThreshold
from .PlacesFile import Place, readPlaces, writePlaces
from .Record import Record
from .Signal import Signal
from .StructureTable import fillStructureTable
from .VolumeBridge import ijkToWorld

COLOURS, STRUCTURES, UNCERTAINTY = "colours", "structures", "uncertainty"


class NotOne(RuntimeError):
    """A text does not mean one structure; `names` are those to type instead."""

    def __init__(self, message: str, names=()) -> None:
        super().__init__(message)
        self.names = tuple(names)


class Logic:
    """Embeds scans of one scene and answers from the embeddings; every error is a RuntimeError in the user's words.

    Embeddings belong to the voxels: positions follow the scan when its transform is edited or hardened, and an
    embedding is refused once the voxels have changed or the scan was mirrored or stretched.

    `makeWorker` embeds without waiting (see EmbeddingRun); `models` is a ModelStore, `cache` a MapCache;
    `explore(embeddingMap, checkpoint)` returns an Explorer; `schedule(function)` runs a function when Slicer is idle.
    """

    def __init__(
        self,
        scene,
        makeWorker: Callable,
        models,
        cache,
        explore: Callable | None = None,
        schedule: Callable | None = None,
    ) -> None:
        self._scene = scene
        self._models, self._cache = models, cache
        self._exploreWith = explore or _explorer
        self._checkpoint = self._modelPath = None
        self._matchers: dict[tuple, Any] = {}
        self._embeddings = Embeddings(scene, weak(self._explore), weak(self._findMap))
        self._overlay = Overlay(scene)
        self._navigation = Navigation(scene)
        self._border = Border(scene, self._overlay)
        self._compare = Compare(scene, schedule)
        self._cursor = Cursor(scene, weak(self.describe), weak(self.isEmbedded))
        self._record = Record(scene)
        self._run = EmbeddingRun(self._embeddings, makeWorker, cache, weak(self._findMap))
        self._device = DeviceLine(makeWorker, models.path)
        self.embeddedChanged = Signal()
        self.deviceChanged = self._device.changed
        self.progressChanged, self.embeddingEnded = self._run.progressChanged, self._run.ended
        self.cursorNamed = self._cursor.named
        self.linked = self._compare.linked
        self._run.ended.connect(weak(self._onEnded))
        self._observers = Observers(self)
        self._observers.add(scene, slicer.vtkMRMLScene.StartCloseEvent, self._onSceneCloses)
        self._observers.add(scene, slicer.vtkMRMLScene.EndCloseEvent, self._onSceneClosed)
        self._observers.add(scene, slicer.vtkMRMLScene.NodeRemovedEvent, self._onNodeRemoved)

    def cleanUp(self) -> None:
        """Stop what runs and observe nothing any more, when the panel goes away."""
        self.cancelEmbedding()
        self._device.cancel()
        self._cursor.stop()
        self._compare.unlink()
        self._observers.removeAll()

    # Embedding

    def deviceLine(self, volumeNode) -> str:
        """What a scan would be embedded on, and how long that may take; empty where it is not known yet."""
        return self._device.text(volumeNode)

    def askDeviceAgain(self) -> None:
        """What a scan would be computed on may have changed: PyTorch was installed."""
        self._device.forget()

    def startEmbedding(self, volumeNode, device: str = "auto", again: bool = False) -> None:
        """Begin to embed a CT volume node and return; `embeddingEnded` tells how it ended.

        A scan that was embedded before takes its map from the cache, unless `again`.
        """
        if self._checkpoint is not None and self._models.path() != self._modelPath:
            self._forgetModel()  # its file was taken away, or put there, behind our back
        self._run.start(volumeNode, device, again, self._models.path())

    def cancelEmbedding(self) -> None:
        """Stop what runs; the scene and earlier embeddings stay as they are. Without a run nothing happens."""
        self._run.cancel()

    def isEmbedding(self) -> bool:
        return self._run.isRunning()

    def isEmbedded(self, volumeNode) -> bool:
        """True when a scan can be asked as it is now."""
        try:
            self._embeddings.current(volumeNode)
        except RuntimeError:
            return False
        return True

    def motionOf(self, volumeNode) -> tuple[float, ...]:
        """How an embedded scan was moved since: places that were found hold as long as this stays the same."""
        return tuple(np.round(self._embeddings.current(volumeNode)[1], 6).ravel().tolist())

    # Find

    def complete(self, text: str, limit: int = 10) -> list[tuple[str, str]]:
        """Up to `limit` (concept id, text to show) of structures whose names begin so."""
        return _asked(lambda: self._completion.complete(text, limit))

    def nameOf(self, conceptID: str) -> str:
        return self._vocabulary.name(conceptID)

    def locate(self, volumeNode, text: str):
        """Ask where `text` is, and return the Answer in world RAS.

        Its places get a point each, and the views move to the first. While there is something to choose, every option
        has its point and the views stay; a refusal clears the points of the question before.
        """
        embedded, motion = self._embeddings.current(volumeNode)
        answer = _asked(embedded.explorer.locate, text).moved(motion)
        self._record.add(text)
        if not answer.marked:
            self._navigation.clearHits()
            return answer
        scan = volumeNode.GetName()
        self._navigation.placeHits(
            [hit.position_ras for hit in answer.marked],
            [hit.label for hit in answer.marked],
            [f'asked "{answer.query}" in {scan}, confidence {hit.confidence:.0%}' for hit in answer.marked],
            volumeNode,
        )
        if answer.places:
            self._navigation.jumpTo(answer.places[0].position_ras)
        return answer

    def documentOf(self, answer) -> dict:
        """An Answer as plain data, as the command line and the tools for language models give it."""
        from anatembed.serve.documents import answer_document

        return answer_document(answer, self._vocabulary)

    def keepHit(self, volumeNode, hit) -> None:
        """Put a hit into a list of points that no later question clears."""
        self._embeddings.current(volumeNode)
        basis = f", {hit.basis}" if hit.basis else ""
        description = f"{volumeNode.GetName()}, confidence {hit.confidence:.0%}{basis}{self._codeOf(hit)}"
        self._navigation.keep(hit.position_ras, hit.label, description, volumeNode)

    def forgetKept(self, volumeNode, label: str, position_ras) -> None:
        """Take a kept point of a scan away again."""
        self._navigation.forgetKept(position_ras, label, volumeNode)

    def keptPlaces(self, volumeNode) -> list[Place]:
        """The kept points of a scan, in world."""
        return self._navigation.kept(volumeNode)

    def writeKept(self, volumeNode, path: str) -> int:
        """Write the kept points of a scan into a file that Slicer reads; how many."""
        places = self._navigation.kept(volumeNode)
        if not places:
            raise RuntimeError("No place of this scan is kept yet.")
        writePlaces(path, places, f"Kept places of {volumeNode.GetName()}")
        return len(places)

    def readKept(self, volumeNode, path: str) -> int:
        """Keep the points of a file, which are in world, with a scan; how many the file has."""
        places = readPlaces(path)
        for place in places:
            self._navigation.keep(place.position_ras, place.label, place.description, volumeNode)
        return len(places)

    def tableOfStructures(self, volumeNode):
        """A vtkMRMLTableNode with a row for every structure that is painted and found in a scan."""
        from anatembed.ask.structure_facts import structure_facts

        embedded, motion = self._embeddings.current(volumeNode)

        def placeOf(conceptID: str):
            search = embedded.explorer.index.search(conceptID, 1)
            if not search.found:
                return None
            (hit,) = search.hits
            return replace(hit, position_ras=transform_points(motion, hit.position_ras))

        scan_kji, ijk_to_ras = slicer.util.arrayFromVolume(volumeNode), ijkToWorld(volumeNode)
        structures, partsOf = self.structuresIn(volumeNode), self._vocabulary.descendants
        facts = _asked(structure_facts, structures, partsOf, placeOf, scan_kji, ijk_to_ras)
        return fillStructureTable(self._scene, volumeNode, facts, self._vocabulary)

    def fitWindow(self, volumeNode, conceptID: str) -> tuple[str, int, int]:
        """Show a scan in the grey values in which a structure is looked at: their name, width and centre in HU."""
        from anatembed.language.hu_window import WINDOWS, fitting_window

        name = fitting_window(self._vocabulary[conceptID].category)
        width, centre = WINDOWS[name]
        displayNode = volumeNode.GetDisplayNode()
        displayNode.UndoEnabledOn()
        self._scene.SaveStateForUndo()
        with slicer.util.NodeModify(displayNode):
            displayNode.SetAutoWindowLevel(False)
            displayNode.SetWindowLevel(width, centre)
        return name, width, centre

    def makeSegment(self, volumeNode, text: str, threshold: float | None = None):
        """A new vtkMRMLSegmentationNode of where `text` is likely, handed over to Segment Editor.

        Without a threshold it is that of the heat map. RuntimeError in the words of Find where there is no place.
        """
        embedded, motion = self._embeddings.current(volumeNode)
        probability_kji, answer = _asked(embedded.explorer.probability, text)
        if not answer.places:
            raise RuntimeError(answer.words)
        hit, whole = answer.places[0], answer.place is None
        terminology = ""
        if hit.concept_id and whole:
            terminology = Segments.terminologyEntry(self._vocabulary[hit.concept_id], self._vocabulary)
        limit = automaticThreshold(probability_kji) if threshold is None else threshold
        ijk_to_ras = motion @ embedded.embeddingMap.ijk_to_ras
        return Segments.makeLikelySegment(
            self._scene, volumeNode, probability_kji, ijk_to_ras, limit, hit.label, terminology)

    def history(self) -> list[str]:
        """What was asked in this scene, newest first."""
        return self._record.history()

    def jumpTo(self, position_ras) -> None:
        """Move every slice view to a world position."""
        self._navigation.jumpTo(position_ras)

    def showHeatMap(self, volumeNode, text: str, threshold: float | None = None, opacity: float = 0.6):
        """Show where `text` is probable and return the Answer; one without a place takes the last heat map away."""
        embedded, motion = self._embeddings.current(volumeNode)
        probability_kji, answer = _asked(embedded.explorer.probability, text)
        answer = answer.moved(motion)
        if answer.places:
            self._border.clear()
            title = answer.places[0].label
            ijk_to_ras = motion @ embedded.embeddingMap.ijk_to_ras
            self._overlay.showHeatMap(volumeNode, probability_kji, ijk_to_ras, title, threshold, opacity)
        elif self._overlay.shown() == HEAT_MAP:
            self._overlay.hide()
        return answer

    def setHeatThreshold(self, threshold: float) -> None:
        """Show the heat map from this probability (0..1) up."""
        self._overlay.setThreshold(threshold)

    # Report

    def readReport(self, volumeNode, text: str, most: int = 5):
        """What a report mentions, each with its places in world RAS, and at most `most` key slices: ReportReading."""
        from anatembed.ask.report import read_report

        embedded, motion = self._embeddings.current(volumeNode)
        return _asked(read_report, embedded.explorer, text, most).moved(motion)

    def showMention(self, volumeNode, meant) -> None:
        """Mark the place of a structure that a report mentions, and move the views there."""
        self._embeddings.current(volumeNode)
        description = f"mentioned in the report of {volumeNode.GetName()}, confidence {meant.hit.confidence:.0%}"
        self._navigation.placeHits([meant.hit.position_ras], [meant.shown], [description], volumeNode)
        self._navigation.jumpTo(meant.hit.position_ras)

    def showSlice(self, position_ras) -> None:
        """Move the slice views through a world position without centring it."""
        self._navigation.jumpTo(position_ras, centred=False)

    # Here

    def describe(self, volumeNode, position_ras):
        """Name what lies at a world position: a Description; RuntimeError outside the embedded part of the scan."""
        embedded, motion = self._embeddings.current(volumeNode)
        position_at_embedding = np.linalg.inv(motion) @ [*position_ras, 1.0]
        return _asked(embedded.explorer.describe, position_at_embedding[:3])

    def followCursor(self, volumeNode) -> None:
        """Emit `cursorNamed(description, position_ras)` for what is under the mouse; None stops that."""
        self._cursor.follow(volumeNode)

    # Compare

    def findThere(self, volumeNode, position_ras, otherNode):
        """Show the same anatomical place in another embedded scan; returns it with its confidence."""
        return self._compare.findThere(volumeNode, position_ras, otherNode, weak(self._match))

    def link(self, volumeNode, otherNode) -> None:
        """Let the views of each of two embedded scans follow the cursor in the other; emits `linked`."""
        for node in (volumeNode, otherNode):
            self._embeddings.current(node)
        self._compare.link(volumeNode, otherNode, weak(self._match))

    def unlink(self) -> None:
        self._compare.unlink()

    # Border

    def twoLikeliest(self, volumeNode, position_ras) -> tuple[str, str]:
        """Ids of the two structures between which a world position may lie."""
        embedded, motion = self._embeddings.current(volumeNode)
        position_at_embedding = np.linalg.inv(motion) @ [*position_ras, 1.0]
        return _asked(embedded.explorer.likeliest_pair, position_at_embedding[:3])

    def structureOf(self, volumeNode, text: str) -> str:
        """Id of the one whole structure that a text means; NotOne in the words in which Find refuses or asks back."""
        embedded, _motion = self._embeddings.current(volumeNode)
        answer = _asked(embedded.explorer.locate, text, 1)
        names = [one.name for one in answer.options or answer.suggestions]
        if not answer.places:
            ways_on = " or ".join(f"“{name}”" for name in names)
            raise NotOne(f"{answer.reason} Type {ways_on}." if names else answer.reason, names)
        (meant,) = answer.meant or (None,)
        if meant is None or answer.place is not None or meant.caution:
            raise NotOne(f"{answer.words} A border is between two structures that the model knows by name.", ())
        return meant.id

    def showBorder(self, volumeNode, firstID: str, secondID: str) -> None:
        """Show how the embedding divides two structures: a soft map, its middle line and the doubtful band."""
        posterior, ijk_to_ras = self._posterior(volumeNode, firstID, secondID)
        self._border.show(volumeNode, posterior, (self.nameOf(firstID), self.nameOf(secondID)), ijk_to_ras)

    def makeSegments(self, volumeNode, firstID: str, secondID: str):
        """A new vtkMRMLSegmentationNode with both structures, to be corrected in Segment Editor."""
        posterior, ijk_to_ras = self._posterior(volumeNode, firstID, secondID)
        return Segments.makeSegments(self._scene, volumeNode, posterior, ijk_to_ras, self._vocabulary)

    # Show

    def showOverlay(self, volumeNode, mode: str, opacity: float = 0.5) -> None:
        """Show "colours", "structures" or "uncertainty" over a scan."""
        if mode not in (COLOURS, STRUCTURES, UNCERTAINTY):
            raise RuntimeError(f'There is no overlay "{mode}". Choose {COLOURS}, {STRUCTURES} or {UNCERTAINTY}.')
        embedded, motion = self._embeddings.current(volumeNode)
        self._border.clear()
        if mode == COLOURS:
            rgba_kji = _asked(embedded.explorer.colours_kji)
            self._overlay.showColours(volumeNode, rgba_kji, motion @ embedded.embeddingMap.ijk_to_ras, opacity)
        elif mode == STRUCTURES:
            found = _asked(embedded.explorer.structures)
            self._overlay.showStructures(volumeNode, found.rgba_kji, motion @ found.ijk_to_ras, opacity)
        else:
            uncertainty_kji, ijk_to_ras = _asked(embedded.explorer.uncertainty)
            self._overlay.showUncertainty(volumeNode, uncertainty_kji, motion @ ijk_to_ras, opacity)

    def hideOverlay(self) -> None:
        """Give the slice views back what they showed before."""
        self._border.clear()
        self._overlay.hide()

    def setOverlayOpacity(self, opacity: float) -> None:
        """Opacity 0..1 of the overlay that is shown."""
        self._overlay.setOpacity(opacity)

    def shownOverlay(self) -> str | None:
        return self._overlay.shown()

    def legend(self, volumeNode) -> list[tuple[str, tuple[int, int, int]]]:
        """Name and colour of the structures in a scan, largest first."""
        embedded, _motion = self._embeddings.current(volumeNode)
        return _asked(embedded.explorer.structures).legend

    def structuresIn(self, volumeNode):
        """The likeliest structure of every voxel of a scan: StructureColours in world RAS."""
        embedded, motion = self._embeddings.current(volumeNode)
        found = _asked(embedded.explorer.structures)
        return replace(found, ijk_to_ras=motion @ found.ijk_to_ras)

    # Model

    def modelFacts(self) -> dict:
        """name, encoderId, licence, card, path and concepts of the model in use."""
        facts = _asked(self._models.facts)
        return {**facts, "encoderId": facts["encoder_id"]}

    def importModel(self, path: str, sha256: str = "") -> None:
        """Use the model of a file from now on; what was embedded with another one has to be embedded again."""
        self._run.refuseWhileRunning()
        _asked(self._models.import_file, path, sha256)
        self._forgetModel()

    def useShippedModel(self) -> None:
        """Use the model of the extension again."""
        self._run.refuseWhileRunning()
        _asked(self._models.use_shipped)
        self._forgetModel()

    def downloadsAndCaches(self) -> tuple[int, int]:
        """How many embeddings are kept on disk, and their bytes."""
        return _asked(self._cache.contents)

    def removeCaches(self) -> None:
        """Delete the embeddings on disk; those of the scans in the scene stay until it is closed."""
        _asked(self._cache.clear)

    # Inside

    def _onEnded(self, failure) -> None:
        if failure is None:
            self._matchers.clear()
            self.embeddedChanged.emit()

    @cached_property
    def _vocabulary(self):
        from anatembed.language.vocabulary import Vocabulary

        return Vocabulary.load()

    @cached_property
    def _completion(self):
        from anatembed.language.query.completion import Completion

        return Completion(self._vocabulary)

    def _codeOf(self, hit) -> str:
        """The standard code of a hit's structure in words; empty for a part of it, and where there is none."""
        term = self._vocabulary[hit.concept_id] if hit.concept_id else None
        known = term is not None and term.snomed and hit.label == term.preferred
        return f", SNOMED CT {term.snomed}" if known else ""

    def _explore(self, embeddingMap):
        try:
            return self._exploreWith(embeddingMap, self._model())
        except ImportError as error:  # after an update of Slicer its packages are gone, and the maps are still there
            raise RuntimeError(inWords(error)) from error

    def _model(self):
        if self._checkpoint is None:
            self._modelPath = self._models.path()
            self._checkpoint = _asked(self._models.load)
        return self._checkpoint

    def _findMap(self, key: str):
        return self._cache.find(key, self._model().encoder_id)

    def _match(self, volumeNode, position_ras, otherNode):
        (one, motion), (other, otherMotion) = (self._embeddings.current(node) for node in (volumeNode, otherNode))
        key = id(one.embeddingMap), id(other.embeddingMap)
        if key not in self._matchers:
            from anatembed.ask.matching import Matcher

            self._matchers[key] = _asked(Matcher, one.embeddingMap, other.embeddingMap, self._model().readout)
        return _asked(placeThere, self._matchers[key], position_ras, motion, otherMotion)

    def _posterior(self, volumeNode, firstID: str, secondID: str):
        embedded, motion = self._embeddings.current(volumeNode)
        found = _asked(embedded.explorer.border, firstID, secondID)
        return found, motion @ found.ijk_to_ras

    def _forgetModel(self) -> None:
        self._checkpoint = None
        self._matchers.clear()
        self._embeddings.forget()
        self.hideOverlay()
        self._compare.unlink()
        self.embeddedChanged.emit()

    def _onSceneCloses(self, _caller, _event) -> None:
        self.cancelEmbedding()
        self._cursor.stop()
        self._border.clear()

    def _onSceneClosed(self, _caller, _event) -> None:
        self._overlay.forget()
        self._matchers.clear()
        self._embeddings.forget()
        self.embeddedChanged.emit()

    def _onNodeRemoved(self, _caller, _event) -> None:
        if self._scene.IsClosing():
            return
        if self._embeddings.forgetRemoved():
            self._matchers.clear()
            self._overlay.removeOrphans()
            self._border.clearOrphans()
            self.embeddedChanged.emit()


def _explorer(embeddingMap, checkpoint):
    from anatembed.ask.explorer import Explorer

    return Explorer(embeddingMap, checkpoint)


def _asked(question: Callable, *arguments):
    try:
        return question(*arguments)
    except (ImportError, MemoryError) as error:
        raise RuntimeError(inWords(error)) from error
    except (ValueError, OSError) as error:
        raise RuntimeError(f"That cannot be answered: {error}") from error
