"""BodyParts3D: from its structures' names to the concepts of the vocabulary, and the wall that its flanks lack.

The label map names 1,660 structures, finer than the vocabulary: parts of muscles, gyri, single teeth, segmental vessels.
What the vocabulary cannot name keeps at least its tissue, so that an image painted from the labels looks like a CT.
"""
from __future__ import annotations

import re

import numpy as np
from scipy import ndimage
from scipy.spatial import ConvexHull, Delaunay

from anatembed.training.subject import UNNAMED, UNNAMED_MUSCLE, Subject

LEAST_VOXELS = 40
"""Voxels of the source (2 mm) below which a vessel or a duct of its own is left out: on a 3 mm grid it is a few specks."""

STRUCTURES = (  # pattern of the whole name without its side, concept; the first match wins
    # the spine: the canal is not the cord, and only two discs have names of their own
    (r"spinal_canal", "spinal_canal"),
    (r"intervertebral_disc_below_L4", "intervertebral_disc_L4_L5"),
    (r"intervertebral_disc_below_L5", "intervertebral_disc_L5_S1"),
    (r"intervertebral_disc_below_.*", "intervertebral_disc"),
    # bones
    (r"sternum_manubrium", "manubrium"),
    (r"sternum_xiphoid", "xiphoid_process"),
    (r"costal_cartilage_.*", "costal_cartilages"),
    (r"(frontal|occipital|sphenoid)_bone", r"\1_bone"),
    (r"(parietal|temporal|zygomatic)_bone", r"\1_bone_{side}"),
    (r"mandible", "mandible"),
    (r"maxilla", "maxilla"),
    (r"upper_.*_tooth", "upper_teeth"),
    (r"lower_.*_tooth", "lower_teeth"),
    (r"scaphoid|lunate|triquetral|pisiform|trapezium|trapezoid|capitate|hamate", "carpal"),
    (r".*_metacarpal_bone", "metacarpal"),
    (r".*_metatarsal_bone", "metatarsal"),
    (r".*_phalanx_of_.*(finger|thumb)", "phalanges_hand"),
    (r".*_phalanx_of_.*toe", "phalanges_feet"),
    (r"talus|calcaneus|navicular_bone_of_foot|cuboid_bone|.*_cuneiform_bone", "tarsal"),
    # muscles
    (r".*_part_of_pectoralis_major", "pectoralis_major_{side}"),
    (r".*_part_of_deltoid", "deltoid_{side}"),
    (r".*_part_of_trapezius", "trapezius_{side}"),
    (r".*_head_of_triceps_brachii", "triceps_brachii_{side}"),
    (r".*_head_of_biceps_brachii", "biceps_brachii_{side}"),
    (r"rectus_femoris|vastus_.*", "quadriceps_femoris_{side}"),
    (r".*_head_of_biceps_femoris|semimembranosus|semitendinosus", "thigh_posterior_compartment_{side}"),
    (r"adductor_(brevis|longus|magnus|minimus)|gracilis|pectineus", "thigh_medial_compartment_{side}"),
    (r".*_part_of_masseter", "masseter_{side}"),
    (r".*_head_of_lateral_pterygoid", "lateral_pterygoid_{side}"),
    (r"digastric|.*_belly_of_digastric", "digastric_{side}"),
    (r"scalenus_anterior", "anterior_scalene_{side}"),
    (r"scalenus_medius", "middle_scalene_{side}"),
    (r"scalenus_posterior", "posterior_scalene_{side}"),
    (r"(infraspinatus)_muscle", r"\1_{side}"),
    (r"coracobrachialis", "coracobrachial_{side}"),
    (r"iliococcygeus|pubococcygeus|puborectalis", "levator_ani"),
    (r"iliocostalis_(lumborum|thoracis)|longissimus_thoracis|spinalis_thoracis", "erector_spinae_{side}"),
    (r"multifidus|semispinalis_thoracis|(lumbar|cervical)_rotator", "autochthon_{side}"),
    # head and neck
    (r"tongue|genioglossus|hyoglossus", "tongue"),
    (r".*_pharyngeal_constrictor|palatopharyngeus|stylopharyngeus|salpingopharyngeus|pharyngeal_raphe", "pharynx"),
    (r"arytenoid_cartilage|.*arytenoid.*|.*cricothyroid|vocal_ligament|thyro_epiglottic.*|conus_elasticus", "larynx"),
    (r"sclera|vitreous_body|choroid|cornea|iris|optic_part_of_retina|anterior_chamber_of_eyeball|corona_ciliaris",
     "eye_{side}"),
    (r"lens", "eye_lens_{side}"),
    # brain
    (r"(superior|middle|inferior)_frontal_gyrus|precentral_gyrus|orbital_gyrus", "frontal_lobe_{side}"),
    (r"postcentral_gyrus|superior_parietal_lobule|supramarginal_gyrus|angular_gyrus|precuneus", "parietal_lobe_{side}"),
    (r".*temporal_gyrus|fusiform_gyrus|parahippocampal_gyrus|hippocampus_proper", "temporal_lobe_{side}"),
    (r"cingulate_gyrus|white_matter_of_cerebral_hemisphere", "cerebral_hemisphere_{side}"),
    (r"peduncle_of_midbrain|(superior|inferior)_colliculus|brachium_of_.*colliculus", "midbrain"),
    (r"pineal_body", "pineal_gland"),
    # heart and great vessels
    (r"wall_of_atrium", "heart_atrium_{side}"),
    (r".*papillary_muscle_of_ventricle", "heart_ventricle_{side}"),
    (r"heart_myocardium_ventricles", "heart_myocardium"),
    (r".*_(leaflet|cusp)_of_(mitral|tricuspid|aortic|pulmonary)_valve", r"\2_valve"),
    (r"aorta_abdominal", "abdominal_aorta"),
    (r"aorta_arch", "aortic_arch"),
    (r"aorta_ascending", "ascending_aorta"),
    (r"aorta_descending_thoracic", "thoracic_aorta"),
    (r"(superior|inferior)_pulmonary_vein", r"{side}_\1_pulmonary_vein"),
    (r"common_iliac_artery", "iliac_artery_{side}"),
    (r"common_iliac_vein", "iliac_vena_{side}"),
    (r".*_bronchial_tree", "bronchi"),
    # abdomen: 'descending' holds the sigmoid colon and 'ascending' the cecum
    (r"colon_ascending", "ascending_colon|cecum"),
    (r"colon_descending", "descending_colon|sigmoid_colon"),
    (r"colon_transverse", "transverse_colon"),
    (r"ileocecal_junction|taenia_.*", "colon"),
    (r"(jejunum|ileum)_(proximal|middle|distal)", r"\1"),
    # by their places the part called IX is Couinaud's VII, and the one called VII a rim of VI
    (r"liver_segment_7", "liver_segment_6"),
    (r"liver_segment_9", "liver_segment_7"),
    (r"hepatic_vein", "{side}_hepatic_vein"),
    (r"trunk_of_portal_vein", "portal_vein"),
    (r"common_hepatic_artery|hepatic_artery_proper", "hepatic_artery"),
    (r".*(hepatic_artery|tributary_of_.*hepatic_vein|branch_of_.*portal_vein).*|portal_vein_(left|right)"
     r"|.*segmental_vein_of_liver|.*part_of_(lateral|medial)_segmental_vein", "liver|liver_vessels"),
    (r"pancreatic_duct.*", "pancreas|pancreatic_duct"),
    (r"trunk_of_superior_mesenteric_artery", "superior_mesenteric_artery"),
    (r"trunk_of_renal_artery|.*_division_of_renal_artery", "renal_artery_{side}"),
    (r"lobe_of_thymus", "thymus"),
    (r"corpus_(cavernosum|spongiosum)_of_penis|glans_penis", "penis"),
    (r"external_anal_sphincter", "anal_canal"),
)
LEFT_ONLY = {"gastric_artery": "left_gastric_artery", "trunk_of_coronary_artery": "left_main_coronary_artery",
             "circumflex_branch_of_coronary_artery": "left_circumflex_artery"}
