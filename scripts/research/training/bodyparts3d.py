"""BodyParts3D: from its structures' names to the concepts of the vocabulary, and what it leaves out filled in.

The label map names 1,660 structures, many finer than the vocabulary: parts of muscles, gyri, teeth, segmental vessels.
What the vocabulary cannot name keeps at least its tissue, so that an image painted from the labels looks like a CT.
"""
from __future__ import annotations

import re

import numpy as np
from scipy import ndimage
from scipy.spatial import ConvexHull, Delaunay

from research.training.subject import UNNAMED, UNNAMED_MUSCLE, Subject

LEAST_VOXELS = 40
"""Voxels of the source (2 mm) below which a vessel or a duct is left out: on a 3 mm grid it is a few specks."""

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
             "circumflex_branch_of_coronary_artery": "left_circumflex_artery",
             "trunk_of_anterior_interventricular_branch_of_coronary_artery": "left_anterior_descending_artery"}
TISSUE_OF_NAMELESS = (  # pattern found in the name, name of the label; the first match wins
    (r"nerve|ganglion|mesocolon|mesoappendix|lacrimal|ureteric|central_canal|interventricular_foramen", None),
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
WALL_MUSCLES = ("rectus_abdominis", "quadratus_lumborum", "erector_spinae", "autochthon", "psoas_major")
WALL_OF = (*WALL_MUSCLES, "colon", "ascending_colon", "descending_colon", "liver", "spleen", "stomach", "kidney",
           "jejunum", "ileum")
WALL_VOXELS = 4
BRAIN = ("frontal_lobe", "parietal_lobe", "temporal_lobe", "occipital_lobe", "insula", "cerebral_hemisphere",
         "cerebellum", "brain", "corpus_callosum", "pons", "midbrain", "medulla_oblongata", "thalamus", "hippocampus",
         "putamen", "caudate_nucleus", "globus_pallidus", "internal_capsule")
GAP_VOXELS, FLUID_VOXELS = 2, 3
"""The brain's parts do not touch in the source: gaps up to that belong to the nearest part. Beyond is fluid."""
LARYNX = ("larynx", "thyroid_cartilage", "cricoid_cartilage")
NOSE = ("maxilla", "skull")
NOSE_HALF_VOXELS, PHARYNX_HALF_VOXELS, PALATE_VOXELS = 5, 6, 3
"""Half of the width of nasal cavity and pharynx, and the thickness of the palate: 15, 18 and 9 mm."""
MASTOID_VOXELS = 10
"""The mastoid process is the lowest 30 mm of the temporal bone, behind its middle."""


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


def fill_gaps(subject: Subject) -> None:
    """Give names to what the source leaves out but shows by its surroundings, in place."""
    fill_brain(subject)
    name_airways(subject)
    name_mastoids(subject)
    paint_flank_wall(subject)


def paint_flank_wall(subject: Subject) -> None:
    """Mark the muscle of the flanks: around the hull of what the abdomen holds, but not upon the muscles before and
    behind it."""
    ends = [levels_of(subject, concept) for concept in (WALL_FROM, WALL_TO)]
    if not all(len(level) for level in ends):
        return
    inside, muscle = (np.isin(subject.labels_kji, indices_of(subject, names)) for names in (WALL_OF, WALL_MUSCLES))
    marked = np.zeros(inside.shape, bool)
    for k in range(int(np.median(ends[0])), int(np.median(ends[1])) + 1):
        if not inside[k].any():
            continue
        hull = convex(inside[k])
        nearest = ndimage.distance_transform_edt(~inside[k], return_distances=False, return_indices=True)
        marked[k] = ndimage.binary_dilation(hull, iterations=WALL_VOXELS) & ~ndimage.binary_erosion(hull)
        marked[k] &= ~muscle[k][tuple(nearest)]
    mark(subject, marked, UNNAMED_MUSCLE, ())


def fill_brain(subject: Subject) -> None:
    """Close the gaps between the parts of the brain."""
    brain = np.isin(subject.labels_kji, indices_of(subject, BRAIN))
    if not brain.any():
        return
    found = ndimage.find_objects(brain.astype(np.uint8))[0]
    box = tuple(slice(max(0, part.start - 8), part.stop + 8) for part in found)
    labels, brain = subject.labels_kji[box], brain[box]
    gaps = ndimage.binary_closing(brain, iterations=5) & (labels == UNNAMED)
    distance, nearest = ndimage.distance_transform_edt(~brain, return_indices=True)
    narrow = gaps & (distance <= GAP_VOXELS)
    labels[narrow] = labels[tuple(nearest)][narrow]
    # Between brain and skull: what can be reached from the brain without crossing bone.
    around = ndimage.binary_dilation(brain | gaps, iterations=FLUID_VOXELS, mask=brain | (labels == UNNAMED))
    fluid = np.zeros(subject.labels_kji.shape, bool)
    fluid[box] = around & ~narrow
    mark(subject, fluid, "unnamed fluid", ())


def name_airways(subject: Subject) -> None:
    """The air in larynx, pharynx and nose, whose walls the source shows, and the parts of the pharynx by level."""
    larynx, wall, hyoid, palate = (
        np.isin(subject.labels_kji, indices_of(subject, names))
        for names in (LARYNX, ("pharynx",), ("hyoid",), ("maxilla",))
    )
    if not (larynx.any() and wall.any() and hyoid.any() and palate.any()):
        return
    top_of_hyoid, floor = np.nonzero(hyoid)[0].max(), np.nonzero(palate)[0].min() + PALATE_VOXELS
    columns = np.arange(subject.labels_kji.shape[2])[None] - np.nonzero(hyoid)[2].mean()
    for k in np.unique(np.nonzero(larynx)[0]):
        mark(subject, in_slice(subject, k, convex(larynx[k])), "air of larynx", ("larynx",))
    for k in np.unique(np.nonzero(wall)[0]):
        part = "hypopharynx" if k <= top_of_hyoid else "oropharynx" if k < floor else "nasopharynx"
        # Its muscles begin far to the sides, at jaw and skull.
        near = np.abs(columns) <= PHARYNX_HALF_VOXELS
        mark(subject, in_slice(subject, k, convex(wall[k] & near)), f"air of {part}", (part,))
        mark(subject, in_slice(subject, k, wall[k] & near, of=None), part, (part,))
    bones = np.isin(subject.labels_kji, indices_of(subject, NOSE))
    eyes = np.nonzero(np.isin(subject.labels_kji, indices_of(subject, ("eye_",))))
    if not len(eyes[0]):
        return
    columns = np.arange(subject.labels_kji.shape[2])[None] - np.mean(eyes[2])
    for k in range(floor, int(np.median(eyes[0])) + 1):
        hull = convex(bones[k]) & (np.abs(columns) <= NOSE_HALF_VOXELS)
        for side, half in (("right", columns > 0), ("left", columns < 0)):
            where = in_slice(subject, k, hull & half)
            mark(subject, where, f"air of nasal_cavity_{side}", (f"nasal_cavity_{side}",))


def name_mastoids(subject: Subject) -> None:
    """The mastoid process of each temporal bone, cut by its place."""
    for side in ("left", "right"):
        bone = np.isin(subject.labels_kji, indices_of(subject, (f"temporal_bone_{side}",)))
        if bone.any():
            k, j, _ = np.nonzero(bone)
            low = np.arange(len(bone))[:, None, None] < k.min() + MASTOID_VOXELS
            behind = np.arange(bone.shape[1])[None, :, None] < np.median(j)
            mark(subject, bone & low & behind, f"mastoid_process_{side}", (f"mastoid_process_{side}",))


def in_slice(subject: Subject, k: int, plane: np.ndarray, of: int | None = UNNAMED) -> np.ndarray:
    """bool (K,J,I): a plane's pixels in slice k, only those of one label unless `of` is None."""
    where = np.zeros(subject.labels_kji.shape, bool)
    where[k] = plane if of is None else plane & (subject.labels_kji[k] == of)
    return where


def mark(subject: Subject, where: np.ndarray, name: str, concepts: tuple[str, ...]) -> None:
    """Give voxels (K,J,I) a label, a new one if none has that name; one without concept fills only unnamed body."""
    if not concepts:
        where = where & (subject.labels_kji == UNNAMED)
    if not where.any():
        return
    if name not in subject.label_names:
        subject.label_names.append(name)
        subject.label_concepts.append(concepts)
    subject.labels_kji[where] = subject.label_names.index(name)
    subject.annotated |= set(concepts)


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
