import threading

import nibabel
import numpy as np
import pytest
from anatembed.maps.slice_planes import in_words
from anatembed.scan.files import write_volume
from anatembed.serve import scan_tools
from anatembed.serve.markups import Finding
from anatembed.serve.open_scans import OpenScans
from opened_people import HERE, near, never, planted_embed, silent, tools_for
from phantoms import torso
from planted import CENTRES_RAS, planted_map

HEART = CENTRES_RAS["heart_ventricle_left"]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return tmp_path_factory.mktemp("results")


@pytest.fixture(scope="module")
def tools(folder, results):
    """For questions; `fresh` is for what opens or closes scans."""
    return tools_for(folder, output=results)


@pytest.fixture(scope="module")
def scan_id(tools):
    return tools.open_scan("scan.nii.gz", silent, never).scan_id


@pytest.fixture
def fresh(folder, tmp_path):
    return tools_for(folder, output=tmp_path)


def test_an_open_scan_says_its_grid_its_place_in_mm_and_what_can_be_asked(fresh):
    scan_id = fresh.open_scan("scan.nii.gz", silent, never).scan_id
    (facts,) = fresh.list_open_scans().scans
    assert facts.scan_id == scan_id
    assert (facts.shape_ijk, facts.spacing_mm) == ((70, 50, 30), (5.0, 5.0, 5.0))
    assert (facts.bounds.low_ras_mm, facts.bounds.high_ras_mm) == ((-175.0, -125.0, -75.0), (175.0, 125.0, 75.0))
    assert facts.frame == "RAS mm"
    assert set(facts.can_be_asked) >= {"locate", "crop_patch"}
    assert facts.structures_known == 6


def test_a_scan_that_is_open_is_not_embedded_again_until_its_file_changes(folder, tmp_path):
    made = []

    def embed(*one, **options):
        made.append(one)
        return planted_embed(*one, **options)

    tools = tools_for(tmp_path, embed=embed)
    path = tmp_path / "scan.nii.gz"
    path.write_bytes((folder / "scan.nii.gz").read_bytes())
    first = tools.open_scan("scan.nii.gz", silent, never).scan_id
    assert tools.open_scan(str(path), silent, never).scan_id == first
    assert len(made) == 1
    write_volume(torso(dtype=np.float32).volume, path)
    assert tools.open_scan("scan.nii.gz", silent, never).scan_id != first
    assert len(made) == 2


@pytest.mark.parametrize("path", ["../secret.nii.gz", "/etc/passwd", "nothing.nii.gz", "", "a\0"])
def test_a_wrong_path_opens_nothing(fresh, path):
    with pytest.raises((ValueError, FileNotFoundError)):
        fresh.open_scan(path, silent, never)
    assert fresh.list_open_scans().scans == []


def test_a_closed_scan_cannot_be_asked(fresh):
    scan_id = fresh.open_scan("scan.nii.gz", silent, never).scan_id
    assert fresh.close_scan(scan_id).still_open == []
    with pytest.raises(ValueError, match="no open scan 'scan1'"):
        fresh.locate(scan_id, "liver")


def test_files_and_folders_are_listed_and_nothing_else(folder, tmp_path):
    (tmp_path / "inner").mkdir()
    for name in ("a.nii.gz", "B.NRRD", "notes.txt"):
        (tmp_path / name).write_bytes(b"x" * 10_000)
    tools = tools_for(tmp_path)
    (root,) = tools.list_files().entries
    assert (root.kind, root.size_mb) == ("folder", None)
    names = [(one.path.rsplit("/", 1)[-1], one.kind, one.size_mb) for one in tools.list_files(root.path).entries]
    assert names == [("B.NRRD", "file", 0.01), ("a.nii.gz", "file", 0.01), ("inner", "folder", None)]


def test_a_long_list_of_files_is_cut_and_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(scan_tools, "MOST_LISTED", 3)
    for number in range(5):
        (tmp_path / f"{number}.nii").touch()
    found = tools_for(tmp_path).list_files(str(tmp_path))
    assert (len(found.entries), found.left_out) == (3, 2)


