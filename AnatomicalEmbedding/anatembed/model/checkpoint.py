"""The checkpoint file: weights, configuration, read-out and provenance in one .npz that needs no torch to open."""
from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from anatembed.model.config import PreprocessingConfig
from anatembed.model.readout import Readout
from anatembed.npz_file import UNREADABLE, content_sha256, save_arrays
from anatembed.shipped_file import shipped_file

FORMAT = "anatembed-checkpoint/2"
READABLE_FORMATS = ("anatembed-checkpoint/1", FORMAT)
"""In the first one all weights are float16; in the present one the large ones are int8, with a step for each output."""
DEFAULT_PATH = shipped_file("model.npz")
READOUT_ARRAYS = ("language", "vectors", "body_mean", "body_covariance", "compatible", "typical_evidence", "presence")
CALIBRATION_ARRAYS = ("hit", "hit_offsets", "naming", "lowest_hu")
"""Read-out that older models lack."""
INT8_FROM = 4096
"""Weights of fewer numbers stay float16: they are biases and norms, which cost nothing and feel every bit."""


@dataclass(frozen=True)
class Checkpoint:
    """A trained model; `encoder_id` names it in maps, so that vectors of two models are never mixed.

    layout: weights of the decoder from a few codes to where the rest of the body lies; empty in the first models.
    """

    weights: dict[str, np.ndarray]
    encoder_config: dict
    preprocessing: PreprocessingConfig
    readout: Readout
    provenance: dict
    sha256: str = ""
    layout: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def encoder_id(self) -> str:
        return encoder_id_of(self.sha256)


def encoder_id_of(sha256: str) -> str:
    """The name of a model in maps, from the SHA-256 of its content."""
    return f"anatembed-{sha256[:12]}"


def save_checkpoint(checkpoint: Checkpoint, path: Path | str) -> str:
    """Write large weights as int8 with a step for each output, others as float16; returns the SHA-256 of the content.

    The digest is stored in the file too, and names the model.
    """
    readout = checkpoint.readout
    arrays = _stored("weight/", checkpoint.weights) | _stored("layout/", checkpoint.layout)
    for name in READOUT_ARRAYS + CALIBRATION_ARRAYS:
        arrays[f"readout/{name}"] = np.asarray(getattr(readout, name), np.float32)
    for number, (weight, bias) in enumerate(readout.coordinate_layers):
        arrays[f"readout/coordinate{number}_weight"] = weight.astype(np.float32)
        arrays[f"readout/coordinate{number}_bias"] = bias.astype(np.float32)
    meta = json.dumps(
        {
            "format": FORMAT,
            "encoder": checkpoint.encoder_config,
            "preprocessing": checkpoint.preprocessing.to_dict(),
            "concept_ids": readout.concept_ids,
            "scale": readout.scale,
            "bias": readout.bias,
            "presence_threshold": readout.presence_threshold,
            "provenance": checkpoint.provenance,
        }
    )
    digest = content_sha256(arrays, meta)
    save_arrays(path, compressed=True, meta=np.array(meta), sha256=np.array(digest), **arrays)
    return digest


def load_checkpoint(path: Path | str | None = None) -> Checkpoint:
    """The model of a file (the shipped one without `path`).

    FileNotFoundError if there is none; ValueError if it is not a checkpoint, of another version, or damaged.
    """
    path = Path(path) if path else DEFAULT_PATH
    content = _arrays_in(path)
    header = _header_in(content, path)
    meta_text = str(content.pop("meta"))
    del content["sha256"]
    actual = content_sha256(content, meta_text)
    if actual != header.sha256:
        raise ValueError(f"{path.name} is damaged: expected SHA-256 {header.sha256[:12]}..., got {actual[:12]}...")
    try:
        return _from_content(content, header.meta, header.sha256)
    except KeyError as cause:
        raise ValueError(f"expected a model of this version, {path.name} lacks {cause}") from cause


@dataclass(frozen=True)
class Header:
    """What a model file says of itself: its configuration, names and provenance, and the SHA-256 of its content."""

    meta: dict
    sha256: str

    @property
    def encoder_id(self) -> str:
        return encoder_id_of(self.sha256)

    @property
    def concept_ids(self) -> tuple[str, ...]:
        """The structures that it has learnt."""
        return tuple(self.meta["concept_ids"])


