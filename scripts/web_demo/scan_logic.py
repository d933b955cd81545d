"""The visitor's scans: which one is chosen, opening files, embedding with progress and cancel."""

import asyncio
import os
from pathlib import Path

from AnatomicalEmbeddingLib import VolumeBridge
from trame_server.utils.asynchronous import create_task

from web_demo import words
from web_demo.background import Slot
from web_demo.examples import EXAMPLES, FIRST, example_volume
from web_demo.limits import READING_SLOT, Limits
from web_demo.open_file import Opening
from web_demo.section import Section, shown, without_paths

_SECONDS = 0.1


class ScanLogic(Section):
    """Scans in the order in which they were opened; the first example is there, embedded, from the beginning."""

    def __init__(self, demo, limits: Limits, shared: Path) -> None:
        """`shared` is the folder in which visitors' processes lock what they share."""
        super().__init__(demo)
        self._limits = limits
        self._slots = [Slot(shared / READING_SLOT.format(number=number)) for number in range(limits.readers)]
        self._nodes: list = []
        self._asked = None
        self._opening: asyncio.Task | None = None
        start = {
            "scans": [], "scan_id": None, "scan_line": "", "embed_text": "Embed", "can_embed": False,
            "embedding": False, "stage": "", "progress": 0, "opening": "", "details": "",
        }
        for name, value in start.items():
            self.state.setdefault(name, value)
        self.state.examples = [{"name": one.name, "explanation": one.explanation} for one in EXAMPLES]
        self.state.change("scan_id")(self._on_chosen)
        self.logic.progressChanged.connect(self.show_progress)
        self.logic.embeddingEnded.connect(self.show_end)

    def chosen(self):
        """The chosen volume node, None without one."""
        return self.find(self.state.scan_id)

    def find(self, node_id):
        """The scan with a node id, None without one."""
        return next((node for node in self._nodes if node.GetID() == node_id), None)

    def all(self) -> list:
        return list(self._nodes)

    def begin(self) -> None:
        """Open the first example, whose map is there already."""
        self._add(example_volume(FIRST))
        self.logic.startEmbedding(self.chosen())

    @shown
    def open_example(self, name: str) -> None:
        """Open an example, or choose it when it is open."""
        found = next((node for node in self._nodes if node.GetName() == name), None)
        if found is not None:
            self.choose(found)
            return
        self._require_room()
        self._add(example_volume(name))
        if not self.logic.isEmbedding():
            self.logic.startEmbedding(self.chosen())

    def open_beside(self, name: str):
        """The node of an example, opened without choosing it."""
        found = next((node for node in self._nodes if node.GetName() == name), None)
        if found is None:
            self._require_room()
            found = self._put(example_volume(name))
        return found

    @shown
    def remove(self) -> None:
        """Close the chosen scan."""
        node = self.require_scan()
        if self.logic.isEmbedding() and self._asked is node:
            raise RuntimeError(f'"{node.GetName()}" is being embedded. Cancel that first.')
        self.logic.hideOverlay()
        self._nodes.remove(node)
        self.demo.scene.RemoveNode(node)
        self._list()
        self.choose(self._nodes[-1] if self._nodes else None)

    @shown
    def embed_or_cancel(self) -> None:
        """Start on the chosen scan, or stop what runs."""
        if self.logic.isEmbedding():
            self.logic.cancelEmbedding()
            return
        scan = self.require_scan()
        self.embed(scan, again=self.logic.isEmbedded(scan))

    def embed(self, scan, again: bool = False) -> None:
        """Start on a scan, with its kept map unless `again`."""
        self._asked, self.state.details = scan, ""
        self.tell("")
        self.show_progress("Starting", 0.0, None)
        self.logic.startEmbedding(scan, again=again)

    def received(self, path: Path, name: str) -> None:
        """Open an uploaded file; it is deleted as soon as it is read."""
        try:
            self._require_room()
        except RuntimeError as error:
            path.unlink(missing_ok=True)
            with self.state:
                self.tell(str(error), problem=True)
            return
        self._opening = create_task(self._open(path, name))

    @shown
    def cancel_opening(self) -> None:
        """Stop reading a file."""
        if self._opening is not None:
            self._opening.cancel()

    def show_progress(self, stage: str, fraction: float, seconds_left: float | None) -> None:
        """Stage, fraction 0..1 and time left."""
        with self.state:
            self.state.progress = round(100 * fraction)
            self.state.stage = ", ".join(part for part in (stage, words.timeLeft(seconds_left)) if part)

    def show_end(self, failure) -> None:
        """Say how an embedding ended; `failure` is None when it went well."""
        with self.state:
            if failure is not None:
                self.tell(failure.message, problem=not failure.cancelled)
                self.state.details = "" if failure.cancelled else failure.details
            elif self._asked is not None:
                self.tell(f"{self._asked.GetName()} is ready: type a structure.")
            self.demo.refresh()

    def choose(self, node) -> None:
        """Show a scan, and ask it from now on."""
        self.state.scan_id = node.GetID() if node is not None else None
        self._show()

    def refresh(self) -> None:
        scan, running = self.chosen(), self.logic.isEmbedding()
        embedded = scan is not None and self.logic.isEmbedded(scan)
        self.state.embedding = running
        self.state.embedded = embedded
        self.state.can_embed = running or scan is not None
        self.state.embed_text = "Cancel" if running else "Embed again" if embedded else "Embed"
        self.state.scan_line = self._line(scan, running, embedded)

    def _line(self, scan, running: bool, embedded: bool) -> str:
        if running and self._asked is not None:
            return f"Embedding {self._asked.GetName()}. You can go on working."
        if scan is None:
            return "Open a CT."
        if embedded:
            return "Embedded: this scan can be searched."
        return "Not embedded yet. Press Embed once; then the scan can be searched."

    def _add(self, volume) -> None:
        self.choose(self._put(volume))

    def _put(self, volume):
        """The node of a scan that is open from now on."""
        node = VolumeBridge.addScalarVolume(self.demo.scene, volume.array_kji, volume.ijk_to_ras, volume.name)
        if volume.modality != "unknown":
            node.SetAttribute("DICOM.Modality", volume.modality)
        self._nodes.append(node)
        self.demo.windowing.put_on([node])
        self._list()
        return node

    def _list(self) -> None:
        self.state.scans = [{"title": node.GetName(), "value": node.GetID()} for node in self._nodes]

    def _on_chosen(self, **_state) -> None:
        if self.demo.is_ready:
            self._show()
            self.demo.refresh()

    def _show(self) -> None:
        self.demo.views.show(self.chosen())

    def _require_room(self) -> None:
        if len(self._nodes) >= self._limits.scans:
            raise RuntimeError(f"There are {self._limits.scans} scans already. Close one first.")
        if self._opening is not None and not self._opening.done():
            raise RuntimeError("Another file is being opened. Wait until it is there.")

    async def _open(self, path: Path, name: str) -> None:
        with self.state:
            self.state.opening = name
            self.tell("")
        opening = slot = None
        try:
            slot = await self._free_slot()
            opening = Opening(path, self._limits, dict(os.environ))
            await self._ended(opening)
            with self.state:
                volume = opening.volume()
                self._add(type(volume)(volume.array_kji, volume.ijk_to_ras, volume.modality, name))
                self.tell(f"{name} is open. Press Embed once; then it can be searched.")
        except asyncio.CancelledError:
            with self.state:
                self.tell(f"{name} was not opened.")
        except (ValueError, OSError, RuntimeError, MemoryError) as error:
            with self.state:
                self.tell(f"“{name}” cannot be opened: {without_paths(error)}.".replace("..", "."), problem=True)
        finally:
            if opening is not None:
                opening.end()
            if slot is not None:
                slot.give_back()
            path.unlink(missing_ok=True)
            with self.state:
                self.state.opening = ""
                self.demo.refresh()

    async def _free_slot(self) -> Slot:
        """Wait until few enough files are being read on this computer, but not for ever."""
        waited = 0.0
        while True:
            for slot in self._slots:
                if slot.take():
                    return slot
            if waited > self._limits.opening_seconds:
                raise ValueError("too many files are being opened; try again later")
            await asyncio.sleep(_SECONDS)
            waited += _SECONDS

    async def _ended(self, opening: Opening) -> None:
        """Wait for it, but not for ever."""
        waited = 0.0
        while not opening.has_ended():
            if waited > self._limits.opening_seconds:
                raise ValueError("reading it takes too long")
            await asyncio.sleep(_SECONDS)
            waited += _SECONDS
