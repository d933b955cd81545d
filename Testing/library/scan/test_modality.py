import numpy as np
import pytest
from anatembed.scan.files import read_volume
from anatembed.scan.modality import check_is_ct
from anatembed.scan.volume import Volume
from phantoms import SAMPLE_SCAN, torso

NOISE = np.random.default_rng(1)


def altered(change):
    phantom = torso("canonical", modality="unknown", dtype=np.float32)
    return Volume(change(phantom.volume.array_kji), phantom.volume.ijk_to_ras)


def test_the_sample_scan_is_a_ct():
    check_is_ct(read_volume(SAMPLE_SCAN))


@pytest.mark.parametrize("modality", ["CT", "unknown", ""])
@pytest.mark.parametrize("padding", [-1000, -1024, -2000, -3024])
def test_a_ct_is_accepted_whatever_its_padding(modality, padding):
    scan = altered(lambda hu: np.where(hu == -1000, padding, hu))
    check_is_ct(Volume(scan.array_kji, scan.ijk_to_ras, modality))


def test_a_ct_cut_down_to_a_little_body_in_much_padding_is_accepted():
    def dose_region(hu):
        cut = np.full_like(hu, -1024)
        cut[10:20, 20:35, 25:45] = hu[10:20, 20:35, 25:45]
        return cut

    check_is_ct(altered(dose_region))


def test_a_ct_of_eight_bits_is_accepted():
    check_is_ct(altered(lambda hu: np.round(hu / 16) * 16))


@pytest.mark.parametrize("modality", ["MR", "PT", "US", "NM"])
def test_another_modality_is_refused_by_its_name(modality):
    with pytest.raises(ValueError, match=f"expected a CT, got .*modality {modality}"):
        check_is_ct(torso(modality=modality).volume)


@pytest.mark.parametrize(
    ("name", "change", "reason"),
    [
        ("normalised to 1", lambda hu: (hu + 1000) / 2000, "normalised"),
        ("z-scores", lambda hu: (hu - hu.mean()) / hu.std(), "normalised"),
        ("SUV of PET", lambda hu: NOISE.gamma(1, 3, hu.shape), "normalised"),
        ("one value", np.zeros_like, "values from 0 to 0.*one value"),
        ("counts of PET", lambda hu: NOISE.gamma(1, 3000, hu.shape), "PET"),
        ("MR", lambda hu: np.abs(NOISE.normal(300, 150, hu.shape)), "air near -1000.*MR"),
        ("MR with a little ringing", lambda hu: NOISE.normal(300, 80, hu.shape), "MR"),
        ("labels", lambda hu: np.digitize(hu, (-900, -10, 100)) * 40.0, "label map"),
        ("8-bit picture", lambda hu: np.round((hu + 1000) / 2000 * 255), "8-bit"),
        ("CT without its rescale", lambda hu: np.where(hu > -900, hu + NOISE.normal(1024, 20, hu.shape), 0), "rescale"),
        (
            "another scale",
            lambda hu: np.where(hu > -900, hu + 400, hu),
            "only .*of the denser",
        ),
    ],
)
def test_an_image_that_is_not_in_hounsfield_units_is_refused_with_the_reason(name, change, reason):
    with pytest.raises(ValueError, match=reason):
        check_is_ct(altered(change))


def test_a_normalised_ct_is_refused_even_when_it_says_that_it_is_a_ct():
    scan = altered(lambda hu: (hu + 1000) / 2000)
    with pytest.raises(ValueError, match="normalised"):
        check_is_ct(Volume(scan.array_kji, scan.ijk_to_ras, "CT"))
