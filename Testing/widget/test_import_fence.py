"""Panel and Logic work with what Slicer has: their tests pass where every other package is blocked."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from import_fence import BLOCKED

HERE = Path(__file__).parent
PATH = os.pathsep.join([str(HERE), str(HERE.parents[1] / "AnatomicalEmbedding")])
ENVIRONMENT = {**os.environ, "PYTHONPATH": PATH, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


def python(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, cwd=HERE.parents[1], env=ENVIRONMENT
    )


@pytest.mark.parametrize("file", ["widget/test_inside_slicer.py", "widget/test_FindSection.py", "mrml/test_Logic.py"])
def test_it_works_with_what_slicer_has(file):
    done = python("-m", "pytest", "-q", "-x", "-p", "import_fence", "-p", "no:cacheprovider", f"Testing/{file}")
    assert done.returncode == 0 and " passed" in done.stdout, done.stdout[-3000:]


@pytest.mark.parametrize("package", ["torch", "nibabel", "PIL"])
def test_the_fence_keeps_out_what_slicer_may_not_have(package):
    assert package in BLOCKED
    done = python("-c", f"import import_fence; import_fence.put_up(); import numpy, vtk, rapidfuzz; import {package}")
    assert "Slicer does not have it" in done.stderr