def test_a_sentence_with_a_structure_is_located(tools, scan_id):
    found = tools.locate(scan_id, "take a second look at the left ventricle")
    assert (found["decision"], found["options"]) == ("go", [])
    (best,) = found["places"]
    assert (best["id"], best["side"]) == ("heart_ventricle_left", "left")
    assert near(best["position_ras_mm"], HEART)
    assert best["in_words"] == in_words(best["position_ras_mm"])
    assert best["in_words"].startswith("L ")
    assert 0 < best["confidence"] <= best["presence"] <= 1


@pytest.mark.parametrize("text", ["kidney", "the kidneys", "Niere", "ren"])
def test_without_a_side_there_are_options_with_their_places_and_no_place_is_gone_to(tools, scan_id, text):
    found = tools.locate(scan_id, text)
    assert (found["decision"], found["places"]) == ("choose", [])
    assert [one["side"] for one in found["options"]] == ["left", "right"]
    for one in found["options"]:
        assert near(one["place"]["position_ras_mm"], CENTRES_RAS[one["id"]])
    assert found["reason"]


@pytest.mark.parametrize("side", ["left", "right"])
def test_with_a_side_the_place_is_on_that_side(tools, scan_id, side):
    best = tools.locate(scan_id, f"{side} kidney")["places"][0]
    assert best["side"] == side
    assert near(best["position_ras_mm"], CENTRES_RAS[f"kidney_{side}"])
    assert best["label"] == f"{side} kidney"


def test_what_is_understood_but_not_in_the_scan_is_not_found(tools, scan_id):
    found = tools.locate(scan_id, "spleen")
    assert (found["decision"], found["refusal"], found["places"]) == ("refuse", "not in this scan", [])
    assert "not in this scan" in found["reason"]


def test_nonsense_is_refused(tools, scan_id):
    found = tools.locate(scan_id, "flurbogast")
    assert (found["decision"], found["refusal"], found["places"]) == ("refuse", "not understood", [])


def test_what_is_only_probably_meant_is_confirmed_first(tools, scan_id):
    found = tools.locate(scan_id, "livr")
    assert (found["decision"], found["places"]) == ("choose", [])
    assert [one["name"] for one in found["options"]] == ["liver"]


@pytest.mark.parametrize("text", ["", "  ", "x" * 501])
def test_a_text_without_words_or_too_long_is_a_mistake(tools, scan_id, text):
    with pytest.raises(ValueError, match="expected a text of 1 to 500 characters"):
        tools.locate(scan_id, text)


def test_numbers_of_answers_are_bounded(tools, scan_id):
    for number in (0, 21):
        with pytest.raises(ValueError, match="expected 1 to 20"):
            tools.locate(scan_id, "liver", number)
        with pytest.raises(ValueError, match="expected 1 to 20"):
            tools.describe_point(scan_id, (0, 0, 0), number)


def test_a_point_is_named_with_its_side(tools, scan_id):
    found = tools.describe_point(scan_id, CENTRES_RAS["kidney_left"])
    assert found["inside_body"]
    assert (found["names"][0]["name"], found["names"][0]["side"]) == ("left kidney", "left")
    assert found["position_ras_mm"] == CENTRES_RAS["kidney_left"]
    assert not tools.describe_point(scan_id, (95, 0, 0))["inside_body"]


@pytest.mark.parametrize("position", [(1, 2), (1, 2, "x"), (1, 2, float("nan")), None, (0, 0, 900)])
def test_what_is_no_position_in_the_scan_is_a_mistake(tools, scan_id, position):
    with pytest.raises(ValueError, match="three finite numbers|outside the scan"):
        tools.describe_point(scan_id, position)


def test_structures_are_listed_from_head_to_foot_with_their_boxes(tools, scan_id):
    found = tools.list_structures(scan_id, silent, never)
    heights = [one["position_ras_mm"][2] for one in found.structures]
    assert heights == sorted(heights, reverse=True)
    assert {one["id"] for one in found.structures} == set(CENTRES_RAS) - {"spleen"}
    assert (found.in_view, found.looked_for) == (5, 6)
    for one in found.structures:
        centre = np.array(CENTRES_RAS[one["id"]])
        assert near(one["position_ras_mm"], centre)
        # The planted balls have a radius of 16 mm, and the map voxels of 6 mm.
        np.testing.assert_allclose(one["bounds"].low_ras_mm, centre - 16, atol=8)
        np.testing.assert_allclose(one["bounds"].high_ras_mm, centre + 16, atol=8)
        assert one["presence"] >= found.least_presence


