"""The bundled scan and the bundled model through the MRML floor: embedded, seen, named, jumped to."""


import numpy as np
import pytest
import slicer.util
from anatembed.geometry import transform_points
from anatembed.language.vocabulary import Vocabulary
from anatembed.scan.files import read_volume
from anatembed.shipped_file import shipped_file
from AnatomicalEmbeddingLib import VolumeBridge
from headless_logic import HeadlessLogic
from placements import addScan, rotation, translation
from slice_view import SliceView

SCAN_FILE = shipped_file("cort_trunk_ct.nii.gz")
PARENT_TO_WORLD = translation((40, -25, 300)) @ rotation((0, 0, 1), 12)


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Where maps are kept: the bundled scan is embedded by the first test only."""
    return tmp_path_factory.mktemp("kept")


@pytest.fixture
def scan(scene):
    volume = read_volume(SCAN_FILE)
    return addScan(scene, volume.ijk_to_ras, PARENT_TO_WORLD, volume.array_kji, "Trunk")


@pytest.fixture
def logic(scene, scan, kept):
    """The scan embedded by the bundled model in a child process, as in Slicer; later ones take the map of the first."""
    headless = HeadlessLogic(scene, kept)
    headless.embed(scan, device="cpu")
    yield headless.logic
    headless.logic.cleanUp()


def found(logic, scan, name):
    answer = logic.locate(scan, name)
    assert answer.places, answer.reason
    return answer.places[0].position_ras


def hounsfield_at(scan, position_ras):
    i, j, k = np.rint(transform_points(np.linalg.inv(VolumeBridge.ijkToWorld(scan)), position_ras)).astype(int)
    return float(np.median(slicer.util.arrayFromVolume(scan)[k - 1 : k + 2, j - 1 : j + 2, i - 1 : i + 2]))


def test_organs_are_found_in_tissue_of_their_density(logic, scan):
    # The middle of a kidney may be the fat of its sinus.
    tissues = (("liver", 0, 160), ("spleen", 0, 160), ("right kidney", -90, 260), ("L3 vertebra", 80, 900))
    for name, low, high in tissues:
        assert low <= hounsfield_at(scan, found(logic, scan, name)) <= high, name


def test_right_is_right_and_up_is_up_under_the_transform(logic, scan):
    assert found(logic, scan, "liver")[0] > found(logic, scan, "spleen")[0] + 60
    assert found(logic, scan, "right kidney")[0] > found(logic, scan, "left kidney")[0] + 60
    assert found(logic, scan, "T12 vertebra")[2] > found(logic, scan, "L4 vertebra")[2] + 60


def test_what_is_not_in_the_scan_is_not_found_and_nonsense_is_not_understood(logic, scan):
    assert logic.locate(scan, "brain").refusal == "not in this scan"
    assert logic.locate(scan, "xqzzt").refusal == "not understood"


def test_the_middle_of_the_liver_is_called_liver(logic, scan):
    description = logic.describe(scan, found(logic, scan, "liver"))
    assert description.inside_body
    assert any("liver" in candidate.id for candidate in description.candidates)


def test_the_colours_cover_the_body_and_not_the_air(scene, applicationLogic, logic, scan):
    axial = SliceView(scene, applicationLogic, "Red", "Axial")
    axial.show(scan)
    liver_ras = found(logic, scan, "liver")
    axial.sliceNode.JumpSlice(*liver_ras)
    before = axial.picture()
    logic.showOverlay(scan, "colours", opacity=1)
    after = axial.picture()
    row, column = axial.pixel_of(liver_ras)
    red, green, blue = (int(value) for value in after[row, column])
    assert max(red, green, blue) - min(red, green, blue) > 10
    np.testing.assert_array_equal(after[:3, :], before[:3, :])


def test_here_names_the_place_that_find_gives(logic, scan):
    vocabulary = Vocabulary.load()
    levels = [f"{letter}{n} vertebra" for letter, ns in (("T", range(5, 13)), ("L", range(1, 6))) for n in ns]
    ribs = [f"{side} rib {n}" for side in ("left", "right") for n in range(5, 12)]
    organs = ["liver", "spleen", "stomach", "left kidney", "right kidney", "pancreas", "heart", "aorta"]
    for name in (*levels, *ribs, *organs):
        hit = logic.locate(scan, name).places[0]
        first = logic.describe(scan, hit.position_ras).candidates[0]
        related = {*vocabulary.descendants(hit.concept_id), *vocabulary.ancestors(hit.concept_id)}
        assert first.id == hit.concept_id or name in organs and first.id in related, (name, first)
        assert first.basis == hit.basis, name
