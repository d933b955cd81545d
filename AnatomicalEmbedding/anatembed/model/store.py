"""Which model is used: the shipped one, or one that was imported into a folder."""
from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from anatembed.model.checkpoint import DEFAULT_PATH, Checkpoint, load_checkpoint
from anatembed.output_file import make_folder, replacing

IMPORTED = "imported-model.npz"
LICENCE = "Apache-2.0"
OWN_LICENCE = "as its maker says"


class ModelStore:
    """Keeps at most one imported model in a folder; without it the shipped model is used."""

    def __init__(self, folder: Path | str):
        self.folder = Path(folder)

    @property
    def imported(self) -> Path:
        return self.folder / IMPORTED

    def path(self) -> Path:
        """File of the model in use."""
        return self.imported if self.imported.is_file() else DEFAULT_PATH

    def load(self) -> Checkpoint:
        """The model in use; ValueError when its file is damaged."""
        return load_checkpoint(self.path())

    def import_file(self, path: Path | str, sha256: str = "") -> Checkpoint:
        """Copy a model file into the folder and use it from now on.

        ValueError when it is no model, or when its SHA-256 is not the one that was expected (given as hexadecimal
        digits, also with spaces or capitals); the model in use then stays as it was.
        """
        path = Path(path)
        checkpoint = load_checkpoint(path)
        expected, actual = "".join(sha256.split()).lower(), hashlib.sha256(path.read_bytes()).hexdigest()
        if expected and expected != actual:
            raise ValueError(f"expected a file with the SHA-256 {expected}, {path.name} has {actual}")
        make_folder(self.folder)
        if not (self.imported.exists() and path.samefile(self.imported)):
            with replacing(self.imported) as temporary:
                shutil.copyfile(path, temporary)
        return checkpoint

    def use_shipped(self) -> None:
        """Remove the imported model."""
        self.imported.unlink(missing_ok=True)

    def facts(self) -> dict:
        """name, encoder_id, path, bytes, concepts, licence and card (plain text) of the model in use."""
        path, checkpoint = self.path(), self.load()
        shipped = path == DEFAULT_PATH
        return {
            "name": "Model of this extension" if shipped else "Imported model",
            "encoder_id": checkpoint.encoder_id,
            "path": str(path),
            "bytes": path.stat().st_size,
            "concepts": len(checkpoint.readout.concept_ids),
            "licence": LICENCE if shipped else OWN_LICENCE,
            "card": card(checkpoint),
        }


def card(checkpoint: Checkpoint) -> str:
    """What a model says of itself: what it is for, and what it was trained and calibrated on."""
    origin, grid = checkpoint.provenance, checkpoint.preprocessing
    lines = [
        "For research only. Not a medical device, not for diagnosis or treatment.",
        f"Knows {len(checkpoint.readout.concept_ids)} structures in CT of adults, on a grid of {grid.spacing_mm:g} mm.",
    ]
    if origin.get("people"):
        sources = ", ".join(origin.get("sources", [])) or "no source named"
        lines.append(f"Trained on {origin['people']} people ({sources}), {origin.get('steps', 0)} steps.")
    if begun := origin.get("begun_with"):
        lines.append(f"Begun with the weights of {begun}.")
    if people := origin.get("calibration", {}).get("people"):
        lines.append(f"Confidences were calibrated on views of {people} of these people, not on others.")
    lines.append("Limits, and figures on scans that it was not trained on: Resources/MODEL_CARD.md of the extension.")
    return "\n".join(lines)
