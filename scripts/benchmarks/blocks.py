"""How far embedding in blocks differs from one pass, for several margins; and the memory of one pass.

python scripts/benchmarks/blocks.py [-o FILE.json]

The bundled scan is mirrored to a long body, so that blocks are needed. Codes of the body are compared in float32.
"""
import argparse
import json
import resource
from pathlib import Path

import numpy as np
import torch
from anatembed.maps.inference import BYTES_PER_VOXEL, HALO_VOXELS, build_encoder, encode
from anatembed.model.checkpoint import load_checkpoint
from anatembed.model.preprocessing import PreparedVolume, prepare
from anatembed.output_file import write_text
from anatembed.scan.files import read_volume
from anatembed.serve.demo import SCAN

BLOCK_PLANES = 64


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("-o", "--output", type=Path, metavar="FILE.json", help="keep the figures")
    options = arguments.parse_args()
    checkpoint = load_checkpoint()
    encoder = build_encoder(checkpoint).to(memory_format=torch.channels_last_3d)
    scan = prepare(read_volume(SCAN), checkpoint.preprocessing)
    hu = np.concatenate([scan.array_kji, scan.array_kji[::-1], scan.array_kji])
    body = np.concatenate([scan.body_kji, scan.body_kji[::-1], scan.body_kji])
    long_scan = PreparedVolume(hu, scan.ijk_to_ras, body)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    whole = encode(long_scan, encoder, torch.float32, 2**62).astype(np.float32)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / hu.size
    inside = body[::2, ::2, ::2]
    plane = BYTES_PER_VOXEL[torch.float32] * int(np.prod([-(-n // 32) * 32 for n in hu.shape[1:]]))
    margins = {}
    for halo in sorted({32, 64, HALO_VOXELS, 128}):
        budget = plane * (BLOCK_PLANES + 2 * halo)
        parts = encode(long_scan, encoder, torch.float32, budget, halo=halo).astype(np.float32)
        difference = np.abs(parts - whole)[:, inside]
        margins[halo] = {"largest": float(difference.max()), "99.9 %": float(np.quantile(difference, 0.999))}
    figures = {"planes": hu.shape[0], "bytes_per_voxel": grown, "code_sd": float(whole[:, inside].std()),
               "margins": margins}
    print(f"{figures['planes']} planes of 3 mm; one pass took {grown:.0f} bytes per voxel; "
          f"standard deviation of a code {figures['code_sd']:.2f}")
    print(f"{'margin':>8} {'largest':>9} {'99.9 %':>9}")
    for halo, row in margins.items():
        print(f"{halo:8} {row['largest']:9.4f} {row['99.9 %']:9.4f}")
    if options.output:
        write_text(options.output, json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
