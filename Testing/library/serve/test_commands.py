import errno
import io
import json
import os
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from anatembed.language.vocabulary import Vocabulary
from anatembed.maps.cache import MapCache
from anatembed.maps.embedding_map import EmbeddingMap
from anatembed.model.checkpoint import FORMAT, load_checkpoint
from anatembed.scan.volume_file import save_volume
from bad_scans import BAD_SCANS
from phantoms import torso
from PIL import Image
from planted import CENTRES_RAS, planted_map
from zipped_scans import zipped


@pytest.fixture
def ask(anatembed, planted, planted_model):
    """ask("liver") looks for it in the planted map."""
    return lambda text, *more: anatembed("locate", planted, text, "--model", planted_model, *more)


def test_what_is_found_has_the_documented_form(ask):
    said = ask("left kidney", "--json")
    document = said.document
    assert said.code == 0
    assert set(document) == {
        "query", "decision", "refusal", "reason", "caution", "places", "less_likely", "options", "understood",
        "suggestions", "where", "presence", "seconds", "frame",
    }
    assert (document["decision"], document["refusal"], document["caution"], document["where"]) == ("go", *[None] * 3)
    assert document["understood"] == [{"id": "kidney_left", "name": "left kidney", "side": "left"}]
    (best,) = document["places"]
    assert set(best) == {"label", "id", "side", "position_ras_mm", "in_words", "confidence", "presence"}
    assert (best["label"], best["side"]) == ("left kidney", "left")
    assert 0.5 < best["confidence"] <= best["presence"] == document["presence"]
    assert best["id"] == "kidney_left"
    assert np.linalg.norm(np.array(best["position_ras_mm"]) - CENTRES_RAS["kidney_left"]) < 6


def test_a_part_is_named_in_its_hits_and_its_place_is_given(ask):
    document = ask("upper half of the left kidney", "--json").document
    assert document["places"][0]["label"] == "upper half of left kidney"
    assert document["places"][0]["id"] == "kidney_left"
    assert document["places"][0]["position_ras_mm"][2] > CENTRES_RAS["kidney_left"][2]
    assert document["where"] == {
        "kind": "part", "directions": ["superior"], "share": "half", "others": [], "words": "upper half of",
    }
    assert "upper half of left kidney  RAS" in ask("upper half of the left kidney").out


def test_the_words_of_a_place_are_resolved_without_a_scan(anatembed):
    document = anatembed("resolve", "aorta at L3", "--json").document
    assert document["where"]["others"] == ["vertebrae_L3"]
    assert (document["where"]["kind"], document["where"]["share"]) == ("level", None)
    assert anatembed("resolve", "kidney", "--json").document["where"] is None


@pytest.mark.parametrize("more", [(), ("-k", "1")])
def test_what_has_to_be_chosen_is_exit_code_6_with_a_place_for_every_option(ask, more):
    said = ask("kidney", "--json", *more)
    assert (said.code, said.document["decision"], said.document["places"]) == (6, "choose", [])
    for option, side in zip(said.document["options"], ("left", "right"), strict=True):
        assert (option["name"], option["id"], option["side"]) == (f"{side} kidney", f"kidney_{side}", side)
        away = np.array(option["place"]["position_ras_mm"]) - CENTRES_RAS[option["id"]]
        assert np.linalg.norm(away) < 6
    lines = ask("kidney").out.splitlines()
    assert lines[0] == "“kidney” exists on both sides. Choose left or right."
    assert lines[1].startswith("  - left kidney: RAS (") and lines[2].startswith("  - right kidney: RAS (")


def test_what_is_only_probably_meant_is_exit_code_6_with_one_option(ask):
    said = ask("livr", "--json")
    assert (said.code, [one["name"] for one in said.document["options"]]) == (6, ["liver"])


def test_a_structure_outside_the_scan_is_exit_code_3_with_the_reason(ask):
    said = ask("spleen", "--json")
    assert said.code == 3
    assert (said.document["decision"], said.document["refusal"]) == ("refuse", "not in this scan")
    assert said.document["places"] == said.document["options"] == []
    assert "not in this scan" in said.document["reason"]
    assert said.document["presence"] < 0.5
    assert [one["id"] for one in said.document["understood"]] == ["spleen"]


