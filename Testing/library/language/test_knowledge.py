"""What is looked up costs what is used of it."""

import subprocess
import sys

import pytest

HEAVY = {"numpy", "scipy", "SimpleITK", "torch", "rapidfuzz", "anatembed.scan", "anatembed.model"}


@pytest.mark.parametrize("text", ["left kidney", "upper pole of the right kidney", "lung nodule", "L3", "右肾"])
def test_a_known_name_is_resolved_without_numpy_and_without_reading_a_model(text):
    lines = (
        "import sys",
        "from anatembed.language.query.resolver import Resolver",
        "from anatembed.language.vocabulary import Vocabulary",
        f"found = Resolver(Vocabulary.load()).resolve({text!r})",
        f"print(found.outcome, sorted({HEAVY!r} & sys.modules.keys()))",
    )
    said = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=True).stdout
    assert said.split(" ", 1)[1].strip() == "[]"
