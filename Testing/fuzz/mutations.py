"""Good scans of every kind of file, and seeded changes that damage them as disks, networks and people do."""

import random
import re
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import SimpleITK as sitk
from anatembed.scan.files import write_volume
from anatembed.scan.volume import Volume
from anatembed.scan.volume_file import save_volume
from phantoms import torso
from zipped_scans import dicom_slices, zipped

_HEADER_BYTES = 600
_MOST_BLOCK_BYTES = 2000
_EXTREMES = [b"0", b"-1", b"99999", b"2147483648", b"9" * 400, b"nan", b"-inf", b"1e999", b"", b"\0", b"../x", b"\xff"]
_WORD = re.compile(rb"[-\w./]+")


def small_scan() -> Volume:
    """A phantom of 8 mm voxels, with noise."""
    volume = torso("as DICOM stores it").volume
    values = volume.array_kji + np.random.default_rng(0).normal(0, 8, volume.array_kji.shape)
    return Volume(values.astype(np.int16)[::2, ::2, ::2], volume.ijk_to_ras @ np.diag([2, 2, 2, 1.0]), "CT")


def write_good(folder: Path) -> list[Path]:
    """One file of every kind that is read."""
    volume = small_scan()
    paths = [folder / f"good{suffix}" for suffix in (".nii", ".nii.gz", ".nrrd", ".mha")]
    for path in paths:
        write_volume(volume, path)
    plain = folder / "plain.nrrd"
    sitk.WriteImage(sitk.ReadImage(str(folder / "good.mha")), str(plain), useCompression=False)
    second = folder / "second.nii"
    nibabel.save(nibabel.Nifti2Image(volume.array_kji.T, volume.ijk_to_ras), second)
    save_volume(volume, folder / "good.npz")
    (folder / "slices").mkdir()
    slices = dicom_slices(folder / "slices", volume)
    (folder / "slice.dcm").write_bytes(slices["slice0.dcm"])
    zipped(folder / "series.zip", slices)
    zipped(folder / "image.zip", {"a.nii": paths[0].read_bytes()})
    more = [folder / name for name in ("good.npz", "slice.dcm", "series.zip", "image.zip")]
    return [*paths, plain, second, *more]


def mutated(content: bytes, chance: random.Random) -> bytes:
    """One to four changes."""
    for _ in range(chance.randint(1, 4)):
        content = chance.choice(_CHANGES)(content, chance)
    return content


def _place(content: bytes, chance: random.Random) -> int:
    """Mostly in the header, where most harm is done."""
    end = min(len(content), _HEADER_BYTES) if chance.random() < 0.7 else len(content)
    return chance.randrange(max(1, end))


def _change_bytes(content: bytes, chance: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(chance.randint(1, 8)):
        if changed:
            changed[_place(content, chance)] = chance.choice((0, 255, 128, 127, chance.randrange(256)))
    return bytes(changed)


def _cut(content: bytes, chance: random.Random) -> bytes:
    return content[: _place(content, chance)]


def _remove(content: bytes, chance: random.Random) -> bytes:
    at = _place(content, chance)
    return content[:at] + content[at + chance.randint(1, _MOST_BLOCK_BYTES) :]


def _repeat(content: bytes, chance: random.Random) -> bytes:
    at, length = _place(content, chance), chance.randint(1, _MOST_BLOCK_BYTES)
    return content[: at + length] + content[at:]


def _replace_word(content: bytes, chance: random.Random) -> bytes:
    words = list(_WORD.finditer(content[: 2 * _HEADER_BYTES]))
    if not words:
        return content
    word = chance.choice(words)
    return content[: word.start()] + chance.choice(_EXTREMES) + content[word.end() :]


def _replace_number(content: bytes, chance: random.Random) -> bytes:
    size = chance.choice((2, 4, 8))
    number = chance.choice((0, 1, -1, 2 ** (8 * size - 1) - 1, -(2 ** (8 * size - 1)))) % 2 ** (8 * size)
    at = _place(content, chance) // size * size
    return content[:at] + number.to_bytes(size, chance.choice(("little", "big"))) + content[at + size :]


_CHANGES: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _change_bytes, _change_bytes, _replace_word, _replace_number, _replace_number, _cut, _remove, _repeat,
)  # fmt: skip