def test_a_structure_that_was_not_learnt_is_exit_code_3_with_another_reason(ask):
    said = ask("mandible", "--json")
    assert said.code == 3
    assert said.document["refusal"] == "not learnt" and "not learnt" in said.document["reason"]


def test_a_finding_is_exit_code_4_and_named_as_one(ask):
    said = ask("lung nodule", "--json")
    assert (said.code, said.document["decision"], said.document["refusal"]) == (4, "refuse", "finding")
    assert "nodule" in said.document["reason"]


def test_a_part_that_was_not_learnt_is_shown_by_its_whole_with_a_caution(ask):
    said = ask("liver segment 2", "--json")
    assert (said.code, said.document["decision"], said.document["places"][0]["id"]) == (0, "go", "liver")
    assert "the whole is shown" in said.document["caution"]
    assert ask("liver segment 2").out.splitlines()[1].startswith("Caution: ")


def test_nonsense_is_exit_code_4_with_the_reason(ask):
    said = ask("flurbogast", "--json")
    assert said.code == 4
    assert said.document["understood"] == said.document["places"] == said.document["suggestions"] == []
    assert "flurbogast" in said.document["reason"]


def test_without_json_people_read_lines(ask):
    said = ask("liver")
    assert said.out.splitlines()[0] == "Liver: found."
    assert "mm" in said.out.splitlines()[1]
    with pytest.raises(json.JSONDecodeError):
        said.document  # noqa: B018


def test_a_scan_is_embedded_on_the_fly(anatembed, scan, tiny_model):
    said = anatembed("locate", scan, "liver", "--model", tiny_model, "--json")
    assert said.code in (0, 3)
    assert said.document["understood"][0]["id"] == "liver"


@pytest.fixture
def embeddings(monkeypatch):
    """The scans that the network was asked for."""
    from anatembed.maps import inference

    asked, true = [], inference.embed
    monkeypatch.setattr(inference, "embed", lambda *one, **more: asked.append(one) or true(*one, **more))
    return asked


def answers(said) -> dict:
    """A document without what differs from one time to the next."""
    return {name: value for name, value in said.document.items() if name != "seconds"}


def test_a_scan_is_embedded_once_for_all_questions(anatembed, scan, tiny_model, embeddings, own_cache):
    asked = [anatembed("locate", scan, "liver", "--model", tiny_model, "--json") for _ in range(2)]
    anatembed("describe", scan, "--ras", "0", "0", "0", "--model", tiny_model)
    assert len(embeddings) == MapCache(own_cache).contents()[0] == 1
    assert answers(asked[0]) == answers(asked[1])
    assert "warnings" not in asked[0].document


def test_a_map_that_is_written_is_the_one_that_was_kept(anatembed, scan, tiny_model, embeddings, tmp_path):
    for name in ("first.npz", "second.npz"):
        assert anatembed("embed", scan, "-o", tmp_path / name, "--model", tiny_model).code == 0
    first, second = (EmbeddingMap.load(tmp_path / name) for name in ("first.npz", "second.npz"))
    assert len(embeddings) == 1
    np.testing.assert_array_equal(first.features_ckji, second.features_ckji)


def test_no_map_is_kept_or_used_where_that_is_not_wanted(anatembed, scan, tiny_model, embeddings, own_cache):
    for options in ((), ("--no-cache",), ("--no-cache",)):
        anatembed("locate", scan, "liver", "--model", tiny_model, *options)
    assert len(embeddings) == 3
    own_cache.rename(own_cache.with_name(f"{own_cache.name} away"))
    anatembed("locate", scan, "liver", "--model", tiny_model, "--no-cache")
    assert not own_cache.exists()


def test_maps_may_be_kept_in_a_folder_of_ones_own(anatembed, scan, tiny_model, own_cache, tmp_path):
    anatembed("locate", scan, "liver", "--model", tiny_model, "--cache", tmp_path / "maps")
    assert MapCache(tmp_path / "maps").contents()[0] == 1
    assert not own_cache.exists()


