"""Imports only go down: panel, scene, library; and inside the library from room to room."""

import ast
import re
import sys

import pytest
from imports import (
    LIB,
    LIBRARY,
    MODULE_FILE,
    RESEARCH,
    SHIPPED,
    dotted_name,
    first_circle,
    names_imported,
    ours_imported,
    packages,
    tree_of,
)
from repository import MODULE, python_files, relative

ROOMS = ("leaves", "scan", "language", "model", "maps", "ask", "serve")
"""From the ground up; a room imports itself and the rooms before it."""
NEVER = {"scan": {"language"}, "language": {"scan"}}
"""Rooms on one floor, which know nothing of each other."""
INSIDE_LANGUAGE = ("language", "language.query", "language.report")
LATE = {"torch", "monai", "rapidfuzz", "PIL", "nibabel", "pydicom"}
LATE |= {"mcp", "mcp_types", "pydantic", "pydantic_core", "anyio"}
"""Packages that a user of saved maps, or Slicer, may not have: imported where they are used."""
NEED_IT_TO_BE_READ_AT_ALL = {
    "anatembed.model.encoder": {"torch"},
    "anatembed.maps.inference": {"torch"},
    "anatembed.serve.pictures": {"PIL"},
    "anatembed.serve.demo": {"PIL"},
    "anatembed.serve.mcp_server": {"mcp", "mcp_types", "pydantic", "pydantic_core", "anyio"},
}
"""Files that are imported only to do what needs the package."""
SLICER_ONLY = {"slicer", "qt", "ctk", "vtk", "vtkmodules", "trame", "trame_slicer", "slicer_core"}
BESIDE = {"scripts", "research", "Testing"}
FLOOR_3 = {
    "AnatomicalEmbeddingSubjectHierarchyPlugin.py", "Assembly.py", "InstallLogic.py", "ParameterNode.py",
    "SampleScan.py", "StructureField.py", "Widget.py", "Words.py", "Worker.py",
    *(f"{name}Section.py" for name in (
        "", "Scan", "Find", "Report", "Here", "Compare", "Border", "Show", "Take", "Model")),
}  # fmt: skip
IN_EVERY_SLICER = {"slicer", "vtk", "SimpleITK", "numpy", "scipy"} | set(sys.stdlib_module_names)
FLOOR_2 = tuple(path for path in LIB if path.name not in FLOOR_3)


def room_of(path) -> str:
    parts = dotted_name(path).split(".")
    return parts[1] if len(parts) > 1 and parts[1] in ROOMS else "leaves"


def language_room_of(path) -> str:
    parts = dotted_name(path).split(".")
    return ".".join(parts[1:3]) if len(parts) > 3 or path.name == "__init__.py" and len(parts) > 2 else parts[1]


def arrows(paths):
    return [(path, other) for path in paths for other in sorted(ours_imported(path))]


def named(pairs) -> list[str]:
    return [f"{dotted_name(one)} -> {dotted_name(other)}" for one, other in pairs]


def is_start(path) -> bool:
    """The package's face: `python -m anatembed` stands above all rooms."""
    return path.name == "__main__.py"


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_itself_and_the_rooms_below(room):
    allowed = set(ROOMS[: ROOMS.index(room) + 1]) - NEVER.get(room, set())
    paths = [path for path in LIBRARY if room_of(path) == room and not is_start(path)]
    assert paths
    assert named((path, other) for path, other in arrows(paths) if room_of(other) not in allowed) == []


def test_inside_language_the_report_stands_on_the_query_and_both_on_the_words():
    order = INSIDE_LANGUAGE.index
    pairs = [
        (path, other)
        for path, other in arrows(LIBRARY)
        if room_of(path) == room_of(other) == "language"
        and order(language_room_of(path)) < order(language_room_of(other))
    ]
    assert named(pairs) == []


@pytest.mark.parametrize("paths", [LIBRARY, LIB, RESEARCH], ids=["library", "panel", "research"])
def test_no_files_import_each_other_in_a_circle(paths):
    graph = {dotted_name(path): {dotted_name(other) for other in ours_imported(path)} for path in paths}
    assert first_circle(graph) == []


def test_training_knows_nothing_of_evaluation():
    training = [path for path in RESEARCH if ".training." in dotted_name(path)]
    assert training
    assert named(pair for pair in arrows(training) if ".evaluation." in dotted_name(pair[1])) == []


def test_a_circle_would_be_found():
    assert first_circle({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}})
    assert first_circle({"a": {"b"}, "b": {"c"}, "c": set()}) == []


