"""Being called without being kept alive by who calls: by MRML nodes, and by one's own parts."""

import weakref
from collections.abc import Callable


def weak(method: Callable) -> Callable:
    """Calls a bound method as long as its object lives, returns None afterwards."""
    reference = weakref.WeakMethod(method)

    def call(*arguments):
        alive = reference()
        return alive(*arguments) if alive is not None else None

    return call


class Observers:
    """Observations of nodes that end together: by `removeAll`, or when `owner` goes away.

    A scene that dies in one garbage collection with its observer calls freed code: the observers must go first.
    """

    def __init__(self, owner) -> None:
        self._tags: list[tuple] = []
        weakref.finalize(owner, _removeAll, self._tags)

    def add(self, node, event, method: Callable) -> None:
        """Call a bound method of the owner on an event of a node."""
        self._tags.append((node, node.AddObserver(event, weak(method))))

    def removeAll(self) -> None:
        _removeAll(self._tags)


def _removeAll(tags: list[tuple]) -> None:
    while tags:
        node, tag = tags.pop()
        node.RemoveObserver(tag)
