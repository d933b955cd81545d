"""The names of BodyParts3D, and what its label map leaves out filled in on a few blocks."""

import numpy as np
import pytest
from little_people import VOCABULARY
from research.training import bodyparts3d
from research.training.subject import UNNAMED, UNNAMED_MUSCLE, Subject
from research.training.synthesis import CropSource
from research.training.targets import Taxonomy

IDS = frozenset(VOCABULARY.ids)


def concept_of(name, side="", whole="", voxels=1000):
    return bodyparts3d.concept_of(name, side, whole, voxels, IDS)


@pytest.mark.parametrize(("name", "side", "whole", "concept"), [
    ("sternocostal_part_of_pectoralis_major_left", "left", "", "pectoralis_major_left"),
    ("vastus_medialis_right", "right", "", "quadriceps_femoris_right"),
    ("psoas_major_left", "left", "iliopsoas_left", "psoas_major_left"),
    ("spinal_canal", "", "spinal_cord", "spinal_canal"),
    ("colon_descending", "", "colon", "descending_colon|sigmoid_colon"),
    ("intervertebral_disc_below_L4", "", "", "intervertebral_disc_L4_L5"),
    ("intervertebral_disc_below_T3", "", "", "intervertebral_disc"),
    ("costal_cartilage_left_3", "left", "costal_cartilages", "costal_cartilages"),
    ("rib_left_7", "left", "rib_left_7", "rib_left_7"),
    ("upper_first_secondary_molar_tooth_right", "right", "", "upper_teeth"),
    ("posterior_leaflet_of_mitral_valve", "", "heart", "mitral_valve"),
    ("superior_pulmonary_vein_left", "left", "pulmonary_vein", "left_superior_pulmonary_vein"),
    ("hepatic_vein_right", "right", "", "right_hepatic_vein"),
    ("gastric_artery_left", "left", "", "left_gastric_artery"),
    ("scaphoid_left", "left", "", "carpal"),
    ("amygdala_left", "left", "brain", "brain"),
    ("maxilla_right", "right", "skull", "maxilla"),
    ("azygos_vein", "", "", "azygos_vein"),
    ("orbital_gyrus", "", "brain", "frontal_lobe_{side}"),
    ("pulmonary_artery_left", "left", "", "pulmonary_artery_left"),
])
def test_a_structure_becomes_the_most_specific_concept_of_its_own_side(name, side, whole, concept):
    assert concept_of(name, side, whole) == (concept, concept)


@pytest.mark.parametrize(("name", "label"), [
    ("soleus_left", "unnamed muscle"), ("abductor_hallucis_left", "unnamed muscle"),
    ("anterior_tibial_artery_left", "unnamed artery"), ("great_saphenous_vein_left", "unnamed vein"),
    ("iliotibial_tract_left", "unnamed soft tissue"), ("sesamoid_bone_of_foot_left", "unnamed bone"),
])
def test_a_structure_that_the_vocabulary_lacks_keeps_its_tissue(name, label):
    assert concept_of(name, "left") == (label, None)


@pytest.mark.parametrize(("name", "voxels"), [
    ("body", 3_000_000), ("frontal_nerve_left", 1000), ("anterior_choroidal_artery_left", 11),
])
def test_the_outline_nerves_and_vessels_of_a_few_voxels_are_body_without_a_name(name, voxels):
    assert concept_of(name, "left" if name.endswith("left") else "body", voxels=voxels) is None


def test_every_concept_of_the_table_is_a_term_of_the_vocabulary():
    for _, template in bodyparts3d.STRUCTURES:
        filled = template.replace("{side}", "left")
        if "\\" not in template:
            assert set(filled.split("|")) <= IDS, template
    assert set(bodyparts3d.LEFT_ONLY.values()) <= IDS


def person_of(shape, blocks):
    """A person in which named blocks, given by slices, lie in unnamed body that fills the grid."""
    labels = np.full(shape, UNNAMED, np.uint16)
    names = ["outside", "unnamed"]
    for name, where in blocks:
        if name not in names:
            names.append(name)
        labels[where] = names.index(name)
    concepts = [(), (), *((name,) for name in names[2:])]
    return Subject("man", "bodyparts3d", labels, concepts, frozenset(names[2:]), np.diag([3.0, 3, 3, 1]),
                   label_names=names)


