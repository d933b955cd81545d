"""Everything that the panel and its .ui file use is on the list of what Slicer has, and the list is true of Qt."""

import ast
import inspect
import json
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import pytest
from slicer_module_doubles import PluginHandler, SampleDataLogic, ScriptedPlugin
from used_api import LIB, MODULE, UI_FILE, Uses, ui_classes, ui_uses

LIST = json.loads(Path(__file__).with_name("slicer_api.json").read_text(encoding="utf-8"))
CLASSES, CALLS = LIST["classes"], LIST["calls"]
SECTIONS = sorted(path.name for path in LIB.glob("*Section.py"))
PANEL = ["Widget.py", "ParameterNode.py", "StructureField.py", "InstallLogic.py", "Words.py", *SECTIONS]
HOOKS = ["Assembly.py", "Worker.py", "AnatomicalEmbeddingSubjectHierarchyPlugin.py", "SampleScan.py"]
FILES = [*PANEL, *HOOKS]
PATHS = [*(LIB / name for name in FILES), MODULE / "AnatomicalEmbedding.py"]
RETURNS = {(name, method): kind for name, e in CLASSES.items() for method, kind in e.get("returns", {}).items()}


def listed(name: str, *kinds: str) -> set[str]:
    entry = CLASSES[name]
    own = set().union(*(entry.get(kind, ()) for kind in kinds))
    return own | (listed(entry["inherits"], *kinds) if "inherits" in entry else set())


def uses(path: Path) -> Uses:
    return Uses(path, RETURNS)


of_every_file = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)


@of_every_file
def test_attributes_are_on_the_list(path):
    missing = {
        (kind, name)
        for kind, name in uses(path).members
        if kind not in CLASSES or name not in listed(kind, "properties", "methods", "values")
    }
    assert missing == set()


@of_every_file
def test_signals_are_on_the_list(path):
    assert {(kind, name) for kind, name in uses(path).signals if name not in listed(kind, "signals")} == set()


@of_every_file
def test_classes_of_qt_are_on_the_list(path):
    assert {name for name in uses(path).classes if CLASSES.get(name, {}).get("module") != "qt"} == set()


@of_every_file
def test_functions_of_slicer_are_on_the_list_or_in_slicer_core(path):
    import slicer

    missing = {name for name in uses(path).functions if name not in LIST["functions"]}
    assert {name for name in missing if not hasattr(slicer, name.removeprefix("slicer."))} == set()


def calls_of(tree) -> list[tuple]:
    """(name, call, whether its value is used) of the calls that the list has, by the last part of their names."""
    unused = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    named = [(ast.unparse(node.func).rpartition(".")[2], node) for node in nodes]
    return [(name, node, id(node) not in unused) for name, node in named if name in CALLS]


@of_every_file
def test_calls_give_what_slicer_takes_and_use_what_it_returns(path):
    wrong = []
    for name, call, used in calls_of(ast.parse(path.read_text(encoding="utf-8"))):
        taken = CALLS[name]["arguments"]
        given = [*taken[: len(call.args)], *(one.arg for one in call.keywords)]
        fits = len(call.args) <= len(taken) and set(given) <= set(taken) and len(set(given)) == len(given)
        if not fits or used and CALLS[name]["returns"] == "None":
            wrong.append(f"{path.name}:{call.lineno} {ast.unparse(call)}")
    assert wrong == []


def test_every_call_of_the_list_is_made_and_is_read_by_the_test():
    made = {name for path in PATHS for name, _, _ in calls_of(ast.parse(path.read_text(encoding="utf-8")))}
    assert made == set(CALLS)
    bad = ast.parse("x = slicer.util.selectModule('a')\nslicer.util.loadVolume(file='a')")
    assert [name for name, _, used in calls_of(bad) if used or CALLS[name]["returns"] != "None"] == [
        "selectModule", "loadVolume"
    ]


@pytest.mark.parametrize("kind", [SampleDataLogic, PluginHandler, ScriptedPlugin], ids=lambda kind: kind.__name__)
def test_doubles_take_no_argument_that_slicer_does_not(kind):
    methods = {name: method for name, method in vars(kind).items() if name in CALLS}
    assert methods
    for name, method in methods.items():
        _self, *parameters = inspect.signature(method).parameters.values()
        assert len(parameters) <= len(CALLS[name]["arguments"])
        named = {one.name for one in parameters if one.default is not inspect.Parameter.empty}
        assert named <= set(CALLS[name]["arguments"]), name