def test_a_cache_that_keeps_nothing_is_a_note_beside_the_answer(anatembed, scan, tiny_model, own_cache):
    own_cache.parent.mkdir(exist_ok=True)
    own_cache.write_text("a file where the folder should be")
    said = anatembed("locate", scan, "liver", "--model", tiny_model, "--json")
    assert said.code in (0, 3)
    (sentence,) = said.document["warnings"]
    assert said.err == f"anatembed: {sentence}\n"
    assert sentence.startswith("the map cannot be kept in")
    for line in anatembed("locate", scan, "liver", "--model", tiny_model, "--progress", "json").err.splitlines():
        assert json.loads(line).get("warning", sentence) == sentence


def test_a_program_without_a_home_works_without_a_cache(anatembed, scan, tiny_model, monkeypatch):
    def nowhere():
        raise RuntimeError("Could not determine home directory.")

    for name in ("ANATEMBED_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", nowhere)
    said = anatembed("locate", scan, "liver", "--model", tiny_model)
    assert said.code in (0, 3)
    assert said.err == "anatembed: maps are not kept: Could not determine home directory.\n"


def test_a_zip_of_a_scan_is_a_scan(anatembed, scan, tiny_model, embeddings, tmp_path):
    archive = zipped(tmp_path / "scan.zip", {"somewhere/scan.nii.gz": scan.read_bytes()})
    of_the_file, of_the_zip = (
        anatembed("locate", path, "liver", "--model", tiny_model, "--json") for path in (scan, archive)
    )
    assert answers(of_the_file) == answers(of_the_zip)
    assert len(embeddings) == 1
    refused = anatembed("locate", zipped(tmp_path / "bad.zip", {"../scan.nii.gz": b"x"}), "liver")
    assert (refused.code, refused.out, refused.err.count("\n")) == (2, "", 1)


def test_embedding_writes_a_map_that_tells_where_it_comes_from(anatembed, scan, tiny_model, tmp_path):
    output = tmp_path / "map.npz"
    said = anatembed("embed", scan, "-o", output, "--model", tiny_model, "--json")
    assert said.code == 0
    assert said.document["map"] == str(output)
    saved = EmbeddingMap.load(output)
    assert saved.source["name"] == "scan.nii.gz"
    assert list(saved.shape_kji) == said.document["shape_kji"]
    assert [path.name for path in tmp_path.iterdir()] == ["map.npz"]


def test_a_map_is_recognised_by_its_content(anatembed, planted, planted_model, tmp_path):
    renamed = tmp_path / "looks_like_a_scan.nii.gz"
    renamed.write_bytes(planted.read_bytes())
    assert anatembed("locate", renamed, "liver", "--model", planted_model).code == 0


def test_describing_a_place(anatembed, planted, planted_model):
    said = anatembed("describe", planted, "--ras", *CENTRES_RAS["liver"], "--model", planted_model, "--json")
    assert said.code == 0
    assert said.document["inside_body"] is True
    first = said.document["names"][0]
    assert set(first) == {"id", "name", "side", "probability", "basis"}
    assert (first["id"], first["name"]) == ("liver", "liver")
    assert said.document["position_ras_mm"] == list(CENTRES_RAS["liver"])


def test_describing_air_gives_no_names(anatembed, planted, planted_model):
    corner = EmbeddingMap.load(planted).ijk_to_ras[:3, 3]
    said = anatembed("describe", planted, "--ras", *corner, "--model", planted_model, "--json")
    assert (said.code, said.document["inside_body"], said.document["names"]) == (0, False, [])


def test_a_point_outside_the_scan_is_bad_input(anatembed, planted, planted_model):
    said = anatembed("describe", planted, "--ras", "900", "0", "0", "--model", planted_model, "--json")
    assert (said.code, said.out) == (2, "")
    assert "outside the scan" in said.err


@pytest.mark.parametrize(("text", "decision", "code"), [("LV", "go", 0), ("kidney", "choose", 6), ("qzx", "refuse", 4)])
def test_resolving_needs_no_scan(anatembed, text, decision, code):
    said = anatembed("resolve", text, "--json")
    assert said.code == code
    assert said.document["decision"] == decision
    assert said.document["reason"]
    for one in said.document["understood"] + said.document["options"]:
        assert set(one) == {"id", "name", "side"}


