import gc
import weakref

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from anatembed.model.memory_budget import NotEnoughMemory, is_out_of_memory, memory_of, with_less_memory

FOUR_EXBIBYTES = 2**62


@pytest.mark.parametrize(
    "allocate",
    [
        lambda: np.empty(FOUR_EXBIBYTES, np.uint8),
        lambda: torch.empty(FOUR_EXBIBYTES, dtype=torch.uint8),
        lambda: sitk.Image([2**20, 2**20, 2**20], sitk.sitkUInt8),
        lambda: bytearray(FOUR_EXBIBYTES),
    ],
    ids=["NumPy", "PyTorch", "SimpleITK", "Python"],
)
def test_how_the_libraries_really_say_it_is_understood(allocate):
    with pytest.raises((MemoryError, RuntimeError)) as caught:
        allocate()
    assert is_out_of_memory(caught.value)


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: not enough memory: you tried"),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
        RuntimeError("std::bad_alloc"),
        NotEnoughMemory("cuda"),
    ],
    ids=str,
)
def test_how_other_devices_say_it_is_understood(error):
    assert is_out_of_memory(error)


@pytest.mark.parametrize("error", [RuntimeError("illegal memory access"), ValueError("out of memory"), OSError()])
def test_other_errors_are_not_taken_for_it(error):
    assert not is_out_of_memory(error)


def test_it_is_said_whose_memory_does_not_suffice():
    cases = [("cuda", torch.OutOfMemoryError("x"), "cuda"), ("cuda", MemoryError(), "cpu")]
    for device, error, blamed in [*cases, ("cuda", NotEnoughMemory("mps"), "mps")]:
        with pytest.raises(NotEnoughMemory) as caught, memory_of(device):
            raise error
        assert caught.value.device == blamed
    assert "graphics card" in str(NotEnoughMemory("cuda"))
    assert "this computer" in str(NotEnoughMemory("cpu"))
    with pytest.raises(RuntimeError, match="^other$"), memory_of("cuda"):
        raise RuntimeError("other")


def halves(size):
    return size // 2 if size > 1 else None


def test_it_is_tried_with_less_until_it_fits():
    tried, freed = [], []

    def attempt(size):
        tried.append(size)
        if size > 3:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return f"done with {size}"

    assert with_less_memory(attempt, 16, halves, lambda: freed.append(len(tried))) == "done with 2"
    assert tried == [16, 8, 4, 2]
    assert freed == [1, 2, 3]


def test_when_nothing_fits_the_last_error_comes_and_other_errors_come_at_once():
    tried = []

    def attempt(size, error):
        tried.append(size)
        raise error

    with pytest.raises(MemoryError, match="really"):
        with_less_memory(lambda size: attempt(size, MemoryError("really")), 4, halves, lambda: None)
    assert tried == [4, 2, 1]
    tried.clear()
    with pytest.raises(RuntimeError, match="other"):
        with_less_memory(lambda size: attempt(size, RuntimeError("other")), 4, halves, lambda: None)
    assert tried == [4]


def test_what_the_failed_attempt_held_is_free_before_the_next():
    class Tensor:
        pass

    held = []

    def attempt(size):
        tensor = Tensor()
        if held:
            assert held[-1]() is None
        held.append(weakref.ref(tensor))
        if size > 1:
            raise MemoryError
        return size

    gc.disable()
    try:
        assert with_less_memory(attempt, 4, halves, lambda: None) == 1
    finally:
        gc.enable()
    assert len(held) == 3