def read_header(path: Path | str | None = None) -> Header:
    """The header of a file (the shipped model's without `path`), read in a moment; errors as `load_checkpoint`.

    The weights are not read, so that damage to them is not noticed.
    """
    path = Path(path) if path else DEFAULT_PATH
    return _header_in(_arrays_in(path, ("meta", "sha256")), path)


def _header_in(content: dict[str, np.ndarray], path: Path) -> Header:
    if "meta" not in content or "sha256" not in content:
        raise ValueError(f"expected a model file of this software, got another .npz file: {path.name}")
    meta = json.loads(str(content["meta"]))
    if meta.get("format") not in READABLE_FORMATS:
        found = meta.get("format")
        raise ValueError(f"expected a model of format {FORMAT}, {path.name} has {found!r}: another version")
    return Header(meta, str(content["sha256"]))


def _arrays_in(path: Path, names: tuple[str, ...] | None = None) -> dict[str, np.ndarray]:
    """The arrays of a model file, or those of some names that it has."""
    if not path.is_file():
        raise FileNotFoundError(f"expected a model file at {path}, found none")
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files if names is None or name in names}
    except UNREADABLE as cause:
        raise ValueError(f"expected a model file of this software, but {path.name} is damaged or something else: "
                         f"{cause}") from cause


def _from_content(content: dict[str, np.ndarray], meta: dict, sha256: str) -> Checkpoint:
    calibration = {name: content[f"readout/{name}"] for name in CALIBRATION_ARRAYS if f"readout/{name}" in content}
    readout = Readout(
        concept_ids=tuple(meta["concept_ids"]),
        scale=float(meta["scale"]),
        bias=float(meta["bias"]),
        coordinate_layers=(_layer(content, 0), _layer(content, 1)),
        presence_threshold=float(meta["presence_threshold"]),
        **{name: content[f"readout/{name}"] for name in READOUT_ARRAYS},
        **calibration,
    )
    if "hit" not in calibration:
        readout = _found_from_one_half(readout)
    return Checkpoint(
        weights=_under("weight/", content),
        encoder_config=meta["encoder"],
        preprocessing=PreprocessingConfig.from_dict(meta["preprocessing"]),
        readout=readout,
        provenance=meta["provenance"],
        sha256=sha256,
        layout=_under("layout/", content),
    )


def _layer(content: dict[str, np.ndarray], number: int) -> tuple[np.ndarray, np.ndarray]:
    """Weight and bias of a layer that reads body coordinates."""
    return content[f"readout/coordinate{number}_weight"], content[f"readout/coordinate{number}_bias"]


def _stored(prefix: str, weights: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The arrays that keep these weights: int8 and "step/..." (outputs,) float32, or float16.

    An output (the first axis) is rounded to its own 255 steps, symmetric about zero, so that its largest weight is
    exact and its error at most half a step.
    """
    arrays = {}
    for name, value in weights.items():
        if value.ndim < 2 or value.size < INT8_FROM:
            arrays[prefix + name] = value.astype(np.float16)
            continue
        by_output = value.astype(np.float32).reshape(len(value), -1)
        step = np.maximum(np.abs(by_output).max(axis=1), np.finfo(np.float32).tiny * 127) / np.float32(127)
        arrays[prefix + name] = np.rint(by_output / step[:, None]).astype(np.int8).reshape(value.shape)
        arrays[f"step/{prefix}{name}"] = step
    return arrays


def _under(prefix: str, content: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The weights that `_stored` keeps below `prefix`, int8 as float32 again."""
    return {
        key.removeprefix(prefix): _in_steps(value, content[f"step/{key}"]) if value.dtype == np.int8 else value
        for key, value in content.items()
        if key.startswith(prefix)
    }


def _in_steps(value: np.ndarray, step: np.ndarray) -> np.ndarray:
    return value * step.reshape(-1, *(1,) * (value.ndim - 1))


def _found_from_one_half(readout: Readout) -> Readout:
    """The first models counted a structure as found from a presence of their own on: moved to 0.5, same decisions.

    So that a refusal never comes with a probability above one half.
    """
    presence = np.array(readout.presence, np.float64)
    presence[0] -= np.log(readout.presence_threshold / (1 - readout.presence_threshold))
    return replace(readout, presence=presence, presence_threshold=0.5)
