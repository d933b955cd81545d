"""What the launcher tells a visitor's process; apart from it, because the launcher has no use for VTK."""

from dataclasses import asdict, dataclass, field

from web_demo.limits import Limits

KEY_HEADER = "X-Session-Key"
UPLOAD_PATH = "upload"
"""Where in a session files are sent to."""


@dataclass(frozen=True)
class Start:
    """key: what every request must carry; slot: the file of `Slot`."""

    key: str
    slot: str
    limits: dict = field(default_factory=lambda: asdict(Limits()))