@of_every_file
def test_no_attribute_is_reached_by_a_name_in_a_text(path):
    calls = [node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    reached = [call.id for call in calls if isinstance(call, ast.Name) and call.id in ("setattr", "eval", "exec")]
    assert reached == []


def test_the_ui_file_uses_what_is_on_the_list():
    missing = {
        (kind, what, name)
        for kind, what, name in ui_uses()
        if what != "dynamic" and name not in listed(kind, what)
    }
    assert missing == set()


def test_no_property_is_set_twice_in_the_ui_file():
    widgets = ElementTree.parse(UI_FILE).iter("widget")
    twice = [(one.get("name"), name) for one in widgets for name, count in properties(one).items() if count > 1]
    assert twice == []


def test_every_text_of_the_ui_file_is_a_string_that_slicer_translates():
    """And names, by which the panel finds its widgets, are none."""
    for node in ElementTree.parse(UI_FILE).iter():
        if node.tag in ("widget", "layout"):
            assert node.get("name", "").isidentifier()
        if node.tag == "property" and node.get("name") in ("text", "toolTip", "placeholderText", "title"):
            assert [child.tag for child in node] == ["string"], ElementTree.tostring(node)
            assert "notr" not in node[0].attrib


def properties(widget) -> Counter:
    return Counter(one.get("name") for one in widget.findall("property"))


def test_every_field_of_the_parameter_node_has_one_control():
    tree = ast.parse((LIB / "ParameterNode.py").read_text())
    (kind,) = (node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "ParameterNode")
    fields = sorted(node.target.id for node in kind.body if isinstance(node, ast.AnnAssign))
    text = UI_FILE.read_text()
    named = [part.split("</string>")[0].split(">")[-1] for part in text.split('name="SlicerParameterName"')[1:]]
    assert sorted(named) == fields


def test_no_file_that_uses_qt_is_left_out():
    files = [path.name for path in LIB.glob("*.py") if "import qt" in path.read_text(encoding="utf-8")]
    assert set(files) <= set(FILES)


def test_every_widget_that_the_panel_names_is_in_the_ui_file():
    for path in PATHS[:-1]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) in ("ui", "self.ui"):
                assert node.attr in ui_classes(), f"{path.name}:{node.lineno}"


def test_every_entry_says_where_slicer_defines_it():
    listed_ones = [*CLASSES.values(), *CALLS.values()]
    for where in [*(entry["where"] for entry in listed_ones), *LIST["functions"].values()]:
        source, _, path = where.partition(": ")
        assert source in LIST["sources"] and path.split(" ")[0].rstrip(",").endswith((".h", ".py")), where


@pytest.mark.parametrize("name", [name for name in CLASSES if name.startswith("Q")])
def test_what_the_list_says_of_qt_is_true(slicerApplication, name):
    from PySide6 import QtCore, QtGui, QtUiTools, QtWidgets

    raw = next(getattr(one, name) for one in (QtWidgets, QtGui, QtCore, QtUiTools) if hasattr(one, name))
    entry = CLASSES[name]
    assert "inherits" not in entry or entry["inherits"] in [base.__name__ for base in inspect.getmro(raw)]
    for method in (*entry.get("methods", ()), *entry.get("values", ())):
        assert hasattr(raw, method), method
    if name in ("QObject", "QUiLoader", "QModelIndex", "QTableWidgetItem", "QKeySequence", "QUrl"):
        return
    meta = raw.staticMetaObject
    for prop in entry.get("properties", ()):
        assert meta.indexOfProperty(prop) >= 0, prop
    for signature in entry.get("signals", ()):
        # "clicked()" is "clicked(bool)" with its default.
        assert meta.indexOfSignal(signature) >= 0, signature


def test_the_reader_of_uses_sees_what_is_used():
    found = uses(LIB / "Widget.py")
    assert {("QLabel", "text"), ("QShortcut", "deleteLater"), ("qMRMLNodeComboBox", "nodeCount")} <= found.members
    assert ("QPushButton", "clicked()") in uses(LIB / "FindSection.py").signals
    assert ("QCompleter", "activated(QString)") in uses(LIB / "StructureField.py").signals
    assert "slicer.util.confirmOkCancelDisplay" in uses(LIB / "ModelSection.py").functions
