"""A few rules for every file: it says what it is, swallows no error, prints nothing, and is spelt as its floor."""

import ast
import re

from imports import LIB, LIBRARY, SHIPPED, tree_of
from repository import ROOT, python_files, relative

ALL = python_files("AnatomicalEmbedding", "Testing", "scripts")
MAY_PRINT = {"AnatomicalEmbedding/anatembed/serve/cli.py", "AnatomicalEmbedding/anatembed/__main__.py"}


def handlers(path):
    return [node for node in ast.walk(tree_of(path)) if isinstance(node, ast.ExceptHandler)]


def prints(path) -> bool:
    calls = [node.func for node in ast.walk(tree_of(path)) if isinstance(node, ast.Call)]
    return "print" in {function.id for function in calls if isinstance(function, ast.Name)}


def test_no_error_is_swallowed():
    caught = [(f"{relative(path)}:{one.lineno}", one) for path in ALL for one in handlers(path)]
    bare = [place for place, one in caught if one.type is None]
    passed = [place for place, one in caught if all(isinstance(node, ast.Pass) for node in one.body)]
    assert bare + passed == []


def test_shipped_code_does_not_print():
    assert {relative(path) for path in SHIPPED if prints(path)} <= MAY_PRINT


def test_every_shipped_file_says_what_it_is():
    assert [relative(path) for path in SHIPPED if not ast.get_docstring(tree_of(path))] == []


def test_the_spelling_of_a_file_is_its_floor():
    camel, snake = re.compile(r"[A-Z][A-Za-z0-9]*\.py"), re.compile(r"[a-z][a-z0-9_]*\.py")
    files = [path for path in (*LIB, *LIBRARY) if not path.name.startswith("__")]
    assert [relative(path) for path in files if not (camel if path in LIB else snake).fullmatch(path.name)] == []


def test_make_test_runs_every_folder_with_tests():
    recipe = (ROOT / "Makefile").read_text(encoding="utf-8").split("\ntest: ")[1].split("\n\n")[0]
    folders = {path.relative_to(ROOT).parts[1] for path in (ROOT / "Testing").rglob("test_*.py")}
    assert set(re.findall(r"Testing/(\w+)", recipe)) == folders
