import importlib.util
from pathlib import Path

import numpy as np
import pytest
from anatembed.geometry import transform_points
from phantoms import AIR_HU, LEFT, RIGHT, centre_of_values, torso

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "make_sample_scan.py"


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("make_sample_scan", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("geometry", ["as DICOM stores it", "off origin", "anisotropic"])
def test_the_sample_is_the_body_of_the_source_at_the_same_place_without_the_couch(script, geometry):
    phantom = torso(geometry, couch=True)
    sample = script.sample_scan(phantom.volume)
    assert sample.array_kji.size < phantom.volume.array_kji.size
    for label, low, high in ((RIGHT, 140, 160), (LEFT, 390, 410)):
        found = centre_of_values(sample.array_kji, sample.ijk_to_ras, low, high)
        np.testing.assert_allclose(found, phantom.centre_of(label), atol=2)
    couch_ras = phantom.centre_ras + (130, -115, 0)
    i, j, k = np.round(transform_points(np.linalg.inv(sample.ijk_to_ras), couch_ras)).astype(int)
    shape = np.array(sample.array_kji.shape)
    outside = (np.array([k, j, i]) < 0).any() or (np.array([k, j, i]) >= shape).any()
    assert outside or sample.array_kji[k, j, i] == AIR_HU
