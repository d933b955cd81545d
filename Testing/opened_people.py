"""A scan with its voxels and a planted map, and tools that open it without a network."""

from functools import cache

import numpy as np
from anatembed.ask.explorer import Explorer
from anatembed.language.vocabulary import Vocabulary
from anatembed.maps.opening import ScanOpener
from anatembed.serve.allowed_folders import AllowedFolders
from anatembed.serve.open_scans import OpenScan
from anatembed.serve.scan_tools import ScanTools
from phantoms import torso
from planted import CENTRES_RAS, planted_checkpoint, planted_map

HERE = [([name], centre) for name, centre in CENTRES_RAS.items() if name != "spleen"]


def planted_embed(volume, checkpoint, *, device, force, progress, cancelled):
    """In place of the network: the planted people without a spleen, at their places whatever the scan shows."""
    for step in range(4):
        if cancelled is not None:
            cancelled()
        progress("Embedding", step / 4)
    return planted_map(HERE, encoder_id=checkpoint.encoder_id)


def opened(path, *, voxels: bool = True) -> OpenScan:
    """An open scan without a file."""
    volume = torso().volume if voxels else None
    return OpenScan(path, (0, 0), Explorer(planted_map(HERE), planted_checkpoint(), _vocabulary()), volume)


@cache
def _vocabulary() -> Vocabulary:
    return Vocabulary.load()


def tools_for(*folders, output=None, embed=planted_embed, scans=None) -> ScanTools:
    opener = ScanOpener(planted_checkpoint(), embed=embed)
    return ScanTools(AllowedFolders(folders, output), opener, scans)


def silent(stage: str, fraction: float) -> None:
    """Progress that nobody reads."""
    assert 0 <= fraction <= 1, stage


def never() -> bool:
    return False


def near(position, expected, within: float = 6.0) -> bool:
    return float(np.linalg.norm(np.asarray(position) - np.asarray(expected))) <= within
