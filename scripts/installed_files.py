"""How many files a user of the extension gets, and how large they are, now and at an earlier commit.

python scripts/installed_files.py [COMMIT] [-o Resources/Evaluation/installed.json]

The files are those that AnatomicalEmbedding/CMakeLists.txt lists, uncompressed; the five largest are named.
"""
from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path

from anatembed.output_file import write_text

ROOT = Path(__file__).resolve().parents[1]
MODULE = "AnatomicalEmbedding"
LISTS = re.compile(r"^set\(MODULE_PYTHON_(?:SCRIPTS|RESOURCES)\s(.*?)\)", re.MULTILINE | re.DOTALL)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("commit", nargs="?", help="a commit to compare with")
    arguments.add_argument("-o", "--output", type=Path, metavar="FILE.json")
    options = arguments.parse_args()
    found = {"now": facts(sizes_on_disk())}
    if options.commit:
        found["before"] = {"commit": options.commit, **facts(sizes_at(options.commit))}
    for when, one in found.items():
        sys.stdout.write(f"{when}: {one['files']} files, {one['python files']} of them Python, {one['MB']} MB\n")
    if options.output:
        write_text(options.output, json.dumps(found, indent=1) + "\n")


def listed(text: str) -> list[str]:
    """Names of the installed files, as a CMakeLists.txt of the module lists them."""
    return [name for block in LISTS.findall(text) for name in block.split()]


def sizes_on_disk() -> dict[str, int]:
    """Bytes of every installed file by its name."""
    text = (ROOT / MODULE / "CMakeLists.txt").read_text(encoding="utf-8")
    return {name: (ROOT / MODULE / name).stat().st_size for name in listed(text)}


def sizes_at(commit: str) -> dict[str, int]:
    """The same at a commit of the repository."""
    text = _git("show", f"{commit}:{MODULE}/CMakeLists.txt")
    tree = _git("ls-tree", "-r", "-l", commit, f"{MODULE}/")
    sizes = {path: int(facts.split()[3]) for facts, path in (line.split("\t") for line in tree.splitlines())}
    return {name: sizes[f"{MODULE}/{name}"] for name in listed(text)}


def facts(sizes: dict[str, int]) -> dict:
    """Numbers of files and MB, with the largest files."""
    largest = sorted(sizes, key=lambda name: -sizes[name])[:5]
    return {
        "files": len(sizes), "python files": sum(name.endswith(".py") for name in sizes),
        "MB": round(sum(sizes.values()) / 1e6, 1),
        "Python MB": round(sum(size for name, size in sizes.items() if name.endswith(".py")) / 1e6, 2),
        "largest MB": {name: round(sizes[name] / 1e6, 1) for name in largest},
    }  # fmt: skip


def _git(*arguments: str) -> str:
    return subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    main()
