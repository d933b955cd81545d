"""A text field that completes the names of structures."""

from collections.abc import Callable

import qt


class StructureField:
    """Offers names below a line edit while the user types, in the order in which `complete(text)` gives them.

    Names are offered as (id, text to show); `nameOf(id)` is the plain name that a choice puts into the field.
    """

    def __init__(self, edit: qt.QLineEdit, complete: Callable, nameOf: Callable) -> None:
        self._edit, self._complete, self._nameOf = edit, complete, nameOf
        self._shown: dict[str, str] = {}
        self._names = qt.QStringListModel()
        self._completer = qt.QCompleter()
        self._completer.setModel(self._names)
        # The offers are already chosen: an inner word or a synonym need not begin with what was typed.
        self._completer.setCompletionMode(qt.QCompleter.UnfilteredPopupCompletion)
        self._edit.setCompleter(self._completer)

    def connections(self, chosen: Callable | None = None) -> list[tuple]:
        """(widget, signal, slot) for the Widget to connect; `chosen(text)` is called for an offer that was taken."""
        connections = [(self._edit, "textEdited(QString)", self.offer)]
        return [*connections, (self._completer, "activated(QString)", chosen)] if chosen else connections

    def offer(self, text: str) -> None:
        """Fill the list for what has been typed."""
        offers = self._complete(text)
        self._shown.update({shown: concept for concept, shown in offers})
        self._names.setStringList([shown for _, shown in offers])

    def isChoosing(self) -> bool:
        """Whether Enter takes an offer of the list: then `chosen` follows, and the field holds half a name still."""
        popup = self._completer.popup()
        return popup.visible and popup.currentIndex().isValid()

    def text(self) -> str:
        """What stands in the field; a chosen offer as its plain name ("hepar (Liver)" as "Liver")."""
        text = self._edit.text.strip()
        concept = self._shown.get(text)
        return self._nameOf(concept) if concept else text
