"""What went wrong, in a sentence for people and in a word for programs; and the exit codes."""

import errno

from anatembed.model.memory_budget import NotEnoughMemory, is_out_of_memory

DONE, BAD_INPUT, NOT_HERE, NOT_UNDERSTOOD, TOO_LITTLE_MEMORY, TO_CHOOSE = 0, 2, 3, 4, 5, 6
INTERRUPTED, PIPE_CLOSED = 130, 141
EXPECTED = (ValueError, OSError, ImportError, RuntimeError, MemoryError)
"""What a library raises for what a user may do or have; anything else is a mistake in the program."""
_DISK_FULL = {errno.ENOSPC, errno.EFBIG, errno.EDQUOT}


def sentence(error: BaseException) -> str:
    """What went wrong, for people."""
    if is_out_of_memory(error) and not isinstance(error, NotEnoughMemory):
        return "the memory of this machine does not suffice for this scan"
    if isinstance(error, ImportError):
        missing = getattr(error, "name", None)
        torch = "; embedding needs PyTorch, a saved map does not" if missing == "torch" else ""
        return f"this command needs a package that is missing or broken: {error}{torch}"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else f"cannot write the output: {error.strerror}"
    return " ".join(str(error).split()) or type(error).__name__


def reason(error: BaseException) -> dict[str, str]:
    """Why it failed, as programs want to know it: "reason" is "memory" (with "device"), "package" (with "package"),
    "disk" (full) or "input"."""
    if is_out_of_memory(error):
        return {"reason": "memory", "device": getattr(error, "device", "cpu")}
    if isinstance(error, ImportError):
        return {"reason": "package", "package": (error.name or "").split(".")[0]}
    cause = error if isinstance(error, OSError) else error.__cause__
    if isinstance(cause, OSError) and cause.errno in _DISK_FULL:
        return {"reason": "disk"}
    return {"reason": "input"}


def exit_code(error: BaseException) -> int:
    """5 for too little memory, else 2."""
    return TOO_LITTLE_MEMORY if is_out_of_memory(error) else BAD_INPUT