def test_imports_are_read_wherever_they_stand():
    (main,) = [path for path in LIBRARY if is_start(path)]
    assert "anatembed.serve.cli" in names_imported(main)
    (encoder,) = [path for path in LIBRARY if dotted_name(path) == "anatembed.model.encoder"]
    assert "torch" in packages(encoder, file_scope_only=True)


def test_the_library_knows_neither_slicer_nor_the_floors_above():
    above = SLICER_ONLY | BESIDE | {"AnatomicalEmbeddingLib"}
    assert {relative(path): found for path in LIBRARY if (found := packages(path) & above)} == {}


def test_what_a_user_of_saved_maps_lacks_is_imported_where_it_is_used():
    found = {
        dotted_name(path): names
        for path in LIBRARY
        if (names := (packages(path, True) & LATE) - NEED_IT_TO_BE_READ_AT_ALL.get(dotted_name(path), set()))
    }
    assert found == {}


def test_files_that_need_a_package_to_be_read_are_imported_late():
    pairs = [
        (path, name)
        for path in LIBRARY
        for name in names_imported(path, True) & NEED_IT_TO_BE_READ_AT_ALL.keys()
        if dotted_name(path) not in NEED_IT_TO_BE_READ_AT_ALL
    ]
    assert [f"{dotted_name(path)} -> {name}" for path, name in pairs] == []


def test_the_scene_floor_knows_no_panel_no_qt_and_no_torch():
    panel = {f"AnatomicalEmbeddingLib.{name.removesuffix('.py')}" for name in FLOOR_3}
    unknown = {"qt", "ctk", "PySide6", "torch", "monai"} | BESIDE
    assert FLOOR_2
    assert {path.name: found for path in FLOOR_2 if (found := packages(path) & unknown)} == {}
    assert {path.name: found for path in FLOOR_2 if (found := names_imported(path) & panel)} == {}


def test_nobody_who_is_shipped_imports_what_is_not():
    assert {relative(path): found for path in SHIPPED if (found := packages(path) & BESIDE)} == {}


def test_scripts_and_tests_are_imported_by_nobody():
    scripts = python_files("scripts")
    assert {relative(path): found for path in scripts if (found := packages_of(path) & {"scripts", "Testing"})} == {}


def packages_of(path) -> set[str]:
    """Top-level names that a script imports."""
    found = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(node.module.split(".")[0])
    return found


def reached_from_slicer() -> set:
    """The module, the panel, the scene, the child process's command line, and what they import, also by others."""
    start = [path for path in LIBRARY if dotted_name(path) == "anatembed.maps.inference"]
    reached, new = set(), {MODULE_FILE, *LIB, *start}
    while new:
        reached |= new
        new = {other for path in new for other in ours_imported(path)} - reached
    return reached


def test_what_runs_in_slicer_needs_what_slicer_has_or_the_panel_installs():
    lines = (MODULE / "Resources" / "requirements.txt").read_text(encoding="utf-8").splitlines()
    installed = {re.split(r"[<>=!~ ]", line)[0] for line in lines if line and not line.startswith("#")}
    ours = {"anatembed", "AnatomicalEmbeddingLib"}
    modules_of_slicer = {"AbstractScriptedSubjectHierarchyPlugin", "PyTorchUtils", "SampleData"}
    modules_of_slicer |= {"SubjectHierarchyPlugins"}
    brought = IN_EVERY_SLICER | {"qt", "ctk", "torch"} | modules_of_slicer | ours | installed
    paths = reached_from_slicer()
    assert {"anatembed.ask.explorer", "anatembed.language.query.resolver"} <= {dotted_name(path) for path in paths}
    reads_files = {path for path in paths if room_of(path) == "scan" and path in LIBRARY}  # Slicer reads files itself
    assert {relative(path): found for path in paths - reads_files if (found := packages(path) - brought)} == {}


def test_the_module_file_needs_nothing_that_has_to_be_installed_and_runs_nothing_when_it_is_read():
    body = tree_of(MODULE_FILE).body
    file_scope = ast.Module([node for node in body if not isinstance(node, ast.ClassDef)], [])
    names = {alias.name for node in ast.walk(file_scope) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in ast.walk(file_scope) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in names} <= IN_EVERY_SLICER
    assert not packages(MODULE_FILE) & {"torch"}
    assert {type(node) for node in body[1:]} <= {ast.Import, ast.ImportFrom, ast.ClassDef}
