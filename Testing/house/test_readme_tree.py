"""What the pages say of files is true: README's tree under "Find your way", and every path that is named."""

import re

import pytest
from repository import ROOT

README = ROOT / "README.md"
PAGES = ("README.md", "CONTRIBUTING.md", "Resources/MODEL_CARD.md", "Resources/LANGUAGE.md")
MADE = {".venv/bin"}
"""Paths that only `make` makes."""


def tree_block() -> str:
    """The first fenced block after the heading "Find your way"."""
    text = README.read_text(encoding="utf-8")
    found = re.search(r"^#+ .*Find your way.*?$.*?^```[^\n]*\n(.*?)^```", text, re.M | re.S | re.I)
    assert found, 'README.md has no fenced block after the heading "Find your way"'
    return found.group(1)


def paths_of(tree: str) -> list[str]:
    """Paths of an indented tree: one entry per line, a folder ends with "/", words after two spaces are a remark."""
    paths, folders = [], []
    for line in tree.splitlines():
        entry = re.match(r"^([\s│├└─|`-]*)(\S+)", line)
        if not entry:
            continue
        indent, name = len(entry.group(1)), entry.group(2)
        while folders and folders[-1][0] >= indent:
            folders.pop()
        path = "/".join([*(folder.rstrip("/") for _, folder in folders), name])
        paths.append(path)
        if name.endswith("/"):
            folders.append((indent, name))
    return paths


def test_every_path_of_the_tree_exists():
    missing = [path for path in paths_of(tree_block()) if not (ROOT / path).exists()]
    assert missing == []


@pytest.mark.parametrize("page", PAGES)
def test_every_path_that_a_page_names_exists(page):
    named = set(re.findall(r"`(\.?\w[\w.-]*(?:/[\w.-]+)+/?)`", (ROOT / page).read_text(encoding="utf-8")))
    assert named
    assert sorted(path for path in named - MADE if not (ROOT / path).exists()) == []



@pytest.mark.parametrize("folder", ["AnatomicalEmbedding/", "Testing/", "scripts/", "Resources/"])
def test_the_tree_names_the_folders_at_the_top(folder):
    assert folder in paths_of(tree_block())


def test_a_tree_is_read_with_its_indentation():
    tree = "A/            what\n  b.py        that\n  C/\n    d.py\ne.txt\n"
    assert paths_of(tree) == ["A/", "A/b.py", "A/C/", "A/C/d.py", "e.txt"]
