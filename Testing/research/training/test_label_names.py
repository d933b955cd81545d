"""Names of other people's labels; above all, their sides."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from little_people import VOCABULARY
from research.training import label_names


@pytest.mark.parametrize(("name", "concept"), [
    ("liver", "liver"), ("kidney_left", "kidney_left"), ("rib_right_7", "rib_right_7"), ("face", None), ("body", None),
])
def test_totalsegmentators_names_are_the_vocabularys_own(name, concept):
    assert label_names.totalsegmentator(name) == concept


@pytest.mark.parametrize(("name", "concept"), [
    ("left kidney", "kidney_left"), ("Right Psoas Muscle", "psoas_major_right"), ("right clavicle", "clavicula_right"),
    ("left common carotid", "common_carotid_artery_left"), ("left common iliac vein", "iliac_vena_left"),
    ("Rib7", "rib_{side}_7"), ("pelvis", "hip_{side}"), ("thoracic12", "vertebrae_T12"), ("cervical3", "vertebrae_C3"),
    ("lumbar1", "vertebrae_L1"), ("atlas", "vertebrae_C1"), ("axis", "vertebrae_C2"), ("stomach and duodenum",
     "stomach|duodenum"), ("L1-L2-IntervertebralDisc", "intervertebral_disc"), ("?", None), ("liver", "liver"),
    ("left gastric artery", None), ("arch of aorta", "aortic_arch"), ("rectus abdominis muscle",
     "rectus_abdominis_left|rectus_abdominis_right"),
])
def test_names_of_the_spl_atlases(name, concept):
    assert label_names.spl(name) == concept


@pytest.mark.parametrize(("name", "concept"), [
    ("RightParotid", "parotid_gland_right"), ("LeftParotid", "parotid_gland_left"),
    ("Parotid-Lt", "parotid_gland_left"),
    ("Parotid-Rt", "parotid_gland_right"), ("Lt femoral head", "femoral_head_left"), ("rt femoral head",
     "femoral_head_right"), ("Left Lung", "lung_left"), ("Lung-Right", "lung_right"), ("Optic-Nerve-Lt",
     "optic_nerve_left"), ("Brainstem", "brainstem"), ("SpinalCord", "spinal_cord"), ("BODY", None),
    ("Lymph Nodes", None), ("Left nothing", None), ("Cleft", None), ("Lens-Rt", "eye_lens_right"), ("Orbit-Lt",
     "eye_left"),
])
def test_names_of_radiotherapy_contours(name, concept):
    assert label_names.contoured(name) == concept


@pytest.mark.parametrize(("name", "organ", "node", "concept"), [
    ("femur", "skeleton", "VH_M_femur_L", "femur_left"), ("femur", "skeleton", "VH_M_femur_R", "femur_right"),
    ("ilium", "pelvis", "VH_F_ilium_compact_bone_R", "hip_right"), ("sacrum", "pelvis", "VH_F_sacrum", "sacrum"),
    ("hilum of lung", "lung", "VH_M_hilum_of_lung_L", "lung_left"),
    ("lingula", "lung", "VH_M_superior_lingular_bronchopulmonary_segment_L", "lung_upper_lobe_left"),
    ("x", "lung", "VH_M_left_anterior_basal_bronchopulmonary_segment", "lung_lower_lobe_left"),
    ("x", "lung", "VH_M_left_apicoposterior_bronchopulmonary_segment", "lung_upper_lobe_left"),
    ("x", "lung", "VH_M_right_medial_basal_bronchopulmonary_segment", "lung_lower_lobe_right"),
    ("x", "lung", "VH_M_right_medial_bronchopulmonary_segment", "lung_middle_lobe_right"),
    ("x", "lung", "VH_M_right_apical_bronchopulmonary_segment", "lung_upper_lobe_right"),
    ("Left cardiac atrium", "heart", "n", "heart_atrium_left"),
    ("posterior papillary muscle of left ventricle", "heart", "n", "heart_ventricle_left"),
    ("tricuspid valve", "heart", "n", "heart_ventricle_right"), ("aortic valve", "heart", "n", "heart"),
    ("left renal artery", "blood-vasculature", "n", "renal_artery_left"),
    ("right renal vein", "blood-vasculature", "n", "renal_vein_right"),
    ("outer cortex of kidney", "kidney-right", "n", "kidney_right"), ("cerebellum", "brain", "n", None),
    ("x", "blood-vasculature", "VH_M_pulmonary_vein_L_sup", "left_superior_pulmonary_vein"),
    ("x", "blood-vasculature", "VH_M_middle_hepatic_vein", "middle_hepatic_vein"),
    ("x", "blood-vasculature", "VH_M_middle_hepatic_artery_branch_of_left_hepatic_artery", None),
    ("x", "nerves-eye-l", "VH_M_left_optic_nerve", "optic_nerve_left"),
    ("x", "lung", "VH_F_right_anterior_bronchopulmonary_segm", "lung_upper_lobe_right"),
    ("x", "large-intestine", "VH_F_vermiform_appendix", "appendix"),
    ("skin", "skin", "n", None), ("caecum", "large-intestine", "n", "cecum"),
])
def test_names_of_the_human_reference_atlas(name, organ, node, concept):
    assert label_names.human_reference_atlas(name, organ, node) == concept


@pytest.mark.parametrize(("name", "side", "concept"), [
    ("psoas_major_left", "left", "psoas_major_left"), ("gluteus_minimus_right", "right", "gluteus_minimus_right"),
    ("vastus_lateralis_left", "left", "quadriceps_femoris_left"),
    ("pectineus_right", "right", "thigh_medial_compartment_right"), ("superior_gemellus_left", "left", None),
])
def test_names_of_hip_muscles(name, side, concept):
    assert label_names.muscle(name, side) == concept


@pytest.mark.parametrize(("name", "concept"), [
    ("liver", "liver"), ("prostate_or_uterus", "prostate|uterus"), ("aorta_false_lumen", "aorta"),
    ("pulmonary_annulus_plane", None), ("vertebrae_T12", "vertebrae_T12"),
])
def test_names_of_amos_and_of_the_report_on_the_aorta(name, concept):
    assert label_names.named(name) == concept


@given(st.sampled_from(sorted(label_names.SPL_PAIRED)), st.sampled_from(["left", "right"]))
def test_a_sided_name_of_the_spl_keeps_its_side(base, side):
    concept = label_names.spl(f"{side} {base}")
    assert concept.endswith(f"_{side}")


@given(
    st.sampled_from(sorted(label_names.CONTOURED_PAIRED)),
    st.sampled_from([("Lt", "left"), ("Left", "left"), ("Rt", "right"), ("Right", "right")]),
    st.sampled_from(["{side} {base}", "{base}-{side}", "{base} {side}"]),
)
def test_a_sided_contour_keeps_its_side_however_it_is_written(base, side, pattern):
    name = pattern.format(side=side[0], base=base)
    assert label_names.contoured(name) == f"{label_names.CONTOURED_PAIRED[base]}_{side[1]}"


def every_concept_of_the_tables() -> set[str]:
    both = [f"{base}_{side}" for base in label_names.SPL_PAIRED.values() for side in ("left", "right")]
    both += [f"{base}_{side}" for base in label_names.CONTOURED_PAIRED.values() for side in ("left", "right")]
    tables = (label_names.TOTALSEGMENTATOR_V1, label_names.CONTOURED, label_names.HRA_ORGANS)
    parts = [concept for _, _, concept in label_names.HRA_PARTS] + [c for _, c in label_names.HRA_LUNG_SEGMENTS]
    nodes = [c.format(side=side) for _, c in label_names.HRA_NODES for side in ("left", "right")]
    return {c for c in (*both, *parts, *nodes, *(c for table in tables for c in table.values())) if c}


@pytest.mark.parametrize("concept", sorted(every_concept_of_the_tables()))
def test_every_concept_of_the_tables_is_in_the_vocabulary(concept):
    assert concept in VOCABULARY


@pytest.mark.parametrize("value", sorted(label_names.SPL.values()))
def test_every_spl_name_has_at_least_one_concept_of_the_vocabulary(value):
    options = [o.format(side=side) for o in value.split("|") for side in ("left", "right")]
    assert any(option in VOCABULARY for option in options)
