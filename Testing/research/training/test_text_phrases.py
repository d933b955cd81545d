"""Names as people type them, and which structures go together."""

from research.training.text_phrases import Typist, fold_of


def test_numbered_structures_are_withheld_together():
    assert len({fold_of(f"vertebrae_L{number}", 7) for number in range(1, 6)}) == 1
    assert len({fold_of(f"rib_{number}", 7) for number in range(1, 13)}) == 1


def test_a_typist_is_decided_by_the_seed_and_keeps_most_of_a_name():
    one, other = Typist(3), Typist(3)
    varied = [one.vary("external carotid artery") for _ in range(200)]
    assert varied == [other.vary("external carotid artery") for _ in range(200)]
    assert 50 < sum(text == "external carotid artery" for text in varied) < 150
    assert len(set(varied)) > 50
    assert all(len(set(text.split()) & {"external", "carotid", "artery"}) >= 2 for text in varied)


def test_chinese_is_never_varied():
    assert {Typist(seed).vary("肾动脉") for seed in range(30)} == {"肾动脉"}
