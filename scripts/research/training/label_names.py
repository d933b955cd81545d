"""From the label names of each data source to the concept ids of the vocabulary.

None is tissue without a name that we use: it is body, and every concept is unknown there. "a|b" is a label that is
one of these, unknown which. "{side}" is a structure whose two sides share one label; the midline tells them apart.
"""
from __future__ import annotations

import re

SIDES = {"L": "left", "R": "right"}

TOTALSEGMENTATOR_V1 = {
    "lung_upper_lobe_left": "lung_upper_lobe_left",
    "heart_myocardium": "heart_myocardium",
    "pulmonary_artery": "pulmonary_artery",
    "face": None,
    "body": None,
    "body_trunc": None,
    "body_extremities": None,
}

NAMED = {  # of label maps that else have TotalSegmentator's names
    "prostate_or_uterus": "prostate|uterus",
    "pulmonary_artery": "pulmonary_artery|pulmonary_trunk",
    "aorta_true_lumen": "aorta",
    "aorta_false_lumen": "aorta",
    "annulus_proper": None,
    "sinotubular_junction": None,
    "pulmonary_annulus_plane": None,
    "pulmonary_sinotubular_junction_plane": None,
    "pulmonary_bifurcation_plane": None,
    "pulmonary_artery_left_start_plane": None,
    "pulmonary_artery_right_start_plane": None,
}

SPL = {
    "celiac trunk": "celiac_trunk",
    "stomach and duodenum": "stomach|duodenum",
    "colon and ileum": "colon|small_bowel|ileum",
    "portal vein and superior mesenteric vein": "portal_vein|superior_mesenteric_vein",
    "rectus abdominis muscle": "rectus_abdominis_left|rectus_abdominis_right",
    "pelvis": "hip_{side}",
    "hyoid": "hyoid|hyoid_bone",
    "inferior vena cava": "inferior_vena_cava",
    "superior vena cava": "superior_vena_cava",
    "superior mesenteric artery": "superior_mesenteric_artery",
    "inferior mesenteric artery": "inferior_mesenteric_artery",
    "splenic artery": "splenic_artery",
    "splenic vein": "splenic_vein",
    "gastroduodenal artery": "gastroduodenal_artery",
    "arch of aorta": "aortic_arch",
    "atlas": "vertebrae_C1",
    "axis": "vertebrae_C2",
    "thyroid gland": "thyroid_gland",
    "thyroid cartilage": "thyroid_cartilage",
    "cricoid cartilage": "cricoid_cartilage",
    "brachiocephalic trunk": "brachiocephalic_trunk",
}
SPL_PAIRED = {
    "kidney": "kidney",
    "adrenal gland": "adrenal_gland",
    "renal artery": "renal_artery",
    "renal vein": "renal_vein",
    "common iliac artery": "iliac_artery",
    "external iliac artery": "external_iliac_artery",
    "internal iliac artery": "internal_iliac_artery",
    "common iliac vein": "iliac_vena",
    "external iliac vein": "external_iliac_vein",
    "internal iliac vein": "internal_iliac_vein",
    "psoas muscle": "psoas_major",
    "quadratus lumborum muscle": "quadratus_lumborum",
    "external oblique muscle": "external_oblique",
    "internal oblique muscle": "internal_oblique",
    "erector spinae muscle": "erector_spinae",
    "iliacus muscle": "iliacus",
    "gluteus minimus muscle": "gluteus_minimus",
    "gluteus medius muscle": "gluteus_medius",
    "gluteus maximus muscle": "gluteus_maximus",
    "ureter": "ureter",
    "renal pelvis": "renal_pelvis",
    "clavicle": "clavicula",
    "parotid gland": "parotid_gland",
    "temporalis muscle": "temporalis",
    "trapezius muscle": "trapezius",
    "masseter muscle": "masseter",
    "levator scapulae muscle": "levator_scapulae",
    "sternocleidomastoideus muscle": "sternocleidomastoid",
    "common carotid": "common_carotid_artery",
    "subclavian artery": "subclavian_artery",
    "vertebral artery": "vertebral_artery",
    "internal carotid": "internal_carotid_artery",
    "external carotid": "external_carotid_artery",
    "internal jugular vein": "internal_jugular_vein",
    "subclavian vein": "subclavian_vein",
}

