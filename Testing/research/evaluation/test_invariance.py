"""Changes of the picture that change nothing, and some that do."""

from research.evaluation import invariance as module
from research.evaluation import views
from research.evaluation.invariance import boxed, first_hits, invariance


def test_an_unchanged_scan_has_unchanged_codes_names_and_hits(bench, monkeypatch):
    monkeypatch.setattr(module, "CHANGES", {"nothing": lambda volume: volume})
    systems = invariance(bench).systems
    for row in systems.values():
        assert row["cosine, 5th percentile (nothing)"] > 0.999
    assert systems["embedding"]["names changed (nothing)"] == 0
    assert systems["embedding"]["shift of first hits, largest mm (nothing)"] == 0


def test_another_picture_has_other_codes(bench, monkeypatch):
    monkeypatch.setattr(module, "CHANGES", {"noise": lambda volume: views.noisy(volume, 300.0)})
    section = invariance(bench)
    for row in section.systems.values():
        assert row["cosine, 5th percentile (noise)"] < 0.99
    assert section.figures[0].x == ["noise"]


def test_only_boxes_that_the_model_knows_are_asked_for(bench):
    assert boxed(bench.trunks[0], bench) == ["liver", "kidney_left", "kidney_right"]


def test_every_concept_has_its_first_hit(bench):
    hits = first_hits(bench.explorers["one"], ["liver", "kidney_left"])
    assert set(hits) == {"liver", "kidney_left"}
    assert all(place.shape == (3,) for place in hits.values())