TISSUE_OF_NAMELESS = (  # pattern found in the name, name of the label; the first match wins
    (r"nerve|ganglion|mesocolon|mesoappendix|lacrimal|nasolacrimal|ureteric|central_canal|interventricular_foramen", None),
    (r"arter|_trunk|palmar_arch|plantar_arch|arterial_arch", "unnamed artery"),
    (r"_vein|venous|hemiazygos", "unnamed vein"),
    (r"bone|concha", "unnamed bone"),
    (r"ligament|tendon|membrane|retinaculum|raphe|cartilage|tract|plate|linea_alba|tentorium|hepatic_duct|biliary|gland"
     r"|_duct|gingiva|lip$|external_ear|epididymis|optic_|cystic", "unnamed soft tissue"),
    (r"", "unnamed muscle"),
)
WHOLES = frozenset({"brain", "heart", "skull"})
"""Whatever lies in them is theirs, however small."""
WALL_FROM, WALL_TO = "vertebrae_L5", "vertebrae_T11"
"""Between them the flank has a muscular wall, which the source lacks."""
WALL_OF = ("rectus_abdominis", "quadratus_lumborum", "erector_spinae", "autochthon", "colon", "liver", "spleen",
           "stomach", "kidney", "jejunum", "ileum", "psoas_major")
