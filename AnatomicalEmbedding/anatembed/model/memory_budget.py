"""Trying again with less when the memory does not suffice."""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

Work = TypeVar("Work")
Result = TypeVar("Result")

_SIGNS = (
    "out of memory", "not enough memory", "can't allocate memory", "cannot allocate memory",
    "failed to allocate memory", "bad_alloc", "status_alloc_failed",
)  # fmt: skip
"""How PyTorch, its libraries and ITK say it in a RuntimeError, in lower case."""


class NotEnoughMemory(MemoryError):  # noqa: N818 - reads as what it is
    """The memory of `device` ("cpu", "cuda" or "mps") does not suffice, even for the smallest blocks."""

    def __init__(self, device: str):
        owner, instead = ("this computer", "") if device == "cpu" else ("the graphics card", ", or take the device cpu")
        super().__init__(f"the memory of {owner} does not suffice for this scan: crop it{instead}")
        self.device = device


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error of any library says that it got no memory."""
    # By name, because this file must not import torch.
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error).lower() for sign in _SIGNS)


@contextmanager
def memory_of(device: str) -> Iterator[None]:
    """Turns what `is_out_of_memory` into NotEnoughMemory of a device; Python's own MemoryError is the computer's."""
    try:
        yield
    except NotEnoughMemory:
        raise
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        raise NotEnoughMemory("cpu" if isinstance(error, MemoryError) else device) from error


def with_less_memory(
    attempt: Callable[[Work], Result],
    work: Work,
    smaller: Callable[[Work], Work | None],
    before_next: Callable[[], None],
) -> Result:
    """`attempt(work)`; when it gets no memory, `before_next()` and again with `smaller(work)` until that is None."""
    while True:
        try:
            return attempt(work)
        except (MemoryError, RuntimeError) as error:
            following = smaller(work) if is_out_of_memory(error) else None
            if following is None:
                raise
            work = following
        # Outside the handler, because there the traceback still holds what the failed attempt had.
        gc.collect()
        before_next()
