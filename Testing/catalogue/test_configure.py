"""CMake configures and installs the extension against a stand-in for Slicer's build tree."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STUB = Path(__file__).parent / "stub_slicer"

pytestmark = pytest.mark.skipif(shutil.which("cmake") is None, reason="needs cmake on the path")


def run(*command: str) -> str:
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def build(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("build")
    # No language is needed, and a machine without a compiler must do.
    wrapper = folder / "source"
    wrapper.mkdir()
    lines = (ROOT / "CMakeLists.txt").read_text().replace(
        "project(AnatomicalEmbedding)", "project(AnatomicalEmbedding LANGUAGES NONE)"
    )
    (wrapper / "CMakeLists.txt").write_text(lines)
    (wrapper / "AnatomicalEmbedding").symlink_to(ROOT / "AnatomicalEmbedding")
    run("cmake", "-S", str(wrapper), "-B", str(folder / "build"), f"-DSlicer_DIR={STUB}", "-DBUILD_TESTING=ON")
    return folder / "build"


def test_the_extension_describes_itself(build):
    described = dict(line.split("=", 1) for line in (build / "extension.txt").read_text().splitlines())
    assert described["DEPENDS"] == "PyTorch"
    assert described["CATEGORY"] == "Analysis"


def test_packages_are_installed_beside_the_module_with_their_resources(build):
    run("cmake", "--install", str(build), "--prefix", str(build / "installed"))
    installed = build / "installed" / "lib" / "qt-scripted-modules"
    for name in (
        "AnatomicalEmbedding.py",
        "AnatomicalEmbeddingLib/Logic.py",
        "anatembed/__init__.py",
        "anatembed/resources/vocabulary.json",
        "Resources/Icons/AnatomicalEmbedding.png",
    ):
        assert (installed / name).is_file(), name