def test_structures_are_computed_once_and_filtered_by_name(tools, scan_id, monkeypatch):
    tools.list_structures(scan_id, silent, never)
    monkeypatch.setattr(scan_tools, "extent_of", None)
    found = tools.list_structures(scan_id, silent, never, "KIDNEY")
    assert {one["label"] for one in found.structures} == {"left kidney", "right kidney"}
    assert found.in_view == 5


def test_a_patch_of_a_structure_shows_the_scan_around_its_best_hit(tools, scan_id):
    facts, drawn = tools.crop_patch(scan_id, structure="second look at the left ventricle", size_mm=100, letters=False)
    assert near(facts.centre_ras_mm, HEART)
    assert facts.of == "left ventricle of heart"
    assert facts.note == "Left ventricle of heart: found."
    assert (facts.left_is, facts.right_is, facts.top_is, facts.bottom_is) == ("R", "L", "A", "P")
    assert (facts.level_hu, facts.width_hu) == (40, 400)
    assert "right is at the left" in facts.convention
    assert drawn.image.size == (512, 512)
    assert facts.pixel_mm == pytest.approx(100 / 512, abs=1e-4)
    assert (facts.png, facts.nifti) == (None, None)


def test_a_patch_is_written_as_picture_and_volume_only_where_that_is_allowed(tools, scan_id, results, folder):
    options = {"position_ras": (-70, 10, -10), "size_mm": 60}
    facts, drawn = tools.crop_patch(scan_id, png="p.png", nifti="p.nii.gz", **options)
    assert (results / "p.png").read_bytes()[:4] == b"\x89PNG"
    image = nibabel.load(results / "p.nii.gz")
    assert image.shape == facts.nifti_shape_ijk
    ijk = np.linalg.inv(image.affine) @ (-70, 10, -10, 1)
    assert image.get_fdata()[tuple(np.rint(ijk[:3]).astype(int))] == 400
    with pytest.raises(ValueError, match="outside"):
        tools.crop_patch(scan_id, nifti=str(folder / "new.nii.gz"), **options)
    with pytest.raises(ValueError, match="ends in .png"):
        tools.crop_patch(scan_id, png="p.exe", **options)
    (results / "mine.png").write_bytes(b"of the user")
    with pytest.raises(ValueError, match="already"):
        tools.crop_patch(scan_id, png="mine.png", **options)
    assert (results / "mine.png").read_bytes() == b"of the user"


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({}, "either a position or the name"),
        ({"structure": "liver", "position_ras": (0, 0, 0)}, "either a position or the name"),
        ({"structure": "kidney"}, r"options: left kidney, right kidney"),
        ({"structure": "spleen"}, "not in this scan"),
        ({"structure": "flurbogast"}, "no patch: No anatomical structure"),
        ({"structure": "liver", "plane": "oblique"}, "expected a plane"),
        ({"structure": "liver", "window": "sun"}, "expected a window"),
        ({"structure": "liver", "level": 4.0}, "level and width together"),
        ({"structure": "liver", "size_mm": 4000}, "expected a size"),
        ({"position_ras": (0, 0, 400)}, "outside the scan"),
    ],
)
def test_a_patch_of_what_is_not_clear_or_not_there_is_refused(tools, scan_id, options, reason):
    with pytest.raises(ValueError, match=reason):
        tools.crop_patch(scan_id, **options)


def test_a_saved_map_has_no_patch(fresh, tmp_path):
    planted_map(HERE).save(tmp_path / "m.npz")
    facts = fresh.open_scan("m.npz", silent, never)
    assert not facts.has_voxels
    assert "crop_patch" not in facts.can_be_asked
    with pytest.raises(ValueError, match="saved map without voxels"):
        fresh.crop_patch(facts.scan_id, structure="liver")
    assert fresh.locate(facts.scan_id, "liver")["decision"] == "go"


def test_a_point_is_matched_between_two_scans(fresh):
    scan_id = fresh.open_scan("scan.nii.gz", silent, never).scan_id
    other = fresh.open_scan("earlier.nii.gz", silent, never).scan_id
    found = fresh.match_point(scan_id, CENTRES_RAS["liver"], other)
    assert near(found.other_position_ras_mm, CENTRES_RAS["liver"], 8)
    assert found.confidence > 0.5
    assert found.advice == ""
    assert "outside the body" in fresh.match_point(scan_id, (95, 0, 0), other).advice
    with pytest.raises(ValueError, match="expected two scans"):
        fresh.match_point(scan_id, (0, 0, 0), scan_id)
    with pytest.raises(ValueError, match="no open scan"):
        fresh.match_point(scan_id, (0, 0, 0), "scan99")


