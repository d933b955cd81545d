"""What a language model may do with scans: open, ask, cut out, match and save; plain functions on plain data.

Positions are RAS mm throughout. A mistake is a ValueError or OSError in one sentence, which is meant for the model.
"""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

import numpy as np

from anatembed.ask.locating import GO, Answer
from anatembed.ask.report import read_report
from anatembed.ask.structure_extent import extent_of
from anatembed.geometry import bounds_ras, spacing_mm
from anatembed.language.vocabulary import Vocabulary
from anatembed.maps.opening import Cancelled, Progress, ScanOpener
from anatembed.maps.slice_planes import in_words
from anatembed.output_file import replacing
from anatembed.scan.files import write_volume
from anatembed.serve import documents, patch
from anatembed.serve import tool_results as results
from anatembed.serve.allowed_folders import AllowedFolders
from anatembed.serve.markups import SUFFIX, Finding, write_markups
from anatembed.serve.open_scans import OpenScan, OpenScans, open_scan, state_of

MOST_TEXT, MOST_NAME, MOST_NOTE, MOST_FINDINGS, MOST_LISTED, MOST_HITS = 500, 200, 4000, 500, 500, 20
UNSURE_MATCH = 0.5
SCAN_SUFFIXES = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd", ".dcm", ".zip", ".npz")
CONVENTION = "radiological: the patient's right is at the left of axial and coronal pictures"


