"""What an embedding map takes on disk in several ways of writing it, and what each way changes in the answers.

python scripts/benchmarks/map_storage.py [--terms 263] [--output Resources/Evaluation/map_storage.json]

The bundled scan is embedded once. Each way is written to a file and read again, timed in seconds of this process alone
(best of five). Then every term that the model has learnt is searched, and positions within the body are named, half of
them at its rim; the table says how far that is from the answers of the codes as the model gave them. "Rim" is one voxel
around the body, which positions at the skin are interpolated with. "Each rounded otherwise" is what rounding to float16
alone may change: a few structures have several places that are equally good, and any rounding decides between them.
The last row is what the library writes.
"""
from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from anatembed.ask.index import QueryIndex
from anatembed.geometry import transform_points
from anatembed.maps.embedding_map import EmbeddingMap, kept_voxels
from anatembed.maps.inference import build_encoder, choose_precision, embed, encode
from anatembed.model.checkpoint import load_checkpoint
from anatembed.model.preprocessing import prepare
from anatembed.model.readout import Readout
from anatembed.npz_file import save_arrays
from anatembed.scan.files import read_volume
from anatembed.serve.demo import SCAN
from scipy import ndimage

OUTPUT = Path(__file__).resolve().parents[2] / "Resources" / "Evaluation" / "map_storage.json"
POSITIONS, HITS, TIMES = 4000, 5, 5
Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Way:
    """`pack` turns codes (N,C) float32 of the kept voxels into arrays, `unpack` turns them back."""

    name: str
    pack: Callable[[np.ndarray], Arrays]
    unpack: Callable[[Arrays], np.ndarray]
    kept: Callable[[np.ndarray], np.ndarray] = kept_voxels
    compressed: bool = False

    def save(self, path: Path, whole: EmbeddingMap) -> None:
        codes = whole.latents(self.kept(whole.body_kji))
        save_arrays(path, compressed=self.compressed, body=np.packbits(whole.body_kji), hu=whole.hu_kji,
                    ijk_to_ras=whole.ijk_to_ras, **self.pack(codes))

    def load(self, path: Path, like: EmbeddingMap) -> EmbeddingMap:
        with np.load(path) as file:
            arrays = {name: file[name] for name in file.files}
        body = np.unpackbits(arrays["body"], count=like.body_kji.size).reshape(like.shape_kji).astype(bool)
        kept = self.kept(body)
        codes = self.unpack(arrays)
        features = np.zeros((codes.shape[1], *like.shape_kji), np.float32)
        features[:, kept] = codes.T
        return replace(like, features_ckji=features, body_kji=body, hu_kji=arrays["hu"])


class Shipped(Way):
    """As the library does it."""

    def save(self, path: Path, whole: EmbeddingMap) -> None:
        whole.save(path)

    def load(self, path: Path, like: EmbeddingMap) -> EmbeddingMap:
        return EmbeddingMap.load(path)


def ways() -> list[Way]:
    def half(codes: np.ndarray) -> Arrays:
        return {"codes": codes.astype(np.float16)}

    def read(arrays: Arrays) -> np.ndarray:
        return arrays["codes"].astype(np.float32)

    return [
        Way("float16, every voxel", half, read, everything),
        Way("float16, body without rim", half, read, lambda body: body),
        Way("float16, body and rim", half, read),
        Way("float16, each rounded otherwise", otherwise, read),
        Way("float16, deflated", half, read, compressed=True),
        Way("int8, a scale for each channel", lambda codes: scaled(codes, 0), unscaled),
        Way("int8, a scale for each voxel", lambda codes: scaled(codes, 1), unscaled),
        Way("int8 of principal components", components(lambda codes: scaled(codes, 0)), back(unscaled)),
        *(Way(f"steps of 1/{n}, bytes apart, deflated", stepped(n), unstepped, compressed=True)
          for n in (256, 512, 1024, 2048)),
        Way("the same of principal components", components(stepped(1024)), back(unstepped), compressed=True),
        Shipped("as the library writes it", half, read),
    ]  # fmt: skip