def test_a_report_is_read_beside_the_scan(tools, scan_id):
    read = tools.read_report(scan_id, "The liver is normal. Spleen is not seen. Cyst in the kidney.", silent, never)
    liver, spleen, kidney = read["mentions"]
    assert near(liver["places"][0]["position_ras_mm"], CENTRES_RAS["liver"])
    assert (spleen["decision"], spleen["refusal"], spleen["places"]) == ("refuse", "not in this scan", [])
    assert [one["side"] for one in kidney["options"]] == ["left", "right"] and kidney["decision"] == "choose"
    assert any("liver" in one["shows"] for one in read["key_slices"])
    assert read["key_slices"][0]["scan_slice"]["of"] == 30
    for text in ("", "x" * 20_001):
        with pytest.raises(ValueError, match="expected"):
            tools.read_report(scan_id, text, silent, never)


def test_the_options_keep_the_part_that_is_meant(tools, scan_id):
    found = tools.locate(scan_id, "upper pole of the kidney")
    assert (found["decision"], len(found["options"])) == ("choose", 2)
    for option in found["options"]:
        best = tools.locate(scan_id, option["name"])["places"][0]
        assert best == option["place"] and best["side"] == option["side"]
        assert best["position_ras_mm"][2] > CENTRES_RAS["kidney_left"][2]


def test_findings_are_saved_only_if_all_lie_in_the_scan(tools, scan_id, results):
    good = Finding("left ventricle", HEART, "second look")
    saved = tools.save_findings(scan_id, [good], "findings.mrk.json")
    assert saved.path == str((results / "findings.mrk.json").resolve())
    assert saved.findings == 1
    for bad in (
        Finding("far", (0, 0, 999)), Finding("", HEART), Finding("x" * 201, HEART), Finding("x", HEART, "y" * 4001),
        Finding("nan", (0, 0, float("nan"))),
    ):  # fmt: skip
        with pytest.raises(ValueError, match="expected|outside"):
            tools.save_findings(scan_id, [good, bad], "bad.mrk.json")
    for amount in (0, 501):
        with pytest.raises(ValueError, match="expected 1 to 500 findings"):
            tools.save_findings(scan_id, [good] * amount, "bad.mrk.json")
    assert not (results / "bad.mrk.json").exists()
    with pytest.raises(ValueError, match=r"ends in \.mrk\.json"):
        tools.save_findings(scan_id, [good], "findings.json")


def test_only_so_many_scans_stay_open(folder):
    tools = tools_for(folder, scans=OpenScans(most=1))
    first = tools.open_scan("scan.nii.gz", silent, never).scan_id
    tools.open_scan("earlier.nii.gz", silent, never)
    with pytest.raises(ValueError, match=f"no open scan '{first}'"):
        tools.locate(first, "liver")
    assert tools.list_open_scans().at_most == 1


class Stop(BaseException):
    """As what ends a thread that is no longer wanted."""


def test_one_who_waits_for_another_scan_to_be_opened_can_give_up(folder):
    started, go_on = threading.Event(), threading.Event()

    def embed(*one, **options):
        started.set()
        assert go_on.wait(20)
        return planted_embed(*one, **options)

    def give_up():
        raise Stop

    tools = tools_for(folder, embed=embed)
    thread = threading.Thread(target=tools.open_scan, args=("scan.nii.gz", silent, never))
    thread.start()
    assert started.wait(20)
    with pytest.raises(Stop):
        tools.open_scan("earlier.nii.gz", silent, give_up)
    go_on.set()
    thread.join(20)
    assert [one.scan_id for one in tools.list_open_scans().scans] == ["scan1"]


def test_a_scan_whose_embedding_is_given_up_is_not_open_and_the_next_one_is(folder):
    tools = tools_for(folder)

    def give_up():
        raise Stop

    with pytest.raises(Stop):
        tools.open_scan("scan.nii.gz", silent, give_up)
    assert tools.list_open_scans().scans == []
    assert tools.open_scan("scan.nii.gz", silent, never).scan_id == "scan1"
