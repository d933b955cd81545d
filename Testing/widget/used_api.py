"""Which Qt, CTK, qMRML and Slicer API a file of the panel uses, read from its text; types are followed simply.

Known are widgets of the .ui file (`ui.name`), objects made with `qt.Class(...)`, annotated parameters, what a listed
method returns, and names that hold one of these anywhere in the same file.
"""

import ast
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from repository import MODULE

UI_FILE = MODULE / "Resources" / "UI" / "AnatomicalEmbedding.ui"
LIB = MODULE / "AnatomicalEmbeddingLib"
MODULES = ("slicer.util", "slicer.app", "slicer.packaging", "slicer.parameterNodeWrapper", "slicer.i18n", "slicer")


def ui_classes() -> dict[str, str]:
    """Class of every widget of the .ui file by its name."""
    return {node.get("name"): node.get("class") for node in ElementTree.parse(UI_FILE).iter("widget")}


def ui_uses() -> set[tuple[str, str, str]]:
    """(class, kind, name) of the properties, signals and slots that the .ui file sets and connects."""
    tree, classes = ElementTree.parse(UI_FILE), ui_classes()
    uses = set()
    for node in tree.iter("widget"):
        for prop in node.findall("property"):
            dynamic = prop.get("name") == "SlicerParameterName"
            uses.add((node.get("class"), "dynamic" if dynamic else "properties", prop.get("name")))
    for one in tree.iter("connection"):
        uses.add((classes[one.findtext("sender")], "signals", one.findtext("signal")))
        uses.add((classes[one.findtext("receiver")], "methods", one.findtext("slot").split("(")[0]))
    return uses


class Uses(ast.NodeVisitor):
    """`members`: (class, attribute) that are read, written or called; `signals`: (class, signature) that are connected;
    `classes`: of qt; `functions`: dotted names of Slicer's Python modules."""

    def __init__(self, path: Path, returns: dict[tuple[str, str], str]) -> None:
        self.ui, self.returns = ui_classes(), returns
        self.known: dict[str, str] = {}
        self.members, self.signals, self.classes, self.functions = set(), set(), set(), set()
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for _ in range(3):  # a name may get its type from one that is defined below it
            self.visit(tree)

    def type_of(self, node) -> str | None:
        """Class of an expression, None where it is not followed."""
        text = ast.unparse(node)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in ("ui", "self.ui", "self.panel.ui"):
            return self.ui[node.attr]
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if ast.unparse(node.func.value) == "qt":
                return node.func.attr
            return self.returns.get((self.type_of(node.func.value), node.func.attr))
        return self.known.get(text)

    def visit_Assign(self, node) -> None:
        for target in node.targets:
            if (kind := self.type_of(node.value)) is not None:
                self.known[ast.unparse(target)] = kind
        self.generic_visit(node)

    def visit_For(self, node) -> None:
        if isinstance(node.iter, ast.Tuple) and (kind := self.type_of(node.iter.elts[0])) is not None:
            self.known[ast.unparse(node.target)] = kind
        self.generic_visit(node)

    def visit_arg(self, node) -> None:
        annotation = ast.unparse(node.annotation) if node.annotation is not None else ""
        if annotation.startswith("qt."):
            self.known[node.arg] = annotation.removeprefix("qt.")
        self.generic_visit(node)

    def visit_Attribute(self, node) -> None:
        kind, text = self.type_of(node.value), ast.unparse(node)
        if kind is not None and not text.startswith("qt."):
            self.members.add((kind, node.attr))
        if text.startswith("qt.") and text.count(".") == 1:
            self.classes.add(node.attr)
        elif text.startswith("qt.") and text.count(".") == 2:
            self.members.add(tuple(text.split(".")[1:]))
        elif (module := next((one for one in MODULES if text.startswith(one + ".")), None)) is not None:
            name = text.removeprefix(module + ".").split(".")[0]
            if f"{module}.{name}" not in MODULES and "(" not in name:
                self.functions.add(f"{module}.{name}")
        self.generic_visit(node)

    def visit_ImportFrom(self, node) -> None:
        if node.level == 0 and node.module and node.module.split(".")[0] == "slicer":
            self.functions |= {f"{node.module}.{alias.name}" for alias in node.names}

    def visit_Tuple(self, node) -> None:
        parts = node.elts
        if len(parts) == 3 and isinstance(parts[1], ast.Constant) and (kind := self.type_of(parts[0])) is not None:
            self.signals.add((kind, parts[1].value))
        self.generic_visit(node)

    def visit_Call(self, node) -> None:
        if isinstance(node.func, ast.Attribute) and node.func.attr == "connect" and len(node.args) == 2:
            kind = "slicer.app" if ast.unparse(node.func.value) == "slicer.app" else self.type_of(node.func.value)
            if kind is not None and isinstance(node.args[0], ast.Constant):
                self.signals.add((kind, node.args[0].value))
        self.generic_visit(node)