def test_a_batch_answers_line_by_line_and_succeeds(anatembed, tmp_path):
    questions = tmp_path / "questions.txt"
    questions.write_text("left kidney\n\nqzx\r\nkidney", encoding="utf-8")
    said = anatembed("resolve", "--batch", questions)
    answers = [json.loads(line) for line in said.out.splitlines()]
    assert said.code == 0
    assert [one["decision"] for one in answers] == ["go", "refuse", "refuse", "choose"]
    assert [one["query"] for one in answers] == ["left kidney", "", "qzx", "kidney"]


def test_a_batch_must_be_a_text_file(anatembed, tmp_path):
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00liver")
    for name in ("binary", "missing"):
        said = anatembed("resolve", "--batch", tmp_path / name)
        assert (said.code, said.out, said.err.count("\n")) == (2, "", 1)


def test_terms_say_what_the_model_has_learnt(anatembed, planted_model):
    everything = anatembed("terms", "--model", planted_model, "--json").document
    assert everything["understood"] == len(Vocabulary.load())
    assert everything["learnt"] == 6
    kidneys = anatembed("terms", "KIDNEY", "--learnt", "--model", planted_model, "--json").document
    assert [row["id"] for row in kidneys["terms"]] == ["kidney_left", "kidney_right"]
    assert [row["side"] for row in kidneys["terms"]] == ["left", "right"]


def test_info_names_the_model_of_a_map(anatembed, planted, planted_model, tiny_model):
    own = anatembed("info", planted, "--model", planted_model, "--json").document
    assert own["encoder_id"] == load_checkpoint(planted_model).encoder_id
    assert own["fits_the_model_in_use"] is True
    assert own["bounds_ras"][0][0] == pytest.approx(-96)
    other = anatembed("info", planted, "--model", tiny_model, "--json").document
    assert other["fits_the_model_in_use"] is False


def test_a_map_of_another_model_is_not_searched(anatembed, planted, tiny_model):
    said = anatembed("locate", planted, "liver", "--model", tiny_model)
    assert (said.code, said.out) == (2, "")
    assert "another model" in said.err or "made by the model" in said.err


def test_the_overlay_of_a_scan_is_a_picture(anatembed, scan, tiny_model, tmp_path):
    output = tmp_path / "overlay.png"
    said = anatembed("overlay", scan, "-o", output, "--model", tiny_model, "--json")
    assert (said.code, said.document) == (0, {"output": str(output), "answer": None})
    with Image.open(output) as image:
        assert image.format == "PNG"
        assert min(image.size) > 500


def test_the_overlay_of_a_query_lies_where_the_structure_is(anatembed, planted, planted_model, tmp_path):
    output = tmp_path / "liver.nii.gz"
    said = anatembed("overlay", planted, "--query", "liver", "-o", output, "--model", planted_model, "--json")
    assert said.document["answer"]["decision"] == "go"
    image = sitk.ReadImage(str(output))
    right, anterior, superior = CENTRES_RAS["liver"]
    assert image[image.TransformPhysicalPointToIndex((-right, -anterior, superior))] > 0.9
    assert image[image.TransformPhysicalPointToIndex((right, -anterior, superior))] < 0.1


def test_the_overlay_of_uncertainty_lies_where_names_are_unsure(anatembed, planted, planted_model, tmp_path):
    output = tmp_path / "unsure.nii.gz"
    said = anatembed("overlay", planted, "--uncertainty", "-o", output, "--model", planted_model, "--json")
    assert (said.code, said.document) == (0, {"output": str(output), "answer": None})
    image = sitk.ReadImage(str(output))
    right, anterior, superior = CENTRES_RAS["liver"]
    assert image[image.TransformPhysicalPointToIndex((-right, -anterior, superior))] < 0.1
    assert image[image.TransformPhysicalPointToIndex((right, -anterior, superior))] > 0.9