WALL_VOXELS = 4
WALL = UNNAMED_MUSCLE


def concept_of(name: str, side: str, whole: str, voxels: int, ids: frozenset[str]) -> tuple[str, str | None] | None:
    """Label name and concept of a structure, None for what becomes body without a name.

    name, side, whole, voxels: columns name, side, totalsegmentator_class and voxels of the table.
    """
    if name == "body":
        return None
    base = name.removesuffix(f"_{side}")
    if side == "left" and base in LEFT_ONLY and LEFT_ONLY[base] in ids:
        return LEFT_ONLY[base], LEFT_ONLY[base]
    if (name, side) == ("trunk_of_coronary_artery_right", "right"):
        return "right_coronary_artery", "right_coronary_artery"
    for pattern, template in STRUCTURES:
        if match := re.fullmatch(pattern, base):
            concept = match.expand(template)
            concept = concept.replace("{side}", side) if side in ("left", "right") else concept
            return concept, concept
    known = next((c for c in (name, base, whole) if c in ids), None)
    if known and (voxels >= LEAST_VOXELS or known in WHOLES):
        return known, known
    nameless = next(label for pattern, label in TISSUE_OF_NAMELESS if re.search(pattern, name))
    return (nameless, None) if nameless and voxels >= LEAST_VOXELS else None


def paint_flank_wall(subject: Subject) -> int:
    """Mark the muscle of the flanks, around the hull of what the abdomen holds; returns the voxels marked, in place."""
    ends = [levels_of(subject, concept) for concept in (WALL_FROM, WALL_TO)]
    if not all(len(level) for level in ends):
        return 0
    inside = np.isin(subject.labels_kji, indices_of(subject, WALL_OF))
    marked = np.zeros(inside.shape, bool)
    for k in range(int(np.median(ends[0])), int(np.median(ends[1])) + 1):
        hull = convex(inside[k])
        marked[k] = ndimage.binary_dilation(hull, iterations=WALL_VOXELS) & ~ndimage.binary_erosion(hull)
    marked &= subject.labels_kji == UNNAMED
    if WALL not in subject.label_names:
        subject.label_names.append(WALL)
        subject.label_concepts.append(())
    subject.labels_kji[marked] = subject.label_names.index(WALL)
    return int(marked.sum())


def levels_of(subject: Subject, concept: str) -> np.ndarray:
    """Indices (N,) along K of a concept's voxels."""
    return np.nonzero(np.isin(subject.labels_kji, indices_of(subject, (concept,))))[0]


def indices_of(subject: Subject, beginnings: tuple[str, ...]) -> list[int]:
    """Indices of the labels whose first concept begins with one of these."""
    return [i for i, c in enumerate(subject.label_concepts) if c and c[0].startswith(beginnings)]


def convex(plane: np.ndarray) -> np.ndarray:
    """The convex hull of a plane's set pixels, as bool; the plane itself where they span no area."""
    points = np.argwhere(plane)
    if len(points) < 3 or not np.ptp(points, axis=0).all():
        return plane
    hull = Delaunay(points[ConvexHull(points, qhull_options="QJ").vertices])
    return hull.find_simplex(np.indices(plane.shape).reshape(2, -1).T).reshape(plane.shape) >= 0
