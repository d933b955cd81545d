"""The labelled held-out scans: the right files, and no one else's."""

import numpy as np
import pytest
from anatembed.scan.files import write_volume
from anatembed.scan.volume import Volume
from little_people import VOCABULARY
from research.evaluation.label_maps import CHEST, HEAD_NECK, labelled_scans, read_label_maps

SPLIT = {"evaluation_openkbp": "validation-pats"}


@pytest.fixture
def data(tmp_path):
    chest, planning = tmp_path / "real_ct_labelled", tmp_path / "openkbp"
    for folder in (chest, planning):
        folder.mkdir()
    (chest / "aorta_report_labels.tsv").write_text("1\taorta\n2\tno_structure_at_all\n")
    (planning / "labels.tsv").write_text("1\tBrainstem\n2\tRightParotid\n")
    (planning / "index.csv").write_text(
        "id,split,has_ct\npt_1,validation-pats,True\npt_2,train-pats,True\npt_3,validation-pats,False\n"
    )
    labels = np.zeros((4, 5, 6), np.uint8)
    labels[1:3] = 1
    for path in (chest / "aorta_report_seg.nii.gz", planning / "pt_1_seg.nii.gz"):
        write_volume(Volume(labels, np.diag([-2.0, 2, 3, 1])), path)
    return tmp_path


def test_only_held_out_people_with_a_ct_are_listed(data):
    found = list(labelled_scans(data, SPLIT))
    assert [(one.person, one.group) for one in found] == [("aorta_report", CHEST), ("pt_1", HEAD_NECK)]
    assert found[1].labels.name == "pt_1_seg.nii.gz"


def test_values_have_the_names_of_the_vocabulary(data):
    maps = read_label_maps(data, SPLIT, VOCABULARY)
    assert maps["aorta_report"].values == {"aorta": 1}
    assert maps["pt_1"].values == {"brainstem": 1, "parotid_gland_right": 2}
    assert maps["pt_1"].volume.array_kji[1, 0, 0] == 1
