"""Makes the library and the phantoms importable from a clean clone, and keeps the tests out of the user's cache."""

import itertools
import locale
import sys
from pathlib import Path

import numpy as np
import pytest

_NUMBERS = itertools.count()
REPOSITORY = Path(__file__).resolve().parent.parent
for folder in (REPOSITORY / "AnatomicalEmbedding", REPOSITORY / "Testing"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    """Maps that a test keeps are its own; the folder is not made before one is kept."""
    folder = tmp_path_factory.getbasetemp() / "caches" / str(next(_NUMBERS))
    monkeypatch.setenv("ANATEMBED_CACHE", str(folder))
    return folder


@pytest.fixture
def fill_disk(monkeypatch):
    """Once it is called, there is no more space on the disk half-way through the next array that is written."""

    def full_disk(file, *_arrays, **_options):
        file.write(b"half of the")
        raise OSError("no space left on device")

    return lambda: monkeypatch.setattr(np.lib.format, "write_array", full_disk)


@pytest.fixture(autouse=True)
def _same_locale():
    """Native writers of DICOM leave the C locale behind, in which the next test's text files would be ASCII."""
    before = locale.setlocale(locale.LC_CTYPE)
    yield
    locale.setlocale(locale.LC_CTYPE, before)
