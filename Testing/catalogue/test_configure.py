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
def source(tmp_path_factory) -> Path:
    """The extension's folder. No language is needed, and a machine without a compiler must do."""
    folder = tmp_path_factory.mktemp("source")
    lines = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8").replace(
        "project(AnatomicalEmbedding)", "project(AnatomicalEmbedding LANGUAGES NONE)"
    )
    (folder / "CMakeLists.txt").write_text(lines)
    (folder / "AnatomicalEmbedding").symlink_to(ROOT / "AnatomicalEmbedding")
    return folder


def configuring(source: Path, build: Path, *options: str) -> tuple[str, ...]:
    return "cmake", "-S", str(source), "-B", str(build), f"-DSlicer_DIR={STUB}", "-DBUILD_TESTING=ON", *options


@pytest.fixture(scope="module")
def build(source, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("build")
    run(*configuring(source, folder))
    return folder


@pytest.mark.parametrize(("version", "new"), [("5.8", False), ("5.9", False), ("5.10", True), ("6.0", True)])
def test_the_oldest_slicer_is_that_of_the_module(source, tmp_path, version, new):
    command = configuring(source, tmp_path, f"-DSTUB_VERSION={version}")
    result = subprocess.run(command, capture_output=True, text=True)
    assert (result.returncode == 0) is new
    assert new or f"needs Slicer 5.10 or newer, and this is Slicer {version}." in " ".join(result.stderr.split())


def test_the_extension_describes_itself(build):
    described = dict(line.split("=", 1) for line in (build / "extension.txt").read_text(encoding="utf-8").splitlines())
    assert described["DEPENDS"] == "PyTorch"
    assert described["CATEGORY"] == "Analysis"


def test_packages_are_installed_beside_the_module_with_their_resources(build):
    run("cmake", "--install", str(build), "--prefix", str(build / "installed"))
    installed = build / "installed" / "lib" / "Slicer-5.12" / "qt-scripted-modules"
    for name in (
        "AnatomicalEmbedding.py",
        "AnatomicalEmbeddingLib/Logic.py",
        "anatembed/__init__.py",
        "anatembed/resources/vocabulary.json",
        "Resources/Icons/AnatomicalEmbedding.png",
    ):
        assert (installed / name).is_file(), name