CONTOURED = {  # radiotherapy contours of the head and neck, and of the male pelvis
    "Brainstem": "brainstem",
    "SpinalCord": "spinal_cord",
    "Spinal-Cord": "spinal_cord",
    "Spinal-Canal": "spinal_canal",
    "Larynx": "larynx",
    "Mandible": "mandible",
    "Esophagus": "esophagus",
    "Brain": "brain",
    "Bladder": "urinary_bladder",
    "Rectum": "rectum",
}
CONTOURED_PAIRED = {
    "Parotid": "parotid_gland",
    "Orbit": "eye",
    "Lens": "eye_lens",
    "Lung": "lung",
    "Optic-Nerve": "optic_nerve",
    "Submandibular": "submandibular_gland",
    "femoral head": "femoral_head",
}

HRA_ORGANS = {  # a whole organ of the Human Reference Atlas, whatever the part
    "gallbladder": "gallbladder",
    "spleen": "spleen",
    "kidney-left": "kidney_left",
    "kidney-right": "kidney_right",
    "eye-left": "eye_left",
    "eye-right": "eye_right",
    "liver": "liver",
    "pancreas": "pancreas",
    "urinary-bladder": "urinary_bladder",
    "prostate": "prostate",
    "spinal-cord": "spinal_cord",
    "thymus": "thymus",
    "larynx": "larynx",
    "uterus": "uterus",
    "heart": "heart",
    "ovary-left": "ovary_left",
    "ovary-right": "ovary_right",
    "ureter-left": "ureter_left",
    "ureter-right": "ureter_right",
}
HRA_PARTS = (  # (organ, pattern of the part's name, concept); the first match wins, then the whole organ
    ("heart", r"left ventricle|mitral|interventricular septum|of left ventricle", "heart_ventricle_left"),
    ("heart", r"right ventricle|tricuspid", "heart_ventricle_right"),
    ("heart", r"left cardiac atrium", "heart_atrium_left"),
    ("heart", r"right cardiac atrium", "heart_atrium_right"),
    ("liver", r"caudate", "liver_segment_1"),
    ("liver", r"anterolateral|posterolateral", "liver_left_lobe"),
    ("liver", r"right (antero|postero)", "liver_right_lobe"),
    ("pancreas", r"body of pancreas", "pancreas_body"),
    ("pancreas", r"head of pancreas|uncinate", "pancreas_head"),
    ("pancreas", r"neck of pancreas", "pancreas_neck"),
    ("pancreas", r"tail of pancreas", "pancreas_tail"),
    ("larynx", r"cricoid", "cricoid_cartilage"),
    ("larynx", r"thyroid", "thyroid_cartilage"),
    ("large-intestine", r"ascending colon", "ascending_colon"),
    ("large-intestine", r"descending colon", "descending_colon"),
    ("large-intestine", r"transverse colon", "transverse_colon"),
    ("large-intestine", r"sigmoid", "sigmoid_colon"),
    ("large-intestine", r"hepatic flexure", "hepatic_flexure"),
    ("large-intestine", r"splenic flexure", "splenic_flexure"),
    ("large-intestine", r"c[a]?ecum", "cecum"),
    ("large-intestine", r"rectum", "rectum"),
    ("small-intestine", r"duoden", "duodenum"),
    ("small-intestine", r"ileum", "ileum"),
    ("small-intestine", r"jejunum", "jejunum"),
    ("trachea", r"carina", "carina"),
    ("trachea", r"trachea", "trachea"),
    ("main-bronchus", r"left", "main_bronchus_left"),
    ("main-bronchus", r"right", "main_bronchus_right"),
    ("pelvis", r"sacrum", "sacrum"),
    ("pelvis", r"coccyx", "coccyx"),
    ("blood-vasculature", r"arch of aorta", "aortic_arch"),
    ("blood-vasculature", r"ascending aorta", "ascending_aorta"),
    ("blood-vasculature", r"descending aorta", "aorta"),
    ("blood-vasculature", r"brachiocephalic artery", "brachiocephalic_trunk"),
    ("blood-vasculature", r"left brachiocephalic vein", "brachiocephalic_vein_left"),
    ("blood-vasculature", r"right brachiocephalic vein", "brachiocephalic_vein_right"),
    ("blood-vasculature", r"celiac trunk", "celiac_trunk"),
    ("blood-vasculature", r"left common iliac vein", "iliac_vena_left"),
    ("blood-vasculature", r"right common iliac vein", "iliac_vena_right"),
    ("blood-vasculature", r"inferior vena cava", "inferior_vena_cava"),
    ("blood-vasculature", r"superior vena cava", "superior_vena_cava"),
    ("blood-vasculature", r"portal vein", "portal_vein"),
    ("blood-vasculature", r"left common carotid", "common_carotid_artery_left"),
    ("blood-vasculature", r"left subclavian artery", "subclavian_artery_left"),
    ("blood-vasculature", r"left pulmonary artery$", "pulmonary_artery_left"),
    ("blood-vasculature", r"right pulmonary artery$", "pulmonary_artery_right"),
    ("blood-vasculature", r"pulmonary trunk", "pulmonary_trunk"),
    ("blood-vasculature", r"left renal vein", "renal_vein_left"),
    ("blood-vasculature", r"right renal vein", "renal_vein_right"),
    ("blood-vasculature", r"left renal artery", "renal_artery_left"),
    ("blood-vasculature", r"right renal artery", "renal_artery_right"),
    ("blood-vasculature", r"splenic artery", "splenic_artery"),
    ("blood-vasculature", r"splenic vein", "splenic_vein"),
    ("blood-vasculature", r"superior mesenteric artery", "superior_mesenteric_artery"),
    ("blood-vasculature", r"superior mesenteric vein", "superior_mesenteric_vein"),
    ("blood-vasculature", r"inferior mesenteric artery", "inferior_mesenteric_artery"),
    ("uterus", r"", "uterus"),
)
HRA_NODES = (  # told apart only by the node's name: bones and vessels with the same text on both sides
    (r"(femur)_([LR])$", "femur_{side}"),
    (r"(patella)_([LR])$", "patella_{side}"),
    (r"(tibia)_([LR])$", "tibia_{side}"),
    (r"(fibula)_([LR])$", "fibula_{side}"),
    (r"(external_iliac_vein)_([LR])$", "external_iliac_vein_{side}"),
    (r"(internal_iliac_vein)_([LR])$", "internal_iliac_vein_{side}"),
)
HRA_NAMED_NODES = (  # vessels and ducts whose text names no side or another thing; the first match wins
    (r"common_bile_duct", "common_bile_duct"),
    (r"common_hepatic_duct", "common_hepatic_duct"),
    (r"cystic_duct", "cystic_duct"),
    (r"pancreatic_duct", "pancreas|pancreatic_duct"),
    (r"common_hepatic_artery|proper_hepatic_artery", "hepatic_artery"),
    (r"(left|middle|right)_hepatic_vein", r"\1_hepatic_vein"),
    (r"pulmonary_vein_L_(sup|inf)", r"left_\1erior_pulmonary_vein"),
    (r"pulmonary_vein_R_(sup|inf)", r"right_\1erior_pulmonary_vein"),
    (r"inferior_mesenteric_vein", "inferior_mesenteric_vein"),
    (r"coronary_sinus", "coronary_sinus"),
    (r"left_circumflex_artery", "left_circumflex_artery"),
    (r"right_coronary_artery", "right_coronary_artery"),
    (r"ileocecal_valve", "ileocecal_valve"),
    (r"vermiform_appendix", "appendix"),
    (r"(left|right)_optic_nerve", r"optic_nerve_\1"),
    (r"urethra", "urethra"),
    (r"vagina$", "vagina"),
    (r"mammary_lobes_L|VH_F_fat_L", "breast_left"),
    (r"mammary_lobes_R|VH_F_fat_R", "breast_right"),
)
HIP_MUSCLES = (  # pattern of a muscle's name without its side, concept
    (r"gluteus_(maximus|medius|minimus)|psoas_major|iliacus|piriformis|obturator_internus|sartorius", r"\g<0>_{side}"),
    (r"rectus_femoris|vastus_.*", "quadriceps_femoris_{side}"),
    (r"pectineus", "thigh_medial_compartment_{side}"),
)
HRA_SIDED_NODES = (  # (organ, pattern of the node's name, concept)
    ("pelvis", r"_([LR])(_|$)", "hip_{side}"),
    ("lung", r"hilum.*_([LR])$", "lung_{side}"),
)
HRA_LUNG_SEGMENTS = (  # patterns of the node's name; the name of some meshes is that of another segment
    (r"lingula", "lung_upper_lobe_left"),
    (r"left.*(basal|superior)", "lung_lower_lobe_left"),
    (r"left", "lung_upper_lobe_left"),
    (r"right.*(basal|superior)", "lung_lower_lobe_right"),
    (r"right_(lateral|medial)", "lung_middle_lobe_right"),
    (r"right", "lung_upper_lobe_right"),
)


