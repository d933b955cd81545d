"""The rules by which a label speaks about concepts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from little_people import VOCABULARY
from research.training.subject import OUTSIDE, UNNAMED, Subject
from research.training.targets import OVERLAPS, Taxonomy

YES, NO, UNKNOWN = 1, -1, 0


def table_of(labels, annotated=(), taught=()):
    """Function (label number, concept) -> target for a person with these labels (tuples of concepts)."""
    taxonomy = Taxonomy({c for options in labels for c in options} | set(taught), VOCABULARY)
    subject = Subject(
        "p", "s", np.zeros((2, 2, 2), np.uint8), [(), (), *labels], frozenset(annotated), np.eye(4),
        label_names=["outside", "unnamed", *map(str, labels)],
    )
    table = taxonomy.target_table(subject)
    assert table.dtype == np.int8
    assert table.shape == (len(labels) + 2, len(taxonomy.ids))
    return lambda index, concept: table[index, taxonomy.ids.index(concept)]


def test_a_label_is_its_concept_and_nothing_unrelated():
    target = table_of([("liver",), ("spleen",)])
    assert target(2, "liver") == target(3, "spleen") == YES
    assert target(2, "spleen") == target(3, "liver") == NO


def test_the_other_side_is_refuted():
    target = table_of([("kidney_left",), ("kidney_right",)])
    assert target(2, "kidney_right") == target(3, "kidney_left") == NO


def test_a_part_is_its_whole_too_and_the_whole_may_be_any_of_its_parts():
    target = table_of([("heart_ventricle_left",), ("heart",)], taught=["heart_atrium_left"])
    assert target(2, "heart_ventricle_left") == target(2, "heart") == YES
    assert target(2, "heart_atrium_left") == NO
    assert target(3, "heart") == YES
    assert target(3, "heart_ventricle_left") == target(3, "heart_atrium_left") == UNKNOWN


def test_a_whole_is_taught_with_its_parts_but_a_region_is_not():
    taxonomy = Taxonomy({"liver_segment_1"}, VOCABULARY)
    assert "liver" in taxonomy.ids
    assert "abdomen" not in taxonomy.ids
    assert list(taxonomy.ids) == sorted(taxonomy.ids)


def test_what_overlaps_is_unknown_both_ways():
    target = table_of([("heart_ventricle_left",), ("heart_myocardium",)])
    assert target(2, "heart_myocardium") == target(3, "heart_ventricle_left") == UNKNOWN


def test_what_lies_in_another_structure_is_both_of_them():
    target = table_of([("spinal_canal",), ("spinal_cord",)])
    assert target(3, "spinal_canal") == target(3, "spinal_cord") == 1
    assert target(2, "spinal_cord") == UNKNOWN
    assert "spinal_canal" in Taxonomy({"spinal_cord"}, VOCABULARY).ids


def test_unnamed_tissue_refutes_only_what_this_source_annotates():
    target = table_of([("liver",), ("spleen",)], annotated=["liver"])
    assert target(UNNAMED, "liver") == NO
    assert target(UNNAMED, "spleen") == UNKNOWN


def test_an_annotated_part_says_nothing_about_its_whole_in_unnamed_tissue():
    target = table_of([("heart_ventricle_left",)], annotated=["heart_ventricle_left"])
    assert target(UNNAMED, "heart_ventricle_left") == NO
    assert target(UNNAMED, "heart") == UNKNOWN


def test_outside_the_body_there_is_nothing():
    target = table_of([("liver",), ("heart_ventricle_left",)])
    assert {target(OUTSIDE, c) for c in ("liver", "heart", "heart_ventricle_left")} == {NO}


def test_a_label_of_one_of_two_concepts_leaves_both_open_and_refutes_the_rest():
    target = table_of([("stomach", "duodenum"), ("liver",)])
    assert target(2, "stomach") == target(2, "duodenum") == UNKNOWN
    assert target(2, "liver") == NO


def test_what_all_options_are_part_of_is_sure():
    target = table_of([("heart_ventricle_left", "heart_ventricle_right")])
    assert target(2, "heart") == YES
    assert target(2, "heart_ventricle_left") == UNKNOWN


def test_a_label_without_a_concept_says_nothing():
    target = table_of([(), ("liver",)], annotated=["liver"])
    assert target(2, "liver") == UNKNOWN


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from([t.id for t in VOCABULARY.terms if t.category != "region"]), min_size=2, max_size=12))
def test_no_label_refutes_itself_its_wholes_or_its_parts(concepts):
    concepts = sorted(set(concepts))
    target = table_of([(c,) for c in concepts])
    for index, concept in enumerate(concepts, start=2):
        assert target(index, concept) == YES
        for other in concepts:
            if other in VOCABULARY.ancestors(concept):
                assert target(index, other) == YES
            elif concept in VOCABULARY.ancestors(other):
                assert target(index, other) == UNKNOWN


@pytest.mark.parametrize("concept", sorted({*OVERLAPS, *set().union(*OVERLAPS.values())}))
def test_every_overlapping_concept_is_in_the_vocabulary(concept):
    assert concept in VOCABULARY


def test_an_overlap_never_joins_the_two_sides():
    for one, others in OVERLAPS.items():
        for other in others:
            assert {VOCABULARY[one].laterality, VOCABULARY[other].laterality} != {"left", "right"}


def test_whole_and_part_are_compatible_and_other_structures_and_sides_are_rivals():
    concepts = {"heart_ventricle_left", "kidney_left", "kidney_right", "spinal_canal", "spinal_cord"}
    taxonomy = Taxonomy(concepts, VOCABULARY)
    compatible = taxonomy.compatible()

    def both(one, other):
        i, j = taxonomy.ids.index(one), taxonomy.ids.index(other)
        return bool(compatible[i, j]), bool(compatible[j, i])

    assert compatible.diagonal().all()
    assert both("heart", "heart_ventricle_left") == both("spinal_canal", "spinal_cord") == (True, True)
    assert both("kidney_left", "kidney_right") == both("heart", "kidney_left") == (False, False)
