"""Imports only go down: Qt, MRML, library; and a few rules for every shipped file."""

import ast
import re
import sys

import pytest
from repository import MODULE, ROOT, python_files, relative

SLICER_ONLY = {"slicer", "qt", "ctk", "vtk", "vtkmodules", "trame", "trame_slicer", "slicer_core"}
BESIDE = {"scripts", "Testing"}
TORCH = {"torch", "monai", "torchvision"}
# repeatability measures what threads and number formats of torch change.
MAY_USE_TORCH = {
    f"AnatomicalEmbedding/anatembed/{name}.py" for name in ("encoder", "inference", "evaluation/repeatability")
}
FLOOR_3 = {
    "AnatomicalEmbeddingSubjectHierarchyPlugin.py", "Assembly.py", "InstallLogic.py", "ParameterNode.py",
    "SampleScan.py", "StructureField.py", "Widget.py", "Words.py", "Worker.py",
    *(f"{name}Section.py" for name in ("", "Scan", "Find", "Report", "Here", "Compare", "Border", "Show", "Model")),
}
IN_THE_CHILD_PROCESS = {"inference.py", "device_check.py"}
FILE_READERS = {"image_file.py", "dicom_folder.py"}  # Slicer reads files itself
MODULE_FILE = MODULE / "AnatomicalEmbedding.py"
IN_EVERY_SLICER = {"slicer", "vtk", "SimpleITK", "numpy", "scipy", "logging", "os", "pathlib", "unittest"}

LIBRARY = python_files("AnatomicalEmbedding/anatembed")
LIB = python_files("AnatomicalEmbedding/AnatomicalEmbeddingLib")
SHIPPED = [MODULE_FILE, *LIB, *LIBRARY]
ALL = python_files("AnatomicalEmbedding", "Testing", "scripts")


def imported(tree: ast.AST) -> set[str]:
    """Top-level names of the packages that the code imports; relative imports stay in their package."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add(node.module.split(".")[0])
    return names


def tree_of(path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), relative(path))


def of(paths):
    return pytest.mark.parametrize("path", paths, ids=relative)


@of(LIBRARY)
def test_the_library_knows_neither_slicer_nor_the_floors_above(path):
    assert not imported(tree_of(path)) & (SLICER_ONLY | BESIDE | {"AnatomicalEmbeddingLib"})


@of([path for path in LIBRARY if relative(path) not in MAY_USE_TORCH and "training" not in path.parts])
def test_torch_is_needed_to_encode_and_to_train_only(path):
    assert not imported(tree_of(path)) & TORCH


@of([path for path in LIB if path.name not in FLOOR_3])
def test_the_mrml_floor_knows_no_qt_and_no_torch(path):
    assert not imported(tree_of(path)) & ({"qt", "ctk", "PySide6", "Widget"} | BESIDE | TORCH)


@of([path for path in LIB if path.name not in FLOOR_3])
def test_the_mrml_floor_does_not_import_the_panel(path):
    panel = {name.removesuffix(".py") for name in FLOOR_3}
    named = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.ImportFrom):
            named |= {(node.module or "").split(".")[-1], *(alias.name for alias in node.names)}
    assert not named & panel


@of(python_files("AnatomicalEmbedding", "scripts"))
def test_nobody_imports_scripts_or_tests(path):
    assert not imported(tree_of(path)) & BESIDE


def library_files_named_by(path) -> set:
    """Files of the library that a file imports, wherever in it, by full name or from its own package."""
    dotted = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            dotted |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            package = "anatembed." if node.level and path in LIBRARY else ""
            dotted |= {package + (node.module or ""), *(f"{package}{node.module}.{alias.name}" for alias in node.names)}
    return {path for path in LIBRARY if ".".join(path.relative_to(MODULE).with_suffix("").parts) in dotted}


def reached_from_slicer() -> list:
    """The module, floors 2 and 3, what its child process runs, and what they import of the library, also by others."""
    child = {path for path in LIBRARY if path.name in IN_THE_CHILD_PROCESS}
    reached, new = set(), {MODULE_FILE, *LIB, *child}
    while new:
        reached |= new
        new = {file for path in new for file in library_files_named_by(path)} - reached
        new = {path for path in new if path.name not in FILE_READERS}
    return sorted(reached)


def test_the_search_for_what_runs_in_slicer_finds_the_ways_through_the_library():
    names = {path.name for path in reached_from_slicer()}
    assert {"Logic.py", "explorer.py", "inference.py", "resolver.py", "phrase_index.py", "geometry.py"} <= names


@of(reached_from_slicer())
def test_what_runs_in_slicer_needs_what_slicer_has_or_the_panel_installs(path):
    lines = (MODULE / "Resources" / "requirements.txt").read_text().splitlines()
    installed = {re.split(r"[<>=!~ ]", line)[0] for line in lines if line and not line.startswith("#")}
    ours = {"anatembed", "AnatomicalEmbeddingLib"}
    modules_of_slicer = {"AbstractScriptedSubjectHierarchyPlugin", "PyTorchUtils", "SampleData"}
    brought = {"slicer", "vtk", "qt", "ctk", "numpy", "scipy", "SimpleITK", "torch"} | modules_of_slicer
    assert imported(tree_of(path)) <= set(sys.stdlib_module_names) | ours | brought | installed


def test_the_module_file_needs_nothing_that_has_to_be_installed():
    file_scope = ast.Module([node for node in tree_of(MODULE_FILE).body if not isinstance(node, ast.ClassDef)], [])
    assert imported(file_scope) <= IN_EVERY_SLICER
    assert not imported(tree_of(MODULE_FILE)) & TORCH


def test_the_module_file_runs_nothing_when_slicer_reads_it():
    kinds = {type(node) for node in tree_of(MODULE_FILE).body[1:]}
    assert kinds <= {ast.Import, ast.ImportFrom, ast.ClassDef}
    assert len(MODULE_FILE.read_text().splitlines()) < 150


@of([path for path in SHIPPED if path.name not in ("cli.py", "__main__.py")])
def test_shipped_code_does_not_print(path):
    calls = (node.func for node in ast.walk(tree_of(path)) if isinstance(node, ast.Call))
    assert "print" not in {function.id for function in calls if isinstance(function, ast.Name)}


@of(ALL)
def test_no_error_is_swallowed(path):
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, f"bare except in line {node.lineno}"
            assert not all(isinstance(child, ast.Pass) for child in node.body), f"except: pass in line {node.lineno}"


@of(ALL)
def test_no_file_is_longer_than_400_lines(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


@of(SHIPPED)
def test_every_shipped_file_says_what_it_is(path):
    assert ast.get_docstring(tree_of(path))


@of([path for path in [*LIB, *LIBRARY] if not path.name.startswith("__")])
def test_every_shipped_file_has_a_test_file_of_the_same_name(path):
    assert f"test_{path.name}" in {test.name for test in (ROOT / "Testing").rglob("test_*.py")}


@of([path for path in [*LIB, *LIBRARY] if not path.name.startswith("__")])
def test_the_spelling_of_a_file_is_its_floor(path):
    pattern = r"[A-Z][A-Za-z0-9]*\.py" if path in LIB else r"[a-z][a-z0-9_]*\.py"
    assert re.fullmatch(pattern, path.name)
