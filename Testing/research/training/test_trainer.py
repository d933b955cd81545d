"""A few steps of training on two little people."""

import dataclasses
import json
import logging

import numpy as np
import pytest
import torch
from little_people import CENTRES_RAS, VOCABULARY, little_person
from research.training.processes import ALONE
from research.training.synthesis import CropGenerator
from research.training.trainer import Trainer, TrainingConfig, gradient_norms
from tiny_model import tiny_checkpoint

TINY = {"channels": (4, 6), "latent": 6}


def config_of(**changes) -> TrainingConfig:
    defaults = {
        "steps": 4, "batch": 2, "shapes": ((16, 16, 24),), "voxels": 200, "workers": 0, "encoder": TINY,
        "learning_rate": 2e-2, "warm_up": 0.1,
    }
    return TrainingConfig(**(defaults | changes))


def people(**options):
    return [little_person(**options), little_person("two", ct=False, centre_ras=(50.0, 0.0, 0.0), **options)]


def trainer_of(folder, subjects=None, **changes) -> Trainer:
    return Trainer(subjects or people(), VOCABULARY, config_of(**changes), folder)


def test_training_lowers_the_language_loss(tmp_path):
    trainer = trainer_of(tmp_path, steps=60)
    trainer.run()
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [25, 50, 60]
    assert lines[-1]["language"] < 0.9 * lines[0]["language"]


def test_a_run_leaves_its_state_whole_and_goes_on_from_it(tmp_path):
    first = trainer_of(tmp_path, steps=3)
    first.run()
    written = {path.name for path in tmp_path.iterdir() if not path.name.startswith("events.")}
    assert written == {"log.jsonl", "state.pt"}
    second = trainer_of(tmp_path, steps=5)
    second._resume()
    assert second.step == 3
    for name, value in first.model.state_dict().items():
        assert torch.equal(second.model.state_dict()[name], value)
        assert torch.equal(second.average[name], first.average[name])
    second.run()
    assert second.step == 5
    assert torch.load(tmp_path / "state.pt", weights_only=True)["step"] == 5


def test_a_run_of_other_concepts_is_not_resumed(tmp_path):
    trainer_of(tmp_path, steps=1).run()
    fewer = people(concepts=tuple(CENTRES_RAS)[:3])
    with pytest.raises(ValueError, match=r"state\.pt was trained on other concepts .*; use a new folder"):
        trainer_of(tmp_path, fewer).run()


def test_a_run_goes_on_with_more_concepts_and_the_old_ones_keep_what_they_learnt(tmp_path):
    fewer = people(concepts=tuple(CENTRES_RAS)[2:])
    first = trainer_of(tmp_path, fewer, steps=2)
    first.run()
    second = trainer_of(tmp_path, steps=3)
    second._resume()
    rows = [second.taxonomy.ids.index(concept) for concept in first.taxonomy.ids]
    assert len(rows) < len(second.taxonomy.ids)
    assert torch.equal(second.model.concept_vectors[rows], first.model.concept_vectors)
    assert torch.equal(second.average["concept_vectors"][rows], first.average["concept_vectors"])
    second.run()
    assert second.step == 3


def test_the_learning_rate_is_constant_until_it_falls_in_the_last_part(tmp_path):
    trainer = trainer_of(tmp_path, steps=100, decay=0.2)
    rates = [trainer.learning_rate(step) for step in range(101)]
    assert rates[10:81] == pytest.approx([2e-2] * 71)
    assert rates[80:] == sorted(rates[80:], reverse=True)
    assert rates[100] == pytest.approx(0, abs=1e-9)


def test_the_same_seed_trains_the_same_model(tmp_path):
    one = trainer_of(tmp_path / "a", steps=2)
    one.run()
    same = trainer_of(tmp_path / "b", steps=2)
    same.run()
    for name, value in one.average.items():
        torch.testing.assert_close(same.average[name], value)


def test_the_learning_rate_warms_up_and_ends_at_zero(tmp_path):
    trainer = trainer_of(tmp_path, steps=100)
    rates = [trainer.learning_rate(step) for step in range(101)]
    assert rates[0] == pytest.approx(2e-3)
    assert max(rates) == rates[10] == pytest.approx(2e-2)
    assert rates[:10] == sorted(rates[:10])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[100] == pytest.approx(0, abs=1e-9)


def test_the_other_side_of_a_structure_weighs_more(tmp_path):
    trainer = trainer_of(tmp_path)
    ids = trainer.taxonomy.ids
    left, right, liver = (ids.index(c) for c in ("kidney_left", "kidney_right", "liver"))
    assert trainer.focus[left, right] == trainer.focus[right, left] == 4
    assert trainer.focus[left, liver] == trainer.focus[left, left] == 1


