"""Time and peak memory of embedding a 512x512x400 CT, beside a sliding-window segmenter, and of one more query.

python scripts/benchmarks/embed.py [--repeat 3] [-o Resources/Evaluation/embed.json]

The scan is the bundled one resampled to 512x512x400. Each row runs in a process of its own, so that its peak memory
(resident set, with Python and its libraries) is its own. The alternative is MONAI's sliding-window inference (128^3
windows, half overlap, Gaussian weights) of a DynUNet of nnU-Net's widths with 105 classes and random weights at 3 mm,
at the same precision, after the same preparation.
"""
from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from anatembed.output_file import write_text

SHAPE_KJI = (400, 512, 512)
LABELS = {
    "prepare": "preparation alone (3 mm grid, body)",
    "embedding": "embedding, whole (preparation, model, map)",
    "sliding": "sliding-window segmenter, whole (preparation, network, labels)",
}
CLASSES = 105


def large_scan():
    """The bundled scan resampled to SHAPE_KJI as int16."""
    from anatembed.scan.files import read_volume
    from anatembed.scan.volume import Volume
    from anatembed.serve.demo import SCAN
    from scipy import ndimage

    scan = read_volume(SCAN)
    factors = np.array(SHAPE_KJI) / scan.array_kji.shape
    array = ndimage.zoom(scan.array_kji, factors, order=1, output=np.int16, grid_mode=True, mode="nearest")
    step = np.diag([*(1 / factors[::-1]), 1.0])
    step[:3, 3] = (1 / factors[::-1] - 1) / 2
    return Volume(array, scan.ijk_to_ras @ step, "CT", "512x512x400")


def run_prepare(volume, checkpoint) -> dict:
    from anatembed.model.preprocessing import prepare

    began = time.perf_counter()
    prepare(volume, checkpoint.preprocessing)
    return {"seconds": time.perf_counter() - began}


def run_embedding(volume, checkpoint) -> dict:
    from anatembed.ask.explorer import Explorer
    from anatembed.maps.inference import embed

    began = time.perf_counter()
    embedding_map = embed(volume, checkpoint, device="cpu")
    seconds = time.perf_counter() - began
    explorer = Explorer(embedding_map, checkpoint)
    explorer.locate("liver")
    queries = []
    for text in ("spleen", "left kidney", "aorta", "gallbladder", "T12"):
        began = time.perf_counter()
        explorer.locate(text)
        queries.append(time.perf_counter() - began)
    return {"seconds": seconds, "query_ms": 1000 * float(np.median(queries))}


def run_sliding(volume, checkpoint) -> dict:
    import torch
    from anatembed.maps.inference import choose_precision
    from anatembed.model.preprocessing import prepare
    from monai.inferers import sliding_window_inference
    from monai.networks.nets import DynUNet

    network = DynUNet(
        3, 1, CLASSES, kernel_size=[3] * 5, strides=[1, 2, 2, 2, 2], upsample_kernel_size=[2] * 4,
        filters=[32, 64, 128, 256, 320],
    ).eval()
    precision = choose_precision(torch.device("cpu"))
    began = time.perf_counter()
    prepared = prepare(volume, checkpoint.preprocessing)
    x = torch.from_numpy(prepared.array_kji / 1000)[None, None]
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == torch.bfloat16):
        scores = sliding_window_inference(x, (128, 128, 128), 1, network, overlap=0.5, mode="gaussian")
    scores.argmax(dim=1).to(torch.uint8)
    return {"seconds": time.perf_counter() - began}


RUNS = {"prepare": run_prepare, "embedding": run_embedding, "sliding": run_sliding}


def measure(name: str) -> dict:
    """One run in this process, with its peak resident set."""
    from anatembed.model.checkpoint import load_checkpoint

    checkpoint = load_checkpoint()
    # Made in a process of its own, whose memory does not count.
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        volume = pool.apply(large_scan)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    result = RUNS[name](volume, checkpoint)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return result | {"input_gb": before / 1e6, "peak_gb": peak / 1e6}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--repeat", type=int, default=3)
    arguments.add_argument("-o", "--output", type=Path, metavar="FILE.json", help="keep the figures")
    arguments.add_argument("--only", choices=RUNS, help=argparse.SUPPRESS)
    options = arguments.parse_args()
    if options.only:
        sys.stdout.write(json.dumps(measure(options.only)) + "\n")
        return
    rows = {}
    for name in RUNS:
        results = []
        for _ in range(options.repeat):
            command = [sys.executable, __file__, "--only", name]
            output = subprocess.run(command, capture_output=True, text=True, check=True)
            results.append(json.loads(output.stdout.splitlines()[-1]))
        rows[name] = {"label": LABELS[name]} | min(results, key=lambda result: result["seconds"])
    figures = {
        "machine": machine(), "repeat": options.repeat, "scan": "512x512x400 int16", "rows": rows,
        "ratio": rows["sliding"]["seconds"] / rows["embedding"]["seconds"],
    }
    print("\n".join(table(figures)))
    if options.output:
        write_text(options.output, json.dumps(figures, indent=1) + "\n")


def machine() -> str:
    """What the figures were measured on."""
    import torch
    from anatembed.maps.inference import choose_precision

    precision = str(choose_precision(torch.device("cpu"))).removeprefix("torch.")
    return f"{multiprocessing.cpu_count()} CPU cores, {precision}"


def table(figures: dict) -> list[str]:
    """The figures for people."""
    rows = figures["rows"]
    lines = [f"best of {figures['repeat']}; {figures['scan']}, {figures['machine']}",
             f"{'':62} {'seconds':>8} {'peak GB':>8} {'before GB':>10}"]
    lines += [f"{row['label']:62} {row['seconds']:8.2f} {row['peak_gb']:8.2f} {row['input_gb']:10.2f}"
              for row in rows.values()]
    return [*lines, f"ratio of the segmenter to the embedding: {figures['ratio']:.1f}",
            f"one more query: {rows['embedding']['query_ms']:.1f} ms (median of five)"]


if __name__ == "__main__":
    main()
