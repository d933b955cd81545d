"""The stand-in of the Logic is like the Logic: what the panel's tests ask of one can be asked of the other."""

import inspect

import pytest
from AnatomicalEmbeddingLib.Logic import Logic
from AnatomicalEmbeddingLib.Signal import Signal
from logic_double import Failure, LogicDouble

OF_THE_TESTS = {"end"}
METHODS = [name for name, _ in inspect.getmembers(LogicDouble, inspect.isfunction) if not name.startswith("_")]


def parameters(function) -> list[tuple]:
    """Names do not matter where the panel passes by place."""
    found = list(inspect.signature(function).parameters.values())[1:]
    return [(one.name if one.default is not one.empty else "by place", one.default) for one in found]


@pytest.mark.parametrize("name", sorted(set(METHODS) - OF_THE_TESTS))
def test_the_logic_has_the_method_with_the_same_options(name):
    assert parameters(getattr(Logic, name)) == parameters(getattr(LogicDouble, name))


@pytest.mark.parametrize("name", [name for name, value in vars(LogicDouble()).items() if isinstance(value, Signal)])
def test_the_logic_has_the_signal(name):
    assert f"self.{name}" in inspect.getsource(Logic.__init__)


def test_a_failure_has_the_same_fields():
    from AnatomicalEmbeddingLib.Failure import Failure as RealFailure

    assert set(inspect.signature(RealFailure).parameters) == set(inspect.signature(Failure).parameters)


def test_the_double_has_all_that_the_sections_ask_of_the_logic():
    import ast

    from used_api import LIB

    asked = set()
    for path in [*LIB.glob("*Section.py"), LIB / "Widget.py"]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) in ("self.logic", "self._logic", "logic"):
                asked.add(node.attr)
    assert len(asked) > 30
    assert {name for name in asked if not hasattr(LogicDouble(), name)} == set()
