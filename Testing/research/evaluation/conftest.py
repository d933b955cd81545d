"""One little evaluation for all parts: they read it and leave it as it is."""

import pytest
from little_bench import little_bench


@pytest.fixture(scope="session")
def bench(tmp_path_factory):
    return little_bench(tmp_path_factory.mktemp("training"))


@pytest.fixture(scope="session")
def second_model(tmp_path_factory):
    """The same scans for a model that is only compared: without baselines."""
    return little_bench(tmp_path_factory.mktemp("training"), with_baselines=False)
