"""A file that CMake does not list is missing for every user."""

import re

import pytest
from repository import MODULE, files_below


def listed(variable: str) -> list[str]:
    text = (MODULE / "CMakeLists.txt").read_text(encoding="utf-8")
    (block,) = re.findall(rf"^set\({variable}\s(.*?)\)", text, re.MULTILINE | re.DOTALL)
    return block.split()


def on_disk() -> set[str]:
    return files_below(MODULE) - {"CMakeLists.txt"}


def test_every_python_file_of_the_module_is_listed_as_a_script_and_exists():
    assert set(listed("MODULE_PYTHON_SCRIPTS")) == {name for name in on_disk() if name.endswith(".py")}


def test_every_other_file_of_the_module_is_listed_as_a_resource_and_exists():
    assert set(listed("MODULE_PYTHON_RESOURCES")) == {name for name in on_disk() if not name.endswith(".py")}


@pytest.mark.parametrize("variable", ["MODULE_PYTHON_SCRIPTS", "MODULE_PYTHON_RESOURCES"])
def test_no_file_is_listed_twice(variable):
    assert len(listed(variable)) == len(set(listed(variable)))


def test_the_module_folder_holds_one_python_file_of_its_own():
    # Slicer takes every .py directly in a module folder for a module.
    assert [name for name in on_disk() if name.endswith(".py") and "/" not in name] == ["AnatomicalEmbedding.py"]


def test_no_package_has_a_name_that_others_may_use_in_the_shared_folder():
    packages = {name.split("/")[0] for name in on_disk() if name.endswith("/__init__.py") and name.count("/") == 1}
    assert packages == {"AnatomicalEmbeddingLib", "anatembed"}