def totalsegmentator(name: str) -> str | None:
    """Concept of a TotalSegmentator class (v1 and v2 names are the vocabulary's own ids)."""
    return TOTALSEGMENTATOR_V1.get(name, name)


def named(name: str) -> str | None:
    """Concept of a label of AMOS or of the aorta report."""
    return NAMED.get(name, name)


def spl(name: str) -> str | None:
    """Concept of a label of the SPL abdominal and head-neck atlases."""
    low = name.lower()
    if low in SPL:
        return SPL[low]
    if match := re.fullmatch(r"(left|right) (.*)", low):
        base = SPL_PAIRED.get(match[2])
        return f"{base}_{match[1]}" if base else None
    if match := re.fullmatch(r"(cervical|thoracic|lumbar)(\d+)", low):
        return f"vertebrae_{match[1][0].upper()}{match[2]}"
    if match := re.fullmatch(r"(\w+)-(\w+)-intervertebraldisc", low):
        return "intervertebral_disc"
    if match := re.fullmatch(r"rib(\d+)", low):
        return f"rib_{{side}}_{match[1]}"
    if low == "?":
        return None
    return low.replace(" ", "_")


def contoured(name: str) -> str | None:
    """Concept of a radiotherapy contour such as 'RightParotid', 'Parotid-Rt' or 'Lt femoral head'."""
    if name in CONTOURED:
        return CONTOURED[name]
    if match := re.search(r"(?i)\b(left|right|lt|rt)\b|^(Left|Right)(?=[A-Z])", name):
        side = "left" if match[0].lower().startswith("l") else "right"
        rest = (name[: match.start()] + name[match.end() :]).strip(" -")
        base = CONTOURED_PAIRED.get(rest)
        return f"{base}_{side}" if base else None
    return None