def marked(person, name):
    return person.labels_kji == person.label_names.index(name)


def test_the_flanks_get_muscle_and_neither_the_belly_nor_the_back_a_second_layer():
    s = np.s_
    person = person_of((12, 40, 60), [
        ("vertebrae_L5", s[0:2, 8:12, 28:32]), ("vertebrae_T11", s[10:12, 8:12, 28:32]),
        ("erector_spinae_left", s[:, 4:7, 20:30]), ("erector_spinae_right", s[:, 4:7, 30:40]),
        ("rectus_abdominis_left", s[:, 32:34, 22:30]), ("rectus_abdominis_right", s[:, 32:34, 30:38]),
        ("ascending_colon", s[:, 14:24, 44:50]), ("descending_colon", s[:, 14:24, 10:16]),
    ])
    bodyparts3d.paint_flank_wall(person)
    wall = marked(person, UNNAMED_MUSCLE)
    assert wall[5, 19, 51:53].all()
    assert wall[5, 19, 8:10].all()
    assert not wall[5, 35:, 28:32].any()
    assert not wall[5, :4, 28:32].any()
    assert not wall[5, 19, 20:40].any()


def test_gaps_in_the_brain_go_to_the_nearest_part_and_the_space_below_the_skull_is_fluid():
    s = np.s_
    person = person_of((30, 30, 30), [
        ("skull", s[3:27, 3:27, 3:27]), ("unnamed", s[5:25, 5:25, 5:25]),
        ("frontal_lobe_left", s[7:23, 7:23, 7:14]), ("frontal_lobe_right", s[7:23, 7:23, 16:23]),
    ])
    bodyparts3d.fill_brain(person)
    assert marked(person, "frontal_lobe_left")[15, 15, 14]
    assert marked(person, "frontal_lobe_right")[15, 15, 15]
    assert marked(person, "unnamed fluid")[15, 15, 5:7].all()
    assert (person.labels_kji[0] == UNNAMED).all()


def throat():
    s = np.s_
    return person_of((40, 40, 40), [
        ("larynx", s[2:8, 20:22, 17:24]), ("larynx", s[2:8, 26:28, 17:24]), ("hyoid", s[9:10, 24:26, 17:24]),
        ("pharynx", s[8:30, 15:17, 16:25]), ("pharynx", s[8:30, 15:22, 15:16]), ("pharynx", s[8:30, 15:22, 25:26]),
        ("maxilla", s[20:30, 25:38, 8:33]), ("unnamed", s[23:30, 26:37, 15:26]),
        ("eye_left", s[30:34, 30:34, 10:14]), ("eye_right", s[30:34, 30:34, 27:31]),
    ])


def test_larynx_pharynx_and_nose_are_hollow_and_the_pharynx_has_levels():
    person = throat()
    bodyparts3d.name_airways(person)
    assert marked(person, "air of larynx")[5, 24, 20]
    assert marked(person, "air of hypopharynx")[8, 19, 20]
    assert marked(person, "air of oropharynx")[15, 19, 20]
    assert marked(person, "air of nasopharynx")[26, 19, 20]
    assert marked(person, "nasopharynx")[26, 16, 20]
    right, left = (marked(person, f"air of nasal_cavity_{side}") for side in ("right", "left"))
    assert right[26, 30].nonzero()[0].min() > left[26, 30].nonzero()[0].max()
    assert not (right | left)[22].any()


def test_the_air_of_a_hollow_structure_is_painted_as_air_and_its_wall_is_not():
    person = throat()
    bodyparts3d.name_airways(person)
    concepts = {concept for options in person.label_concepts for concept in options}
    source = CropSource(person, Taxonomy(concepts, VOCABULARY), VOCABULARY)
    tissue = dict(zip(person.label_names, source.tissues, strict=True))
    assert tissue["air of oropharynx"] == "airway"
    assert tissue["oropharynx"] == "muscle"


def test_the_mastoid_process_is_the_low_hind_end_of_the_temporal_bone():
    s = np.s_
    person = person_of((40, 30, 30), [("temporal_bone_left", s[10:35, 5:25, 4:10])])
    bodyparts3d.name_mastoids(person)
    found = np.argwhere(marked(person, "mastoid_process_left"))
    assert found[:, 0].max() < 20
    assert found[:, 1].max() < 15
    assert "mastoid_process_left" in person.annotated
