"""The air of a head with a labelled mandible: what is named, on which side, and what is not."""

import numpy as np
import pytest
from research.training.head_air import name_head_air
from research.training.subject import UNNAMED, Subject


def head(width=24):
    """A head on a 3 mm grid: a horseshoe of a mandible, a throat behind it, a sinus of air on the right above."""
    labels = np.full((50, 50, 60), UNNAMED, np.uint16)
    hu = np.full(labels.shape, 40, np.int16)
    arch = np.zeros(labels.shape, bool)
    arch[5:25, 15:40, [30 - width // 2, 29 + width // 2]] = True
    arch[5:12, 38:40, 30 - width // 2 : 30 + width // 2] = True
    labels[arch] = 2
    hu[2:24, 12:20, 27:33] = -1000
    hu[22:30, 28:36, 36:44] = -1000
    return Subject("head", "planning", labels, [(), (), ("mandible",)], frozenset({"mandible"}),
                   np.diag([3.0, 3, 3, 1]), hu, label_names=["outside", "unnamed", "mandible"])


def test_the_sinus_is_on_its_side_and_the_throat_is_in_the_middle():
    person = head()
    assert sorted(name_head_air(person)) == ["maxillary_sinus_right", "pharynx"]
    sinus = person.labels_kji == person.label_names.index("air of maxillary_sinus_right")
    assert sinus[26, 32, 40]
    assert (person.labels_kji == person.label_names.index("air of pharynx"))[15, 15, 30]


def test_what_is_found_is_not_annotated_for_sinuses_may_be_full():
    person = head()
    name_head_air(person)
    assert person.annotated == {"mandible"}


def test_air_in_the_middle_above_the_jaw_is_no_maxillary_sinus():
    person = head()
    person.ct_kji[22:30, 28:36, :] = 40
    person.ct_kji[22:30, 28:36, 26:34] = -1000
    assert name_head_air(person) == ["pharynx"]


@pytest.mark.parametrize("width", [10, 16])
def test_a_mandible_that_is_cut_says_nothing(width):
    assert name_head_air(head(width)) == []


def test_without_a_ct_there_is_no_air_to_name():
    person = head()
    person.ct_kji = None
    assert name_head_air(person) == []