class ScanTools:
    """The tools, and what they share: the allowed folders, a way to open scans and those that are open."""

    def __init__(self, folders: AllowedFolders, opener: ScanOpener, scans: OpenScans | None = None):
        self.folders, self.opener, self.scans = folders, opener, scans or OpenScans()
        self.vocabulary = Vocabulary.load()
        self._opening = threading.Lock()

    def list_files(self, folder: str = "") -> results.FileList:
        """Folders and files that may be opened; without a folder, the allowed folders themselves."""
        paths = self.folders.entries(folder)
        entries = [_entry(path) for path in paths if self.folders.is_nameable(path)]
        wanted = [one for one in entries if one.kind == "folder" or one.path.lower().endswith(SCAN_SUFFIXES)]
        return results.FileList(
            wanted[:MOST_LISTED], max(0, len(wanted) - MOST_LISTED), len(paths) - len(entries)
        )

    def open_scan(self, path: str, progress: Progress, cancelled: Cancelled) -> results.ScanFacts:
        """Read a scan and embed it, or read a saved map; a scan that is open and has not changed is only looked up."""
        real = self.folders.scan(path)
        while not self._opening.acquire(timeout=0.2):  # one at a time, because each fills memory
            cancelled()
        try:
            scan = self.scans.find(real, state_of(real))
            if scan is None:
                scan = self.scans.add(open_scan(real, self.opener, self.vocabulary, progress, cancelled))
            return self._facts(scan)
        finally:
            self._opening.release()

    def list_open_scans(self) -> results.OpenScanList:
        """All open scans."""
        return results.OpenScanList([self._facts(one) for one in self.scans.all()], self.scans.most)

    def close_scan(self, scan_id: str) -> results.Closed:
        """Forget a scan."""
        self.scans.close(scan_id)
        return results.Closed(scan_id, [one.id for one in self.scans.all()])

    def locate(self, scan_id: str, text: str, most_hits: int = 5) -> results.Location:
        """Find what a text names; when it is not clear which structure or side is meant, options and no places."""
        if not 1 <= most_hits <= MOST_HITS:
            raise ValueError(f"expected 1 to {MOST_HITS} hits, got {most_hits}")
        document = documents.answer_document(self._asked(scan_id, text, most_hits), self.vocabulary)
        return cast(results.Location, document)

    def describe_point(
        self, scan_id: str, position_ras: Sequence[float], most_names: int = 5
    ) -> results.PointDescription:
        """Name what lies at a point."""
        scan = self.scans.get(scan_id)
        position = _position(position_ras)
        if not 1 <= most_names <= MOST_HITS:
            raise ValueError(f"expected 1 to {MOST_HITS} names, got {most_names}")
        with scan.lock:
            found = scan.explorer.describe(position, most_names)
        return cast(results.PointDescription, documents.description_document(found, position, self.vocabulary))

    def list_structures(
        self, scan_id: str, progress: Progress, cancelled: Cancelled, containing: str = ""
    ) -> results.StructureList:
        """The structures in the field of view whose name contains a text, with position, extent and presence; computed
        once a scan."""
        scan = self.scans.get(scan_id)
        with scan.lock:
            if scan.structures is None:
                scan.structures = self._structures(scan, progress, cancelled)
        found = scan.structures
        wanted = [one for one in found if containing.strip().casefold() in one["label"].casefold()]
        readout = scan.explorer.index.readout
        threshold = float(readout.presence_threshold)
        return results.StructureList(wanted, len(found), len(readout.concept_ids), threshold)

    def crop_patch(
        self,
        scan_id: str,
        *,
        position_ras: Sequence[float] | None = None,
        structure: str | None = None,
        size_mm: float = 120.0,
        plane: str = "axial",
        window: str = "soft tissue",
        level: float | None = None,
        width: float | None = None,
        letters: bool = True,
        png: str | None = None,
        nifti: str | None = None,
    ) -> tuple[results.PatchFacts, patch.Picture]:
        """A picture around a point, or around the best hit of a structure; written as PNG and NIfTI where asked."""
        scan = self.scans.get(scan_id)
        if scan.volume is None:
            raise ValueError(f"{scan.path.name} is a saved map without voxels: open the scan itself to see a patch")
        section, window_hu = patch.plane_of(plane), patch.window_of(window, level, width)
        position, of, note = self._centre(scan_id, position_ras, structure)
        drawn = patch.picture(scan.volume, position, size_mm, section, *window_hu, letters=letters)
        png_path = nifti_path = shape_ijk = None
        if png is not None:
            png_path = self._write(png, (".png",), lambda path: _save_png(drawn, path))
        if nifti is not None:
            crop = patch.crop(scan.volume, position, size_mm)
            nifti_path = self._write(nifti, (".nii", ".nii.gz"), lambda path: write_volume(crop, path))
            k, j, i = crop.array_kji.shape
            shape_ijk = i, j, k
        facts = results.PatchFacts(
            documents.position(position), in_words(position), of, note, size_mm, section.name, *window_hu,
            round(drawn.pixel_mm, 4), *drawn.letters, CONVENTION, png_path, nifti_path, shape_ijk,
        )  # fmt: skip
        return facts, drawn

    def match_point(self, scan_id: str, position_ras: Sequence[float], other_scan_id: str) -> results.PointMatch:
        """Where a point of one open scan lies in another."""
        scan, other = self.scans.get(scan_id), self.scans.get(other_scan_id)
        if scan is other:
            raise ValueError(f"expected two scans, got {scan_id} twice")
        position = _position(position_ras)
        with scan.lock:
            found = scan.matcher_to(other)(position)
        confidence, there = float(found.confidence[0]), found.positions_ras[0]
        if not scan.explorer.map.inside_body(position)[0]:
            advice = "the point lies outside the body, so the match means nothing"
        else:
            advice = "" if confidence >= UNSURE_MATCH else "the match is uncertain: look at both places"
        return results.PointMatch(
            scan_id, documents.position(position), other_scan_id, documents.position(there), in_words(there),
            documents.probability(confidence), round(float(found.round_trip_mm[0]), 2), advice,
        )  # fmt: skip

    def read_report(
        self, scan_id: str, text: str, progress: Progress, cancelled: Cancelled
    ) -> results.ReportOnScan:
        """Look for everything that a radiology report mentions, and choose the slices worth a look."""
        scan = self.scans.get(scan_id)

        def tell(stage: str, fraction: float) -> None:
            cancelled()
            progress(stage, fraction)

        with scan.lock:
            reading = read_report(scan.explorer, text, progress=tell)
            return cast(results.ReportOnScan, documents.reading_document(reading, scan.explorer, scan.volume))

    def save_findings(self, scan_id: str, findings: Sequence[Finding], path: str) -> results.SavedFindings:
        """Write places in a scan as a markups file of 3D Slicer; nothing is written if one lies outside the scan."""
        scan = self.scans.get(scan_id)
        if not 1 <= len(findings) <= MOST_FINDINGS:
            raise ValueError(f"expected 1 to {MOST_FINDINGS} findings, got {len(findings)}")
        for one in findings:
            if not one.name.strip() or len(one.name) > MOST_NAME or len(one.note) > MOST_NOTE:
                raise ValueError(
                    f"expected a name of 1 to {MOST_NAME} and a note of at most {MOST_NOTE} characters, "
                    f"got {len(one.name)} and {len(one.note)}"
                )
            # A position in LPS, or of another scan, mostly lies outside.
            scan.explorer.map.ras_to_kji(_position(one.position_ras))
        written = self._write(path, (SUFFIX,), lambda real: write_markups(findings, real))
        return results.SavedFindings(written, len(findings))

    def _structures(
        self, scan: OpenScan, progress: Progress, cancelled: Cancelled
    ) -> list[results.StructureInView]:
        index, body = scan.explorer.index, scan.explorer.map.body_kji
        ids = index.readout.concept_ids
        found: list[results.StructureInView] = []
        for number, concept in enumerate(ids):
            cancelled()
            if number % 10 == 0:
                progress(f"Looking for structure {number + 1} of {len(ids)}", number / len(ids))
            search = index.search(concept, 1)
            if search.found:
                extent = extent_of(index.probability_kji(concept), scan.explorer.map.ijk_to_ras, body)
                bounds = results.Box(documents.position(extent.low_ras), documents.position(extent.high_ras))
                place = documents.place_document(search.hits[0], self.vocabulary)
                one = {**place, "bounds": bounds, "cut_off": extent.cut_off}
                found.append(cast(results.StructureInView, one))
        return sorted(found, key=lambda one: -one["position_ras_mm"][2])

    def _centre(self, scan_id: str, position_ras: Sequence[float] | None, structure: str | None):
        """The point that a patch is cut out around, and what it is of; ValueError unless exactly one is clear."""
        if position_ras is not None and structure is None:
            return _position(position_ras), "a point", ""
        if structure is None or position_ras is not None:
            raise ValueError("expected either a position or the name of a structure")
        answer = self._asked(scan_id, structure, 1)
        if answer.decision != GO:
            names = ", ".join(one.name for one in answer.options or answer.suggestions)
            raise ValueError(f"no patch: {answer.reason}" + (f" (options: {names})" if names else ""))
        return answer.places[0].position_ras, answer.places[0].label, answer.words

    def _asked(self, scan_id: str, text: str, most: int) -> Answer:
        scan = self.scans.get(scan_id)
        if not text.strip() or len(text) > MOST_TEXT:
            raise ValueError(f"expected a text of 1 to {MOST_TEXT} characters, got {len(text)}")
        with scan.lock:
            return scan.explorer.locate(text, most)

    def _write(self, name: str, suffixes: tuple[str, ...], write: Callable[[Path], None]) -> str:
        with self.folders.writing(name, suffixes) as path:
            write(path)
        return str(path)

    def _facts(self, scan: OpenScan) -> results.ScanFacts:
        shape_kji, ijk_to_ras = scan.grid
        k, j, i = shape_kji
        along_i, along_j, along_k = (round(float(value), 4) for value in spacing_mm(ijk_to_ras))
        low, high = bounds_ras(shape_kji, ijk_to_ras)
        able = ["locate", "describe_point", "list_structures", "match_point", "read_report", "save_findings"]
        return results.ScanFacts(
            scan.id, str(scan.path), scan.modality, (int(i), int(j), int(k)), (along_i, along_j, along_k),
            results.Box(documents.position(low), documents.position(high)), scan.volume is not None,
            scan.explorer.map.encoder_id, len(scan.explorer.checkpoint.readout.concept_ids),
            able + ["crop_patch"] * (scan.volume is not None), list(scan.warnings),
        )  # fmt: skip


def _position(values: Sequence[float]) -> np.ndarray:
    try:
        position = np.asarray(values, np.float64)
    except (TypeError, ValueError):
        position = np.empty(0)
    if position.shape != (3,) or not np.isfinite(position).all():
        raise ValueError(f"expected a RAS position of three finite numbers in mm, got {str(values)[:100]}")
    return position


def _entry(path: Path) -> results.FileEntry:
    if path.is_dir():
        return results.FileEntry(str(path), "folder", None)
    return results.FileEntry(str(path), "file", round(path.stat().st_size / 1e6, 2))


def _save_png(drawn: patch.Picture, path: Path) -> None:
    with replacing(path) as temporary:
        drawn.image.save(temporary, format="PNG")
