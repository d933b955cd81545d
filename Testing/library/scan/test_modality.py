import numpy as np
import pytest
from anatembed.scan.files import read_volume
from anatembed.scan.modality import NotACT, check_is_ct
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
        ("8-bit picture", lambda hu: np.round((hu + 1000) / 2000 * 255), "8 bits"),
        ("CT without its rescale", lambda hu: np.where(hu > -900, hu + NOISE.normal(1024, 20, hu.shape), 0), "rescale"),
        (
            "another scale",
            lambda hu: np.where(hu > -900, hu + 400, hu),
            "only 0% of the voxels denser than lung are soft",
        ),
    ],
)
def test_an_image_that_is_not_in_hounsfield_units_is_refused_with_the_reason(name, change, reason):
    with pytest.raises(ValueError, match=reason):
        check_is_ct(altered(change))


REAL = read_volume(SAMPLE_SCAN)
HU = REAL.array_kji.astype(np.float32)


def shifted_by_a_slice(hu):
    return np.clip(hu - np.roll(hu, 1, axis=0) + NOISE.normal(0, 5, hu.shape), -300, 300)


@pytest.mark.parametrize("modality", ["CT", "unknown"])
@pytest.mark.parametrize(
    ("name", "change", "reason"),
    [
        ("stored values", lambda hu: hu + 1024, "without its rescale"),
        ("stored values from 0 to 4095", lambda hu: np.clip(hu + 1024, 0, 4095), "without its rescale"),
        ("stored values with padding", lambda hu: np.where(hu < -1010, -2000, hu + 1024), "without its rescale"),
        ("rescaled twice", lambda hu: hu - 1024, "scale"),
        ("read as unsigned", lambda hu: hu.astype(np.int16).astype(np.uint16), "read as unsigned"),
        ("a window of 8 bits", lambda hu: np.clip((hu + 160) / 400 * 255, 0, 255).round(), "8 bits"),
        ("read as 8 bits", lambda hu: hu.astype(np.int16).astype(np.int8), "8 bits"),
        ("read as unsigned 8 bits", lambda hu: hu.astype(np.int16).astype(np.uint8), "8 bits"),
        ("inverted round 0", lambda hu: -hu, "."),
        ("inverted in 12 bits", lambda hu: 2047 - hu, "no air, lung or fat"),
        ("twice as steep", lambda hu: hu * 2, "air and lung lie at"),
        ("half as steep", lambda hu: hu / 2, "."),
        ("normalised", lambda hu: (hu + 1000) / 2000, "normalised"),
        ("a label map", lambda hu: np.digitize(hu, np.arange(-900, 1000, 15)), "label map"),
        ("a mask", lambda hu: (hu > -200) * 255, "8 bits"),
        ("a dose", lambda hu: np.clip(hu + 1000, 0, None) * 0.03, "normalised"),
        ("a dose in cGy", lambda hu: np.clip(hu + 1000, 0, None) * 3.1, "no air, lung or fat"),
        ("a difference", shifted_by_a_slice, "difference of two scans"),
        ("cut out with 0 around", lambda hu: np.where(hu < -500, 0, hu), "exactly 0"),
    ],
)
def test_a_real_ct_that_is_no_longer_in_hounsfield_units_is_refused_whatever_its_tag_says(
    name, change, reason, modality
):
    with pytest.raises(NotACT, match=reason):
        check_is_ct(Volume(change(HU), REAL.ijk_to_ras, modality))


@pytest.mark.parametrize("modality", ["CT", "unknown"])
@pytest.mark.parametrize("middle", [(84, 60, 82), (60, 50, 110), (110, 60, 60), (30, 60, 82)])
def test_a_crop_inside_the_body_is_a_ct(middle, modality):
    box = tuple(slice(max(0, at - 16), at + 16) for at in middle)
    check_is_ct(Volume(REAL.array_kji[box], REAL.ijk_to_ras, modality))


def test_a_crop_without_any_air_is_a_ct():
    best = REAL.array_kji[48:80, 40:64, 90:114]
    assert best.min() > -300
    check_is_ct(Volume(best, REAL.ijk_to_ras))


def test_a_normalised_ct_is_refused_even_when_it_says_that_it_is_a_ct():
    scan = altered(lambda hu: (hu + 1000) / 2000)
    with pytest.raises(ValueError, match="normalised"):
        check_is_ct(Volume(scan.array_kji, scan.ijk_to_ras, "CT"))
