"""How far embedding in blocks differs from one pass, for several margins; and the memory of one pass.

python scripts/benchmarks/blocks.py

The bundled scan is mirrored to a long body, so that blocks are needed. Codes of the body are compared in float32.
"""
import resource

import numpy as np
import torch
from anatembed.maps.inference import BYTES_PER_VOXEL, HALO_VOXELS, build_encoder, encode
from anatembed.model.checkpoint import load_checkpoint
from anatembed.model.preprocessing import PreparedVolume, prepare
from anatembed.scan.files import read_volume
from anatembed.serve.demo import SCAN

BLOCK_PLANES = 64


def main() -> None:
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
    print(f"{hu.shape[0]} planes of 3 mm; one pass took {grown:.0f} bytes per voxel; "
          f"standard deviation of a code {whole[:, inside].std():.2f}")
    print(f"{'margin':>8} {'largest':>9} {'99.9 %':>9}")
    for halo in sorted({32, 64, HALO_VOXELS, 128}):
        budget = plane * (BLOCK_PLANES + 2 * halo)
        parts = encode(long_scan, encoder, torch.float32, budget, halo=halo).astype(np.float32)
        difference = np.abs(parts - whole)[:, inside]
        print(f"{halo:8} {difference.max():9.4f} {np.quantile(difference, 0.999):9.4f}")


if __name__ == "__main__":
    main()