def otherwise(codes: np.ndarray) -> Arrays:
    """What a network that gives nearly the same may be rounded to: codes moved within the half step of a float16."""
    half_step = np.spacing(np.abs(codes).astype(np.float16)).astype(np.float32) / 2
    return {"codes": codes + half_step * np.random.default_rng(1).uniform(-1, 1, codes.shape).astype(np.float32)}


def everything(body_kji: np.ndarray) -> np.ndarray:
    return np.ones_like(body_kji)


def scaled(codes: np.ndarray, axis: int) -> Arrays:
    """int8 of codes (N,C) with one scale for all that `axis` runs along."""
    scale = np.maximum(np.abs(codes).max(axis=axis, keepdims=True), 1e-6) / 127
    return {"codes": np.rint(codes / scale).astype(np.int8), "scale": scale.astype(np.float32)}


def unscaled(arrays: Arrays) -> np.ndarray:
    return arrays["codes"] * arrays["scale"]


def stepped(per_unit: int) -> Callable[[np.ndarray], Arrays]:
    """int16 in steps of 1/per_unit, channel by channel; high bytes compress well, low ones hardly."""
    def pack(codes: np.ndarray) -> Arrays:
        steps = np.ascontiguousarray(np.rint(codes.T * per_unit).astype("<i2"))
        low, high = np.moveaxis(steps.view(np.uint8).reshape(*steps.shape, 2), -1, 0)
        return {"low": np.ascontiguousarray(low), "high": np.ascontiguousarray(high), "per_unit": np.array(per_unit)}

    return pack


def unstepped(arrays: Arrays) -> np.ndarray:
    steps = np.stack([arrays["low"], arrays["high"]], axis=-1).view("<i2")[..., 0]
    return (steps / np.float32(arrays["per_unit"])).T


def components(pack: Callable[[np.ndarray], Arrays]) -> Callable[[np.ndarray], Arrays]:
    """`pack` of the principal components of codes."""
    def rotated(codes: np.ndarray) -> Arrays:
        mean = codes.mean(axis=0)
        _, axes = np.linalg.eigh(np.cov((codes - mean).T))
        axes = axes.astype(np.float32)
        return {**pack((codes - mean) @ axes), "mean": mean, "axes": axes}

    return rotated


def back(unpack: Callable[[Arrays], np.ndarray]) -> Callable[[Arrays], np.ndarray]:
    return lambda arrays: unpack(arrays) @ arrays["axes"].T + arrays["mean"]


@dataclass(frozen=True)
class Answers:
    """Searches of all terms, and names (N,K) of positions."""

    searches: list
    names: np.ndarray


def answers(embedding_map: EmbeddingMap, readout: Readout, terms: tuple[str, ...], positions: np.ndarray) -> Answers:
    index = QueryIndex(embedding_map, readout, embedding_map.encoder_id)
    return Answers([index.search(term, HITS) for term in terms], index.name_probabilities(positions))


