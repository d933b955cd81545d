"""What a label says about every concept: it is (+1), it is not (-1), or nothing is known (0)."""
from __future__ import annotations

import numpy as np
from anatembed.language.vocabulary import Vocabulary

from research.training.subject import OUTSIDE, UNNAMED, Subject

OVERLAPS = {  # concepts that share voxels although neither is a part of the other
    "spinal_canal": {"spinal_cord"},
    "portal_vein_and_splenic_vein": {"portal_vein", "splenic_vein", "superior_mesenteric_vein"},
    "autochthon_left": {"erector_spinae_left"},
    "autochthon_right": {"erector_spinae_right"},
    "iliopsoas_left": {"psoas_major_left", "iliacus_left"},
    "iliopsoas_right": {"psoas_major_right", "iliacus_right"},
    "femur_left": {"femoral_head_left"},
    "femur_right": {"femoral_head_right"},
    "iliac_artery_left": {"external_iliac_artery_left", "internal_iliac_artery_left"},
    "iliac_artery_right": {"external_iliac_artery_right", "internal_iliac_artery_right"},
    "iliac_vena_left": {"external_iliac_vein_left", "internal_iliac_vein_left"},
    "iliac_vena_right": {"external_iliac_vein_right", "internal_iliac_vein_right"},
    "hepatic_veins": {"liver_vessels"},
    "portal_vein": {"liver_vessels"},
    "heart": {"ascending_aorta", "pulmonary_trunk", "superior_vena_cava", "pulmonary_vein", "atrial_appendage_left",
              "left_main_coronary_artery", "inferior_vena_cava"},
    "heart_atrium_left": {"atrial_appendage_left"},
    "heart_ventricle_left": {"heart_myocardium"},
    "heart_ventricle_right": {"heart_myocardium"},
    "pulmonary_artery": {"pulmonary_trunk", "pulmonary_artery_left", "pulmonary_artery_right"},
    "small_bowel": {"duodenum", "jejunum", "ileum"},
    "bronchi": {"main_bronchus_left", "main_bronchus_right"},
    "quadriceps_femoris_left": {"sartorius_left"},
    "quadriceps_femoris_right": {"sartorius_right"},
    "skull": {"mandible", "brain", "upper_teeth"},
    "pharynx": {"larynx", "soft_palate"},
    "lung_left": {"main_bronchus_left"},
    "lung_right": {"main_bronchus_right"},
    "brain": {"brainstem"},
    "larynx": {"thyroid_cartilage", "cricoid_cartilage"},
    "trachea": {"carina", "main_bronchus_left", "main_bronchus_right"},
    "colon": {"cecum", "rectum"},
    "lung_upper_lobe_left": {"lung_apex_left"},
    "lung_upper_lobe_right": {"lung_apex_right"},
    "kidney_left": {"renal_pelvis_left"},
    "kidney_right": {"renal_pelvis_right"},
}

COMPLETE_PARTS = frozenset(
    f"{part}{side}"
    for part in ("manubrium", "sternum_body", "xiphoid_process", "sternal_notch", "clavicle_medial_end", "humeral_head",
                 "femoral_head", "greater_trochanter", "iliac_crest", "thyroid_lobe", "lung_apex", "kidney_upper_pole",
                 "kidney_lower_pole", "aortic_bifurcation", "carina")
    for side in ("", "_left", "_right")
)
"""Parts that, where a person has them at all, are labelled to the last voxel: the rest of the whole is not the part."""
LIES_IN = {
    "spinal_cord": "spinal_canal",
    **{f"{muscle}_{side}": f"iliopsoas_{side}" for muscle in ("psoas_major", "iliacus") for side in ("left", "right")},
    **{f"erector_spinae_{side}": f"autochthon_{side}" for side in ("left", "right")},
}
"""Concepts whose every voxel is also of another one, although they are no part of it."""


class Taxonomy:
    """The concepts that a training set teaches, with parts and overlaps; `ids` gives the order of the columns."""

    def __init__(self, subjects_concepts: set[str], vocabulary: Vocabulary):
        parents = {
            parent
            for concept in subjects_concepts
            for parent in vocabulary.ancestors(concept)
            if vocabulary[parent].category != "region"
        }
        around = {LIES_IN[concept] for concept in subjects_concepts & LIES_IN.keys()}
        self.ids = tuple(sorted(subjects_concepts | parents | around))
        self.ancestors = {
            c: (frozenset(vocabulary.ancestors(c)) | {LIES_IN.get(c, c)} - {c}) & set(self.ids) for c in self.ids
        }
        self.overlaps: dict[str, set[str]] = {c: set() for c in self.ids}
        for one, others in OVERLAPS.items():
            for other in others:
                if one in self.overlaps and other in self.overlaps:
                    self.overlaps[one].add(other)
                    self.overlaps[other].add(one)
        near = {concept: self._near(concept) for concept in self.ids}
        self._related = {c: near[c] | {other for other in self.ids if c in near[other]} for c in self.ids}

    def _near(self, concept: str) -> frozenset[str]:
        children = {c for c in self.ids if concept in self.ancestors[c]}
        near = {concept} | self.overlaps[concept]
        return frozenset(near | children | {a for c in near for a in self.ancestors[c]})

    def related(self, concept: str) -> frozenset[str]:
        """Ancestors, descendants and overlaps: concepts of which a voxel of `concept` may also be; symmetric."""
        return self._related[concept]

    def compatible(self) -> np.ndarray:
        """float32 (K,K): 1 where two concepts may both be true of a voxel."""
        return np.array([[float(other in self.related(one)) for other in self.ids] for one in self.ids], np.float32)

    def target_table(self, subject: Subject) -> np.ndarray:
        """int8 (labels, concepts) in {-1, 0, 1} for every label index of `subject`."""
        column = {concept: i for i, concept in enumerate(self.ids)}
        table = np.zeros((len(subject.label_concepts), len(self.ids)), np.int8)
        table[OUTSIDE] = -1
        annotated = set(subject.annotated)
        # A parent is known to be absent from unnamed tissue only where all that belongs to it would carry a label:
        # that is never certain, so unnamed tissue refutes only what the source itself annotates.
        for concept in annotated & set(self.ids):
            table[UNNAMED, column[concept]] = -1
        for index, concepts in enumerate(subject.label_concepts):
            concepts = tuple(c for c in concepts if c in column)
            if index in (OUTSIDE, UNNAMED) or not concepts:
                continue
            table[index] = -1
            for possible in concepts:
                for other in self.related(possible):
                    table[index, column[other]] = 0
            for part in annotated & COMPLETE_PARTS & column.keys():
                table[index, column[part]] = -1
            for sure in set.intersection(*({c} | self.ancestors[c] for c in concepts)):
                table[index, column[sure]] = 1
        return table
