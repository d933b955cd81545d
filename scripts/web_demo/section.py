"""What the parts of the page have in common: the scan, the Logic, and a line for messages."""

import logging
import re
from collections.abc import Callable
from functools import wraps

_FOLDERS = re.compile(r"(?<![\w/])/(?:[^/\s'\"]+/)+")
"""The folders of an absolute path; the name of the file stays."""


def shown(method: Callable) -> Callable:
    """A method that the page calls: what goes wrong is told in the user's words, and the page shows what is new."""

    @wraps(method)
    def call(self, *arguments):
        try:
            with self.demo.busy():
                return method(self, *arguments)
        except RuntimeError as error:
            self.demo.tell(without_paths(error), problem=True)
        except Exception as error:  # a fault of the program: the page goes on, and says so
            logging.exception("%s failed", method.__qualname__)
            self.demo.tell(f"That went wrong, and nothing was changed ({type(error).__name__}).", problem=True)
        finally:
            self.demo.refresh()

    return call


def without_paths(error: Exception) -> str:
    """What an error says, for somebody who is not to know the server's folders."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror[0].lower() + error.strerror[1:]
    return _FOLDERS.sub("", str(error))


class Section:
    """A part of the page; `refresh` is called whenever anything has happened."""

    def __init__(self, demo) -> None:
        self.demo = demo
        self.state, self.logic = demo.state, demo.logic
        self.tell = demo.tell

    def scan(self):
        """The chosen volume node, None without one."""
        return self.demo.scans.chosen()

    def embedded_scan(self):
        """The chosen scan if it can be asked, else None."""
        scan = self.scan()
        return scan if scan is not None and self.logic.isEmbedded(scan) else None

    def require_scan(self):
        """The chosen scan; RuntimeError without one."""
        scan = self.scan()
        if scan is None:
            raise RuntimeError("Open a scan first.")
        return scan

    def refresh(self) -> None:
        """Bring the page up to date."""
