"""The ablation on little people: what is trained, what is held out, what is measured and what is not done twice."""

import json
import sys

import ablation
import numpy as np
import pytest
import torch
import yaml
from ablation import COLUMNS, Plan, ProbeCrops, Questions, ablate, read_log
from anatembed.model.encoder import network_input
from held_out_person import Person
from little_people import CENTRES_RAS, HU, VOCABULARY, little_person
from research.training.objective import octants
from research.training.trainer import Trainer
from tiny_model import tiny_encoder

TINY = {"channels": (4, 6), "latent": 6}


def plan_of(steps=2, **changes) -> Plan:
    training = {
        "steps": steps, "batch": 1, "shapes": [[16, 16, 24]], "voxels": 100, "workers": 0, "encoder": TINY,
        "gradients_every": 1,
    }
    weights = {"language": 1.0, "structure": 0.5, "coordinate": 4.0, "reconstruction": 3.0, "kl": 0.01}
    variants = {"untrained": {"terms": []}, "language": {"terms": ["language"]}, "all": {"terms": list(weights)}}
    defaults = {
        "held_out": ["asked"], "training": training, "weights": weights, "variants": variants,
        "probe": {"crops": 3, "rows": 150}, "layout": {"patches": 1, "draws": 4},
    }
    return Plan(**(defaults | changes))


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("prepared")
    little_person("asked", centre_ras=(0.0, 30.0, -200.0), scale=(1.05, 1.0, 0.95)).save(folder / "asked.npz")
    little_person("one").save(folder / "one.npz")
    little_person("two", ct=False, centre_ras=(50.0, 0.0, 300.0)).save(folder / "two.npz")
    return folder


@pytest.fixture(scope="module")
def output(prepared, tmp_path_factory):
    """The folder of a finished ablation."""
    folder = tmp_path_factory.mktemp("ablation")
    ablate(prepared, folder, plan_of())
    return folder


@pytest.fixture
def taught(monkeypatch):
    """Names of the people whom each trainer got."""
    seen = []

    class Spy(Trainer):
        def __init__(self, subjects, *options):
            seen.append([subject.name for subject in subjects])
            super().__init__(subjects, *options)

    monkeypatch.setattr(ablation, "Trainer", Spy)
    return seen


def table_of(folder) -> dict[str, dict[str, str]]:
    lines = (folder / "ablation.md").read_text().split("\n\n")[0].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {row[0]: dict(zip(rows[0], row, strict=True)) for row in rows[2:]}


def test_the_table_has_own_measures_where_a_head_was_trained_and_probes_everywhere(output):
    table = table_of(output)
    assert list(table) == [ablation.NO_MODEL, "untrained", "language", "all"]
    own = {column for column in COLUMNS if column.startswith("own")}
    names = {"own names top-1", "own names top-5", "own text AUROC"}
    filled = {name: {column for column in own if row[column]} for name, row in table.items()}
    assert filled == {
        ablation.NO_MODEL: {"own layout right", "own layout Dice"}, "untrained": set(), "language": names, "all": own
    }
    for row in table.values():
        assert all(row[column] for column in COLUMNS if column.startswith("probe"))
    assert table["all"]["gradient ratio"] and not table["language"]["gradient ratio"]
    assert table["language"]["s/step"] and not table["untrained"]["s/step"]
    assert table["all"]["gradient of each term"].startswith("language ")


def test_the_text_says_on_what_the_table_rests(output):
    text = (output / "ablation.md").read_text()
    assert "2 steps of 1 crops of 16x16x24 voxels (KJI, 3 mm) of 2 people" in text
    assert "Held out of all variants and asked: asked (6 names)" in text
    assert "One held-out person and one seed (1)" in text
    assert json.loads((output / "ablation.json").read_text())["results"].keys() == {"untrained", "language", "all"}


def test_nobody_is_trained_on_who_is_held_out_and_the_figures_are_the_same_every_time(
    prepared, output, taught, tmp_path
):
    ablate(prepared, tmp_path, plan_of(), ["all"])
    assert taught == [["one", "two"]]
    assert list(table_of(tmp_path)) == [ablation.NO_MODEL, "all"]
    first, second = (json.loads((folder / "all" / "result.json").read_text()) for folder in (output, tmp_path))
    for one in (first, second):
        del one["measures"]["s/step"]
    assert first == second


def test_a_variant_with_a_result_is_not_trained_again(prepared, output, taught):
    before = (output / "ablation.json").read_text()
    (output / "ablation.md").unlink()
    ablate(prepared, output, plan_of())
    assert taught == []
    assert (output / "ablation.json").read_text() == before
    assert (output / "ablation.md").exists()