def test_the_overlay_of_uncertainty_is_a_picture_of_its_own(anatembed, planted, planted_model, tmp_path):
    pictures = []
    for options in ((), ("--uncertainty",)):
        output = tmp_path / "overlay.png"
        assert anatembed("overlay", planted, *options, "-o", output, "--model", planted_model).code == 0
        pictures.append(np.asarray(Image.open(output)))
    assert pictures[0].shape == pictures[1].shape
    assert (pictures[0] != pictures[1]).any(axis=-1).mean() > 0.05


def test_an_overlay_shows_one_thing_at_a_time(anatembed, planted):
    said = anatembed("overlay", planted, "--uncertainty", "--query", "liver", "-o", "x.png")
    assert (said.code, said.out, said.err.count("\n")) == (2, "", 1)
    assert "not allowed with" in said.err


@pytest.mark.parametrize(("text", "code"), [("spleen", 3), ("mandible", 3), ("qzx", 4)])
def test_no_overlay_is_written_for_what_is_not_found(anatembed, planted, planted_model, tmp_path, text, code):
    output = tmp_path / "overlay.png"
    output.write_text("older")
    said = anatembed("overlay", planted, "--query", text, "-o", output, "--model", planted_model, "--json")
    assert said.code == code
    assert said.document["output"] is None
    assert said.document["answer"]["reason"]
    assert output.read_text() == "older"


@pytest.mark.parametrize("name", BAD_SCANS)
def test_a_bad_scan_is_one_sentence_and_leaves_the_older_output(anatembed, tiny_model, tmp_path, name):
    scan = BAD_SCANS[name](tmp_path)
    output = tmp_path / "older.npz"
    output.write_text("older")
    before = sorted(path.name for path in tmp_path.iterdir())
    said = anatembed("embed", scan, "-o", output, "--model", tiny_model)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("anatembed: ")
    assert said.err.count("\n") == 1
    assert "Traceback" not in said.err
    assert output.read_text() == "older"
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_a_scan_as_another_program_hands_it_over_gives_the_same_map(anatembed, tiny_model, tmp_path):
    volume = torso("gantry tilt").volume
    save_volume(volume, tmp_path / "scan.npz")
    said = anatembed("embed", tmp_path / "scan.npz", "-o", tmp_path / "map.npz", "--model", tiny_model)
    assert said.code == 0
    saved = EmbeddingMap.load(tmp_path / "map.npz")
    assert saved.source == {"name": volume.name, "content_hash": volume.content_hash, "modality": "CT"}
    assert anatembed("locate", tmp_path / "scan.npz", "liver", "--model", tiny_model).code in (0, 3)


def test_a_map_is_no_scan_to_embed(anatembed, planted, planted_model, tmp_path):
    said = anatembed("embed", planted, "-o", tmp_path / "map.npz", "--model", planted_model)
    assert (said.code, said.err.count("\n")) == (2, 1)
    assert "expected a scan" in said.err


def test_programs_are_not_told_of_the_option_that_people_have(anatembed, mr_scan, tiny_model, tmp_path):
    said = anatembed("embed", mr_scan, "-o", tmp_path / "m.npz", "--model", tiny_model, "--progress", "json")
    assert said.code == 2
    assert "--force" not in said.err


def test_an_mr_goes_through_by_force_only(anatembed, mr_scan, tiny_model, tmp_path):
    output = tmp_path / "map.npz"
    refused = anatembed("embed", mr_scan, "-o", output, "--model", tiny_model)
    assert refused.code == 2
    assert "MR" in refused.err
    assert "--force" in refused.err
    assert not output.exists()
    forced = anatembed("embed", mr_scan, "-o", output, "--model", tiny_model, "--force")
    assert forced.code == 0
    assert forced.err.startswith("anatembed: mr.nii.gz was embedded although it does not look like a CT")
    assert output.exists()


def test_a_damaged_model_is_bad_input(anatembed, planted, planted_model, tmp_path):
    damaged = tmp_path / "model.npz"
    with np.load(planted_model) as file:
        arrays = dict(file)
    arrays["readout/vectors"] = arrays["readout/vectors"] + np.float32(0.001)
    changed = io.BytesIO()
    np.savez(changed, **arrays)
    for data in (changed.getvalue(), planted_model.read_bytes()[:-100], b"no model", b""):
        damaged.write_bytes(data)
        said = anatembed("locate", planted, "liver", "--model", damaged)
        assert (said.code, said.out, said.err.count("\n")) == (2, "", 1)