def human_reference_atlas(name: str, organ: str, node: str) -> str | None:
    """Concept of a mesh of the Human Reference Atlas, from its name, its organ and its node."""
    if organ == "brain":
        return None  # from the Allen atlas, under terms of its own: not used
    if concept := _of_hra_node(node):
        return concept
    for its_organ, pattern, concept in HRA_SIDED_NODES:
        if organ == its_organ and (match := re.search(pattern, node)):
            return concept.format(side=SIDES[match[1]])
    if organ == "lung" and "bronchopulmonary_segm" in node:
        return next((concept for pattern, concept in HRA_LUNG_SEGMENTS if re.search(pattern, node)), None)
    parts = (concept for its_organ, pattern, concept in HRA_PARTS
             if organ == its_organ and re.search(pattern, name.lower()))
    return next(parts, HRA_ORGANS.get(organ))


def _of_hra_node(node: str) -> str | None:
    """Concept of a mesh of whatever organ, from its node."""
    for pattern, concept in HRA_NODES:
        if match := re.search(pattern, node):
            return concept.format(side=SIDES[match[2]])
    named = ((re.search(pattern, node), concept) for pattern, concept in HRA_NAMED_NODES)
    return next((match.expand(concept) for match, concept in named if match), None)


def muscle(name: str, side: str) -> str | None:
    """Concept of a muscle such as 'psoas_major_left' with the side 'left'; None for one without a name here."""
    base = name.removesuffix(f"_{side}")
    for pattern, concept in HIP_MUSCLES:
        if match := re.fullmatch(pattern, base):
            return match.expand(concept).replace("{side}", side)
    return None
