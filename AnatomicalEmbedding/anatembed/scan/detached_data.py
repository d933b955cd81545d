"""Image headers (NRRD, MetaImage) that name another file in which the voxels are."""

import re
from pathlib import Path

MOST_HEADER_BYTES = 1_000_000
_NRRD, _META = (".nrrd", ".nhdr"), (".mha", ".mhd")
# A line may end in any way; voxels that follow the header do not look like these by chance.
_NRRD_FIELD = re.compile(rb"(?:^|[\r\n])[ \t]*data[ \t]*file[ \t]*:(?!=)([^\r\n]*)", re.IGNORECASE)
_META_FIELD = re.compile(rb"(?:^|[\r\n])[ \t]*ElementDataFile[ \t]*[=:]([^\r\n]*)")
_SIGN_OF_MANY = ("%", "/", "\\")
_IN_THE_HEADER_FILE = {"LOCAL", "Local", "local"}


def data_file_beside(path: Path) -> Path | None:
    """The file with the voxels that a header at `path` names; None for what holds its own voxels.

    ValueError unless it is one file in the same folder: lists, patterns and other folders are not followed.
    """
    suffix = path.suffix.lower()
    if suffix not in (*_NRRD, *_META):
        return None
    with path.open("rb") as file:
        header = file.read(MOST_HEADER_BYTES)
    if suffix in _NRRD and not header.startswith(b"NRRD"):
        raise ValueError(f"expected a NRRD file, but {path.name} does not begin as one")
    field = _NRRD_FIELD if suffix in _NRRD else _META_FIELD
    names = {match.decode("latin-1").strip() for match in field.findall(header)}
    if suffix in _META and not names:
        raise ValueError(f"expected a MetaImage file, but {path.name} does not say where its voxels are")
    if not names or (suffix in _META and names <= _IN_THE_HEADER_FILE):
        return None
    (name, *others) = names
    if others or not name or name.startswith("LIST") or name == ".." or any(sign in name for sign in _SIGN_OF_MANY):
        raise ValueError(f"expected the voxels in one file beside {path.name}, but it names {', '.join(names)[:200]!r}")
    return path.parent / name
