"""Words that must not be in the repository."""

import pytest
from repository import relative, tracked_files

# Put together here, so that this file does not hold them itself.
FORBIDDEN = {
    "a host of the package registry": ("files." + "pythonhosted.org", "test." + "pypi.org", "pypi" + ".org/simple"),
    "a folder outside the repository": (".." + "/shared", "/work" + "/shared", "/work" + "/main"),
}


def texts():
    for path in tracked_files():
        data = path.read_bytes()
        if b"\0" not in data:
            yield path, data.decode("utf-8", errors="replace")


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_names(what):
    found = [(relative(path), word) for path, text in texts() for word in FORBIDDEN[what] if word in text]
    assert found == []


def test_text_files_are_utf_8_with_lf_line_ends():
    wrong = [relative(path) for path, text in texts() if "\r" in text or "\ufffd" in text]
    assert wrong == []
