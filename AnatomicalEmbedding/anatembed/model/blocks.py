"""The division of a volume along its first axis into blocks with margins."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Blocks:
    """`planes` planes in blocks of `core`, each computed with `margin` more on both sides where there are as many.

    All are multiples of `stride`.
    """

    planes: int
    core: int
    margin: int
    stride: int

    def __iter__(self) -> Iterator[tuple[int, int, int, int]]:
        """(first, start, stop, last) of each block: first..last is computed, start..stop of it is kept."""
        for start in range(0, self.planes, self.core):
            stop = min(start + self.core, self.planes)
            yield max(0, start - self.margin), start, stop, min(self.planes, stop + self.margin)

    @property
    def largest(self) -> int:
        """Planes of the largest block with its margins."""
        return max(last - first for first, _, _, last in self)

    @property
    def computed(self) -> int:
        """Planes that are computed in all."""
        return sum(last - first for first, _, _, last in self)

    def smaller(self) -> "Blocks | None":
        """With the core halved until the largest block is smaller; None if it cannot be."""
        core = self.core
        while core > self.stride:
            core = max(self.stride, core // 2 // self.stride * self.stride)
            blocks = Blocks(self.planes, core, self.margin, self.stride)
            if blocks.largest < self.largest:
                return blocks
        return None


def blocks_within(planes: int, most: int, margin: int, stride: int) -> Blocks:
    """One block if `most` planes are enough, else the largest that need no more, or the smallest that there are."""
    margin = -(-margin // stride) * stride
    core = planes if planes <= most else max(stride, (most - 2 * margin) // stride * stride)
    return Blocks(planes, core, margin, stride)
