"""What all parts work on."""

import numpy as np
import pytest
from anatembed.geometry import transform_points
from anatembed.scan.volume import Volume
from little_people import CENTRES_RAS
from phantoms import rotation
from planted import CANONICAL, planted_map, whole_body_map
from research.evaluation.bench import AFFINE, BOX, body_positions, covered


def test_every_scan_is_prepared_and_has_both_lookups(bench):
    for scan in bench.scans:
        assert set(scan.lookups) == {BOX, AFFINE}
        place = scan.lookups[AFFINE].locate("liver")
        centre = next(s.centre for s in scan.case.present if s.concept == "liver")
        assert np.linalg.norm(place - centre) < 8
        assert bench.map(scan).source["name"] == scan.person


def test_the_annotated_scans_are_the_trunks(bench):
    assert [scan.person for scan in bench.trunks] == ["one", "two"]


def test_a_thin_slab_is_embedded_although_the_software_would_refuse_it(bench):
    thin = Volume(bench.scans[0].case.volume.array_kji[:3], bench.scans[0].case.volume.ijk_to_ras, "CT")
    assert bench.embed(thin).encoder_id == bench.checkpoint.encoder_id
    assert bench.prepare(thin).array_kji.shape[0] == 3


def test_a_training_person_is_read_and_a_missing_one_is_named(bench):
    assert bench.person("pt_013").ct_kji is not None
    with pytest.raises(FileNotFoundError, match="expected the training person nobody at .*nobody.npz"):
        bench.person("nobody")


@pytest.mark.parametrize("linear", [CANONICAL, np.diag([-6.0, 5.0, -7.0]), rotation((1, 2, 3), 20) @ CANONICAL])
def test_body_positions_are_voxels_of_the_body_in_the_world(linear):
    scan = planted_map([], linear=linear)
    positions = body_positions(scan, 50)
    assert positions.shape == (50, 3)
    kji = transform_points(np.linalg.inv(scan.ijk_to_ras), positions)[:, ::-1]
    np.testing.assert_allclose(kji, np.rint(kji), atol=1e-9)
    assert scan.body_kji[tuple(np.rint(kji).astype(int).T)].all()
    assert (positions == body_positions(scan, 50)).all()
    assert covered(scan, positions).all()


def test_a_small_body_gives_all_its_voxels():
    scan = whole_body_map()
    assert len(body_positions(scan, 10**6)) == scan.body_kji.sum()


def test_air_and_what_is_beyond_the_scan_are_not_covered():
    scan = whole_body_map()
    rim, far = scan.ijk_to_ras[:3, 3], np.array([0, 0, 9999.0])
    assert covered(scan, np.stack([rim, far, CENTRES_RAS["liver"]])).tolist() == [False, False, True]
