"""What the extension catalogue checks about its entry and the repository, without the network."""

import json
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ENTRY = ROOT / "Resources" / "AnatomicalEmbedding.json"
CMAKE = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"

# Schema v1.0.1 of Slicer's catalogue entries: type of every allowed key.
ALLOWED = {
    "$schema": str,
    "category": str,
    "scm_url": str,
    "scm_revision": str,
    "scm_type": str,
    "build_dependencies": list,
    "build_subdirectory": str,
    "enabled": bool,
    "tier": int,
}
REQUIRED = {"$schema", "category", "scm_url"}


@pytest.fixture(scope="module")
def entry() -> dict:
    return json.loads(ENTRY.read_text(encoding="utf-8"))


def extension_variable(name: str) -> str:
    """The value of one quoted set() in the root list, found the way the catalogue's script finds it."""
    (value,) = re.findall(rf'set\s*\({name}\s*"([^"]+)"[ ]*\)', CMAKE)
    return value


def png_size(path: Path) -> tuple[int, int]:
    data = path.read_bytes()
    assert data.startswith(PNG_SIGNATURE)
    return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")


def file_behind(url: str) -> Path:
    """The file of this repository that a raw URL of its main branch serves."""
    return ROOT / url.split("/main/", 1)[1]


def test_the_entry_follows_the_schema(entry):
    assert set(entry) >= REQUIRED
    assert set(entry) <= set(ALLOWED)
    assert {key: type(value) for key, value in entry.items()} == {key: ALLOWED[key] for key in entry}
    assert entry["$schema"].endswith("slicer-extension-catalog-entry-schema-v1.0.1.json#")
    assert entry["tier"] in (1, 3, 5)


def test_the_entry_is_named_as_the_cmake_project():
    assert re.findall(r"project\s*\(\s*([^\s\)]+)", CMAKE) == [ENTRY.stem]


def test_the_repository_url_has_slicer_in_its_name(entry):
    assert entry["scm_url"].startswith("https://")
    assert "slicer" in entry["scm_url"].rsplit("/", 1)[1].lower()


def test_entry_and_cmake_agree(entry):
    assert entry["category"] == extension_variable("EXTENSION_CATEGORY")
    assert entry["build_dependencies"] == extension_variable("EXTENSION_DEPENDS").split()
    assert entry["scm_url"] == extension_variable("EXTENSION_HOMEPAGE") + ".git"


def test_the_icon_url_serves_a_square_icon_of_128_pixels():
    assert png_size(file_behind(extension_variable("EXTENSION_ICONURL"))) == (128, 128)


def test_the_module_shows_the_same_icon():
    module_icon = ROOT / "AnatomicalEmbedding" / "Resources" / "Icons" / "AnatomicalEmbedding.png"
    assert module_icon.read_bytes() == file_behind(extension_variable("EXTENSION_ICONURL")).read_bytes()


def test_the_screenshot_urls_serve_pictures_of_this_repository():
    for url in extension_variable("EXTENSION_SCREENSHOTURLS").split():
        width, height = png_size(file_behind(url))
        assert width >= 600 and height >= 300


def test_the_licence_is_apache_2():
    text = (ROOT / "LICENSE.txt").read_text(encoding="utf-8")
    assert "Apache License" in text and "Version 2.0, January 2004" in text
    assert text.count("\n") > 190


def test_torch_comes_from_the_pytorch_extension_only():
    assert "PyTorch" in extension_variable("EXTENSION_DEPENDS").split()
    shipped = (ROOT / "AnatomicalEmbedding").rglob("*.py")
    texts = {path.name: path.read_text(encoding="utf-8") for path in shipped}
    assert [name for name, text in texts.items() if re.search(r"pip.*install.*torch", text, re.I)] == []


def test_the_description_says_research_use_only():
    assert "not for diagnosis" in extension_variable("EXTENSION_DESCRIPTION")


def test_a_clone_with_its_history_stays_under_100_mb():
    def git(*arguments, **options):
        return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=True, **options).stdout

    names = git("ls-files", "-z").decode().split("\0")
    tracked = sum((ROOT / name).stat().st_size for name in names if (ROOT / name).is_file())
    # what a clone receives: the size of .git counts an object again for every pack that happens to hold it
    history = len(git("pack-objects", "--stdout", "--revs", "-q", input=b"HEAD\n"))
    assert tracked + history < 100_000_000


def test_readme_cmake_and_module_name_the_same_oldest_slicer():
    module = (ROOT / "AnatomicalEmbedding" / "AnatomicalEmbedding.py").read_text(encoding="utf-8")
    (major, minor), = re.findall(r"oldestSlicer = \((\d+), (\d+)\)", module)
    assert f"Slicer {major}.{minor} or newer" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert f'VERSION_LESS "{major}.{minor}"' in CMAKE