def positions_within(embedding_map: EmbeddingMap, amount: int) -> np.ndarray:
    """Random positions (N,3) within the body, off the voxel centres, half of them at the rim."""
    random = np.random.default_rng(0)
    body = embedding_map.body_kji
    rim = body & ~ndimage.binary_erosion(body, np.ones((3, 3, 3)), border_value=1)
    found = []
    for voxels in (body, rim):
        kji = np.argwhere(voxels)
        kji = kji[random.choice(len(kji), 2 * amount)] + random.uniform(-0.99, 0.99, (2 * amount, 3))
        kji = np.clip(kji, 0, np.array(body.shape) - 1)
        ras = transform_points(embedding_map.ijk_to_ras, kji[:, ::-1])
        found.append(ras[embedding_map.inside_body(ras)][: amount // 2])
    return np.concatenate(found)


def differences(got: Answers, expected: Answers) -> dict:
    """How far answers are from others; lengths in mm."""
    pairs = list(zip(got.searches, expected.searches, strict=True))
    moved = np.array([apart_mm(a.hits, b.hits) for a, b in pairs])
    found = np.array([b.found for _, b in pairs])
    confidence = [abs(a.hits[0].confidence - b.hits[0].confidence) for a, b in pairs if a.hits and b.hits]
    change = np.abs(got.names - expected.names)
    return {
        "first_hit_moved_most_mm": round(float(moved[found].max()), 3),
        "first_hits_moved_above_0.1_mm": int((moved[found] > 0.1).sum()),
        "of_them_up_to_five": [
            b.concept_id for (_, b), mm in zip(pairs, moved, strict=True) if b.found and mm > 0.1
        ][:5],
        "first_hit_of_what_is_not_found_moved_most_mm": round(float(moved[~found].max(initial=0)), 3),
        "terms_that_are_found_now_or_no_more": int(sum(a.found != b.found for a, b in pairs)),
        "presence_changed_most": round(max(abs(a.presence - b.presence) for a, b in pairs), 5),
        "confidence_changed_most": round(max(confidence), 5),
        "name_probability_changed_most": round(float(change.max()), 5),
        "first_names_changed": int((got.names.argmax(axis=1) != expected.names.argmax(axis=1)).sum()),
    }


def apart_mm(hits: list, others: list) -> float:
    """Between the first of each; infinite if only one has any."""
    if not hits or not others:
        return 0.0 if not hits and not others else float("inf")
    return float(np.linalg.norm(hits[0].position_ras - others[0].position_ras))


def seconds(action: Callable[[], object]) -> float:
    """Processor time of the best of several calls."""
    taken = []
    for _ in range(TIMES):
        began = time.process_time()
        action()
        taken.append(time.process_time() - began)
    return round(min(taken), 3)


def measure(way: Way, whole: EmbeddingMap, folder: Path, ask: Callable[[EmbeddingMap], Answers], expected: Answers):
    path = folder / "map.npz"
    saving = seconds(lambda: way.save(path, whole))
    loading = seconds(lambda: way.load(path, whole))
    facts = {"way": way.name, "megabytes": round(path.stat().st_size / 1e6, 2), "save_s": saving, "load_s": loading}
    return facts | differences(ask(way.load(path, whole)), expected)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--terms", type=int, help="ask only for so many of the terms (default: all)")
    arguments.add_argument("--only", default="", help="only ways whose name contains this")
    arguments.add_argument("--output", type=Path, default=OUTPUT)
    options = arguments.parse_args()
    checkpoint = load_checkpoint()
    readout = checkpoint.readout
    scan = read_volume(SCAN)
    encoder, precision = build_encoder(checkpoint), choose_precision(torch.device("cpu"))
    codes = encode(prepare(scan, checkpoint.preprocessing), encoder, precision, 2**62)
    whole = replace(embed(scan, checkpoint, device="cpu"), features_ckji=codes)
    terms = readout.concept_ids[: options.terms]
    positions = positions_within(whole, POSITIONS)

    def ask(embedding_map: EmbeddingMap) -> Answers:
        return answers(embedding_map, readout, terms, positions)

    expected = ask(whole)
    found = sum(search.found for search in expected.searches)
    facts = {"shape_kji": list(whole.shape_kji), "channels": whole.features_ckji.shape[0],
            "body_voxels": int(whole.body_kji.sum()), "kept_voxels": int(kept_voxels(whole.body_kji).sum()),
            "terms": len(terms), "found": found, "positions": len(positions)}
    sys.stdout.write(f"{facts}\n{'':40}{'MB':>7}{'save s':>8}{'load s':>8}{'mm':>8}{'moved':>6}{'confid.':>9}"
                     f"{'name p':>9}{'names':>6}\n")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for way in ways():
            if options.only not in way.name:
                continue
            row = measure(way, whole, Path(folder), ask, expected)
            rows.append(row)
            sys.stdout.write(
                f"{row['way']:40}{row['megabytes']:7.2f}{row['save_s']:8.2f}{row['load_s']:8.2f}"
                f"{row['first_hit_moved_most_mm']:8.2f}{row['first_hits_moved_above_0.1_mm']:6}"
                f"{row['confidence_changed_most']:9.4f}{row['name_probability_changed_most']:9.4f}"
                f"{row['first_names_changed']:6}\n"
            )
            sys.stdout.flush()
    options.output.write_text(json.dumps({"scan": facts, "ways": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