def test_a_source_has_one_share_whatever_its_number_of_people_unless_a_person_has_its_own(tmp_path):
    three = [little_person("a", source="x"), little_person("b", source="x"), little_person("c", source="y")]
    assert trainer_of(tmp_path, three).weights == [0.5, 0.5, 1.0]
    assert trainer_of(tmp_path, three, source_weights={"x": 3.0, "b": 9.0}).weights == [1.5, 9.0, 1.0]


def test_a_gradient_that_is_not_finite_leaves_the_weights_as_they_were(tmp_path, caplog):
    trainer = trainer_of(tmp_path)
    before = {name: value.clone() for name, value in trainer.model.named_parameters()}
    with caplog.at_level(logging.WARNING):
        trainer._update(trainer.model.concept_vectors.sum() * float("nan"))
    assert "not finite" in caplog.text
    assert trainer.step == 1
    for name, value in trainer.model.named_parameters():
        assert torch.equal(value, before[name])


def test_people_without_frame_or_known_appearance_still_teach_names(tmp_path):
    trainer = trainer_of(tmp_path, [little_person(in_frame=False, ct=False)])
    losses, _ = trainer.losses([CropGenerator(trainer.sources, trainer.weights, 0).draw((16, 16, 24))])
    assert "coordinate" not in losses
    assert torch.isfinite(sum(trainer.weighted(losses).values()))


def test_a_term_begins_at_its_share_of_the_steps_and_grows_to_its_weight():
    config = config_of(steps=1000, weights={"language": 1.0, "structure": 0.4}, starts={"structure": 0.5})
    weights = [config.weight("structure", step) for step in (0, 500, 525, 550, 1000)]
    assert weights == pytest.approx([0, 0, 0.2, 0.4, 0.4])
    assert config.weight("language", 0) == 1
    assert config.weight("kl", 900) == 0


def test_an_unknown_term_is_refused():
    with pytest.raises(ValueError, match=r"expected loss terms among language, .* got beauty"):
        config_of(weights={"beauty": 1.0})


def test_gradient_norms_are_those_of_the_terms_and_leave_the_graph_for_the_step():
    codes = torch.tensor([[3.0, 4.0]], requires_grad=True)
    terms = {"a": 2 * codes.sum(), "b": (codes**2).sum(), "c": torch.tensor(1.0, requires_grad=True) * 2}
    norms = gradient_norms(terms, codes)
    assert norms == pytest.approx({"gradient_a": 8**0.5, "gradient_b": 10.0, "gradient_c": 0.0})
    sum(terms.values()).backward()
    assert codes.grad is not None


def test_the_teacher_is_the_average_of_the_weights_and_moves_with_it(tmp_path):
    trainer = trainer_of(tmp_path, steps=3)
    before = trainer.teacher.language.weight.clone()
    trainer.run()
    assert not torch.equal(trainer.teacher.language.weight, before)
    assert torch.equal(trainer.teacher.language.weight, trainer.average["language.weight"])
    assert not trainer.teacher.language.weight.requires_grad


def test_a_run_can_begin_with_a_checkpoint(tmp_path):
    checkpoint = tiny_checkpoint()
    encoder = checkpoint.encoder_config
    head = ((np.ones((64, 5)), np.ones(64)), (np.ones((3, 64)), np.zeros(3)))
    readout = dataclasses.replace(checkpoint.readout, coordinate_layers=head)
    config = config_of(encoder=encoder)
    trainer = Trainer(people(), VOCABULARY, config, tmp_path, ALONE, dataclasses.replace(checkpoint, readout=readout))
    name, value = next(iter(checkpoint.weights.items()))
    np.testing.assert_allclose(trainer.average[f"encoder.{name}"], value, rtol=1e-6)


def test_a_limit_of_time_sets_the_steps_by_the_pace(tmp_path):
    trainer = trainer_of(tmp_path, steps=9, minutes=2.0)
    trainer.step = 70
    assert trainer._steps_in_time(seconds=30.0, done=50) == 70 + 150
    assert trainer._steps_in_time(seconds=130.0, done=50) == 70


def test_people_of_whom_nothing_is_known_teach_nothing_and_stop_nobody(tmp_path):
    trainer = trainer_of(tmp_path, people(in_frame=False), steps=3, weights={"coordinate": 1.0})
    before = {name: value.clone() for name, value in trainer.model.named_parameters() if name.startswith("coordinates")}
    trainer.run()
    assert trainer.step == 3
    after = dict(trainer.model.named_parameters())
    assert all(torch.isfinite(value).all() for value in after.values())
    assert all(torch.allclose(after[name], value, atol=1e-4) for name, value in before.items())
