"""What is told to a visitor names no folder of the server."""

import pytest
from web_demo.section import without_paths


@pytest.mark.parametrize(("error", "told"), [
    (FileNotFoundError(2, "No such file or directory", "/tmp/anatembed-web-x/uploads/1.nii.gz"),
     "no such file or directory"),
    (RuntimeError("The map /home/a/b/person.npz is damaged"), "The map person.npz is damaged"),
    (ValueError("expected a file, got '/srv/files/scan.nii'"), "expected a file, got 'scan.nii'"),
    (RuntimeError("and/or 3/4 stays"), "and/or 3/4 stays"),
    (RuntimeError("https://example.org/a/b stays"), "https://example.org/a/b stays"),
])
def test_the_folders_of_a_path_are_left_out(error, told):
    assert without_paths(error) == told