def test_an_interrupted_variant_goes_on(prepared, taught, tmp_path, monkeypatch):
    monkeypatch.setattr(Questions, "result", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        ablate(prepared, tmp_path, plan_of(), ["language"])
    assert (tmp_path / "language" / "state.pt").exists()
    monkeypatch.undo()
    monkeypatch.setattr(Trainer, "_update", lambda *_: pytest.fail("trained all its steps already"))
    ablate(prepared, tmp_path, plan_of(), ["language"])
    assert "language" in table_of(tmp_path)


def test_a_folder_of_other_settings_is_refused(prepared, output):
    with pytest.raises(ValueError, match=r"begun with other settings \(training, steps\); use a new output folder"):
        ablate(prepared, output, plan_of(steps=3), ["language"])
    with pytest.raises(ValueError, match=r"\(probe\)"):
        ablate(prepared, output, plan_of(probe={"crops": 2, "rows": 150}))


def test_evaluation_subjects_and_strangers_are_refused(prepared, tmp_path):
    with pytest.raises(FileNotFoundError, match="expected nobody of scripts/prepare_data.py"):
        ablate(prepared, tmp_path, plan_of(held_out=["nobody"]))
    with pytest.raises(FileNotFoundError, match="expected more people .* than those held out"):
        ablate(prepared, tmp_path, plan_of(held_out=["asked", "one", "two"]))
    with pytest.raises(ValueError, match="LIDC-IDRI-0001_chest: an evaluation subject"):
        ablate(prepared, tmp_path, plan_of(held_out=["LIDC-IDRI-0001_chest"]))
    assert not list(tmp_path.iterdir())


def test_an_unknown_variant_ends_the_command_with_a_sentence(prepared, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["ablation.py", str(prepared), "-o", str(tmp_path), "--only", "beauty"])
    with pytest.raises(SystemExit, match=r"expected variants among untrained, language, .*, got beauty"):
        ablation.main()


def test_the_configuration_names_terms_alone_in_pairs_together_and_in_stages():
    plan = Plan(**yaml.safe_load((ablation.CONFIGS / "ablation.yaml").read_text()))
    configs = {name: plan.config(name) for name in plan.variants}
    three = {"language", "structure", "reconstruction", "kl"}
    assert configs["joint"].weights.keys() == configs["staged"].weights.keys() == three
    middle = 0.5 * plan.training["steps"]
    assert [configs["staged"].weight(t, middle) > 0 for t in ("language", "structure", "reconstruction")] == [1, 1, 0]
    for pair in ("language+pixel", "language+structure", "pixel+structure"):
        parts = [configs[part].weights for part in pair.split("+")]
        assert configs[pair].weights == parts[0] | parts[1]
    assert configs["segmenter"].weights.keys() == {"softmax"}
    assert all(size % 32 == 0 for shape in plan.training["shapes"] for size in shape)


def test_the_rows_of_an_image_are_the_codes_of_the_encoder_in_kji_order_with_air_behind():
    encoder = tiny_encoder()
    hu = np.random.default_rng(0).uniform(-1000, 1000, (18, 22, 20)).astype(np.float32)
    rows = ablation.rows_of(encoder, hu)
    whole = np.pad(hu, [(0, 24 - n) for n in hu.shape], constant_values=-1000)
    with torch.inference_mode():
        codes = encoder(network_input(torch.from_numpy(whole)[None]))[0][0]
    np.testing.assert_allclose(rows.T.reshape(-1, 9, 11, 10), codes[:, :9, :11, :10], atol=1e-5)


@pytest.fixture
def trainer(tmp_path):
    people = [little_person("one"), little_person("two", ct=False, in_frame=False, centre_ras=(50.0, 0.0, 300.0))]
    return Trainer(people, VOCABULARY, plan_of().config("all"), tmp_path)


def test_rows_of_probe_crops_belong_together(trainer, monkeypatch):
    """Name, place, HU and code of a row are those of one voxel."""
    crops = ProbeCrops(trainer, crops=48, rows=200)
    liver = crops.targets[:, trainer.taxonomy.ids.index("liver")] == 1
    placed, pictured = liver & ~np.isnan(crops.places[:, 0]), liver & ~np.isnan(crops.octants[:, 0])
    assert 20 < placed.sum() < liver.sum()
    np.testing.assert_allclose(crops.places[placed].mean(axis=0) * 100, CENTRES_RAS["liver"], atol=4)
    assert np.median(crops.octants[pictured]) == pytest.approx(HU["liver"], abs=30)
    monkeypatch.setattr(ablation, "rows_of", lambda _, hu: octants(torch.from_numpy(hu)).reshape(8, -1).T.numpy())
    seen = crops.codes(None)
    assert seen.shape == (48 * 200, 8)
    known = ~np.isnan(crops.octants[:, 0])
    assert np.corrcoef(seen[known].mean(axis=1), crops.octants[known].mean(axis=1))[0, 1] > 0.7


def test_codes_that_hold_the_place_give_it_back(trainer):
    asked = little_person("asked", centre_ras=(0.0, 30.0, -200.0), scale=(1.05, 1.0, 0.95))
    questions = Questions(trainer, [asked], plan_of())
    person: Person = questions.people[0]
    planted = np.zeros((person.row_kji.max() + 1, 3))
    planted[person.body] = person.places
    found = questions.probes(person, 2 * np.nan_to_num(questions.crops.places) + 1, 2 * planted + 1)
    assert found["probe place mm"] < 1
    assert found["probe place mm"] < 0.1 * questions.no_model["probe place mm"]


def test_the_log_gives_medians_their_largest_ratio_and_the_last_pace(tmp_path):
    lines = [
        {"step": step, "gradient_language": one, "gradient_kl": other, "seconds_per_step": step / 10}
        for step, one, other in ((1, 2.0, 0.0), (2, 90.0, 1.0), (2, 4.0, 1.0), (3, 6.0, 3.0))
    ]
    path = tmp_path / "log.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    medians, run = read_log(path, ["language", "kl", "structure"])
    assert medians == {"language": 4.0, "kl": 2.0}
    assert run == {"gradient ratio": 2.0, "s/step": 0.3}
    assert read_log(tmp_path / "none", ["language"]) == ({}, {})
