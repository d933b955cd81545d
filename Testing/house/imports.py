"""What each Python file imports, read from the code; imports inside functions and under TYPE_CHECKING count too."""

import ast
from functools import cache
from pathlib import Path

from repository import MODULE, ROOT, python_files

LIBRARY = tuple(python_files("AnatomicalEmbedding/anatembed"))
LIB = tuple(python_files("AnatomicalEmbedding/AnatomicalEmbeddingLib"))
RESEARCH = tuple(python_files("scripts/research"))
MODULE_FILE = MODULE / "AnatomicalEmbedding.py"
SHIPPED = (MODULE_FILE, *LIB, *LIBRARY)
ROOTS = (MODULE, ROOT / "scripts")


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def dotted_name(path: Path) -> str:
    """`anatembed.ask.places` of .../anatembed/ask/places.py; a package's name is that of its folder."""
    (root,) = [root for root in ROOTS if path.is_relative_to(root)]
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def files_by_name() -> dict[str, Path]:
    return {dotted_name(path): path for path in (*SHIPPED, *RESEARCH)}


def _absolute(node: ast.ImportFrom, path: Path) -> str:
    if not node.level:
        return node.module
    package = dotted_name(path).split(".")
    package = package if path.name == "__init__.py" else package[:-1]
    return ".".join([*package[: len(package) - node.level + 1], *([node.module] if node.module else [])])


@cache
def names_imported(path: Path, file_scope_only: bool = False) -> frozenset[str]:
    """Dotted names; `from a import b` gives a.b where that is one of our files, else a."""
    found = set()
    for node in _at_file_scope(tree_of(path)) if file_scope_only else ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = _absolute(node, path)
            full = {f"{module}.{alias.name}" for alias in node.names}
            ours = full & files_by_name().keys()
            found |= ours | ({module} if ours != full else set())
    return frozenset(found)


def _at_file_scope(node: ast.AST):
    """What runs when the file is imported: no function bodies, nothing that only a type checker reads."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            continue
        yield child
        yield from _at_file_scope(child)


def packages(path: Path, file_scope_only: bool = False) -> set[str]:
    """Top-level names of what a file imports."""
    return {name.split(".")[0] for name in names_imported(path, file_scope_only)}


def ours_imported(path: Path) -> set[Path]:
    """Our own files that a file imports."""
    return {files_by_name()[name] for name in names_imported(path) if name in files_by_name()} - {path}


def first_circle(nodes: dict[str, set[str]]) -> list[str]:
    """Some circle in a graph, as the names along it; empty where there is none."""
    from graphlib import CycleError, TopologicalSorter

    try:
        TopologicalSorter(nodes).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []
