"""Slabs against the whole scan."""

import numpy as np
from research.evaluation import views
from research.evaluation.extension import accepted, extension, shifts_mm


def test_the_whole_scan_is_not_off_from_itself(bench):
    scan = bench.trunks[1]
    model, box, (height, _) = shifts_mm(bench, scan, scan.case.volume)
    assert len(model)
    assert model.max() < 1e-3
    np.testing.assert_allclose(box, 0, atol=1e-6)
    assert abs(height - 300) < 5  # that person stands 300 mm higher than the origin


def test_the_box_of_a_slab_stretches_the_body(bench):
    scan = bench.trunks[0]
    model, box, _ = shifts_mm(bench, scan, views.slab(scan.case.volume, 0.3, 10))
    assert np.median(box) > 10
    assert np.isfinite(model).all()


def test_air_has_no_coordinates_to_compare(bench):
    scan = bench.trunks[0]
    air = views.cropped(scan.case.volume, (0, 0, 0), (30, 2, 40))
    assert len(shifts_mm(bench, scan, air)[0]) == 0


def test_the_software_takes_the_scan_and_refuses_a_slab(bench):
    volume = bench.trunks[0].case.volume
    assert accepted(bench, volume) == 1
    assert accepted(bench, views.slab(volume, 0.5, 5)) == 0


def test_the_section_asks_for_slabs_of_two_kinds(bench):
    section = extension(bench)
    assert section.systems["embedding"]["accepted, 5 slices"] == 0
    assert section.systems["embedding"]["median mm off, 30 mm"] >= 0
    assert -1 <= section.systems["embedding"]["order, 5 slices"] <= 1
    assert section.systems["body box lookup"]["median mm off, 5 slices"] > 10