def test_a_model_of_another_version_is_bad_input(anatembed, planted, planted_model, tmp_path):
    newer = tmp_path / "model.npz"
    with np.load(planted_model) as file:
        arrays = dict(file)
    arrays["meta"] = np.array(str(arrays["meta"]).replace(FORMAT, "anatembed-checkpoint/9"))
    np.savez(newer, **arrays)
    said = anatembed("locate", planted, "liver", "--model", newer)
    assert said.code == 2
    assert "version" in said.err


@pytest.mark.parametrize("command", ["embed", "overlay"])
@pytest.mark.parametrize("output", ["missing/out.nii.gz", "folder.nii.gz", "scan.nii.gz"])
def test_an_output_that_cannot_be_written_is_refused_before_the_work(anatembed, scan, tmp_path, command, output):
    (tmp_path / "folder.nii.gz").mkdir()
    (tmp_path / "scan.nii.gz").write_bytes(scan.read_bytes())
    said = anatembed(command, tmp_path / "scan.nii.gz", "-o", tmp_path / output, "--model", "never read")
    assert (said.code, said.out, said.err.count("\n")) == (2, "", 1)
    assert "never read" not in said.err
    assert (tmp_path / "scan.nii.gz").read_bytes() == scan.read_bytes()


def test_a_folder_without_the_right_to_write_is_bad_input(anatembed, scan, tiny_model, tmp_path, monkeypatch):
    # By a double, because the tests may run as root, who may write anywhere.
    monkeypatch.setattr(os, "access", lambda *_: False)
    said = anatembed("embed", scan, "-o", tmp_path / "map.npz", "--model", tiny_model)
    assert said.code == 2
    assert "cannot" in said.err


def _full(*_, **__):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize(
    ("command", "name", "writer"),
    [
        ("embed", "out.npz", "numpy.lib.format.write_array"),
        ("overlay", "out.png", "PIL.Image.Image.save"),
        ("overlay", "out.nii.gz", "nibabel.save"),
    ],
)
def test_a_full_disk_leaves_what_was_there(anatembed, scan, tiny_model, tmp_path, monkeypatch, command, name, writer):
    output = tmp_path / name
    output.write_text("older")
    monkeypatch.setattr(writer, _full)
    said = anatembed(command, scan, "-o", output, "--model", tiny_model)
    assert (said.code, said.out, said.err.count("\n")) == (2, "", 1)
    assert "No space left on device" in said.err
    assert output.read_text() == "older"
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_limit_on_the_size_of_files_acts_like_a_full_disk(anatembed, planted, planted_model, tmp_path):
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, before[1]))
    try:
        said = anatembed("overlay", planted, "-o", tmp_path / "out.nii.gz", "--model", planted_model)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (said.code, said.out, said.err.count("\n")) == (2, "", 1)
    assert list(tmp_path.iterdir()) == []


def test_a_map_that_is_cut_off_is_bad_input(anatembed, planted, planted_model, tmp_path):
    cut = Path(tmp_path / "cut.npz")
    cut.write_bytes(planted.read_bytes()[:5000])
    for command in (("locate", cut, "liver"), ("info", cut), ("describe", cut, "--ras", "0", "0", "0")):
        said = anatembed(*command, "--model", planted_model)
        assert (said.code, said.out, said.err.count("\n")) == (2, "", 1)


def test_an_empty_body_is_answered_and_drawn(anatembed, planted_model, tmp_path):
    nobody = planted_map([], encoder_id=load_checkpoint(planted_model).encoder_id)
    nobody.body_kji[:] = False
    nobody.save(tmp_path / "nobody.npz")
    assert anatembed("locate", tmp_path / "nobody.npz", "liver", "--model", planted_model).code == 3
    output = tmp_path / "nobody.png"
    assert anatembed("overlay", tmp_path / "nobody.npz", "-o", output, "--model", planted_model).code == 0
