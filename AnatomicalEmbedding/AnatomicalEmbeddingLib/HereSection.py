"""Section Here: the name of the place under the mouse or the crosshair, with what else it may be."""

from slicer.i18n import tr as _

from . import Words
from .Section import Section


class HereSection(Section):
    """Follows the mouse while the panel is shown; the last named place stays until another one is named."""

    def __init__(self, ui, logic, parameters, tell) -> None:
        super().__init__(ui, logic, parameters, tell)
        self._followed = None
        self._named = None
        self._namedIn = None

    def connections(self) -> list[tuple]:
        return [
            (self.ui.followBox, "toggled(bool)", self.follow),
            (self.ui.hereButton, "clicked()", self.nameCrosshair),
            (self.ui.copyButton, "clicked()", self.copyName),
        ]

    def listeners(self) -> list[tuple]:
        return [(self.logic.cursorNamed, self.show)]

    def follow(self, *_state) -> None:
        """Start or stop naming the place under the mouse, as the box says; only an embedded scan is followed."""
        scan = self.embeddedScan() if self.ui.followBox.checked else None
        identity = scan.GetID() if scan is not None else None
        if identity != self._followed:
            self._followed = identity
            self.logic.followCursor(scan)

    def nameCrosshair(self) -> None:
        """Name the place of the crosshair."""
        self.nameAt(self.crosshair())

    def nameAt(self, position_ras) -> None:
        """Name a world position (mm)."""
        self.show(self.logic.describe(self.requireScan(), position_ras), position_ras)

    def show(self, description, position_ras) -> None:
        """Write a name; None leaves the last one, so that it can be copied when the mouse has left the view."""
        if description is None:
            return
        name, others = _inWords(description)
        self.ui.hereName.text = name
        self.ui.hereOthers.text = others
        self.ui.herePosition.text = Words.position(position_ras)
        scan = self.scan()
        self._namedIn = scan.GetID() if scan is not None else None
        self._named = f"{name} ({Words.position(position_ras)}, {scan.GetName() if scan is not None else ''})"
        if others:
            self._named += f". {others}"
        if description.caution:
            self._named += f". {description.caution}"
        self.tell(description.caution, problem=bool(description.caution))
        self.ui.copyButton.enabled = True

    def copyName(self) -> None:
        """The name, its position and the other candidates as text."""
        if self._named is not None:
            self.copy(self._named)
            self.tell(_("Copied."))

    def refresh(self) -> None:
        scan = self.embeddedScan()
        embedded = scan is not None
        self.follow()
        self.ui.followBox.enabled = embedded
        self.ui.hereButton.enabled = embedded
        if self._named is not None and (not embedded or scan.GetID() != self._namedIn):
            self._clear()
        self.ui.copyButton.enabled = self._named is not None

    def leave(self) -> None:
        if self._followed is not None:
            self._followed = None
            self.logic.followCursor(None)

    def _clear(self) -> None:
        self._named = None
        self.ui.hereName.text = _("Nothing named yet")
        self.ui.hereOthers.text = ""
        self.ui.herePosition.text = ""
        self.tell("")


def _inWords(description) -> tuple[str, str]:
    """The name with its probability, and the line of what it is a part of and of the next candidates."""
    if not description.inside_body:
        return _("Outside the body"), ""
    if not description.candidates:
        return _("No known structure"), ""
    first, *rest = description.candidates
    others = ", ".join(f"{one.name} {Words.percent(one.probability)}" for one in rest if one.probability >= 0.01)
    name = f"{Words.capital(first.name)}, {Words.nameConfidence(first.probability)}"
    if first.basis:
        name += f", {first.basis}"
    said = [_("Or: {names}").format(names=others)] if others else []
    if description.whole is not None:
        whole = _("Part of {name}, {percent}.")
        said.insert(0, whole.format(name=description.whole.name, percent=Words.percent(description.whole.probability)))
    return name, " ".join(said)
