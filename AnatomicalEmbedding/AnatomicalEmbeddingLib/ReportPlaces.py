"""The places of a report that was read, carried along with a scan that was moved after it was embedded."""

from dataclasses import replace

import numpy as np


def movedReading(reading, motion: np.ndarray):
    """The ReportReading with every position moved by a 4x4 matrix."""
    mentions = [replace(one, choices=tuple(_movedChoice(choice, motion) for choice in one.choices))
                for one in reading.mentions]
    slices = [replace(one, position_ras=_moved(one.position_ras, motion)) for one in reading.slices]
    return replace(reading, mentions=mentions, slices=slices)


def _movedChoice(choice, motion):
    if choice.hit is None:
        return choice
    return replace(choice, hit=replace(choice.hit, position_ras=_moved(choice.hit.position_ras, motion)))


def _moved(position_ras, motion) -> np.ndarray:
    return (motion @ [*position_ras, 1.0])[:3]
