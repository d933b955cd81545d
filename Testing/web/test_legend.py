import io

import numpy as np
import pytest
from anatembed.ask.structure_colours import StructureColours
from anatembed.language.vocabulary import Vocabulary
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

pytest.importorskip("slicer", reason="needs slicer-core")
from web_demo.legend import body_key, labels_in, whole_of

RED, BLUE = (250, 10, 10, 255), (10, 10, 250, 255)


def scan(flips: tuple[int, int, int], order: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """A body whose right side is red and whose upper left is blue, as RGBA (K,J,I,4), stored with its axes in any order
    and direction, and its affine to RAS."""
    ras = np.zeros((8, 5, 12, 4), np.uint8)  # right, anterior, superior
    ras[4:], ras[:4, :, 6:] = RED, BLUE
    affine = np.zeros((4, 4))
    affine[3, 3] = 1
    for axis, source in enumerate(order):
        affine[source, axis] = (2.0, 3.0, 4.0)[source]
    ijk = np.transpose(ras, (*order, 3))
    for axis, flip in enumerate(flips):
        if flip:
            ijk = np.flip(ijk, axis)
            affine[:3, 3] += affine[:3, axis] * (ijk.shape[axis] - 1)
            affine[:3, axis] *= -1
    return np.ascontiguousarray(np.transpose(ijk, (2, 1, 0, 3))), affine


@given(st.tuples(*[st.integers(0, 1)] * 3), st.permutations([0, 1, 2]))
def test_the_small_body_is_seen_from_the_front_however_the_scan_is_stored(flips, order):
    picture = np.asarray(Image.open(io.BytesIO(body_key(*scan(flips, tuple(order))))))
    rows, columns = picture.shape[:2]
    assert rows > columns  # 48 mm high, 16 mm wide
    assert picture[rows // 4, columns // 5, 0] > 200 and picture[rows // 4, columns // 5, 3] == 255
    assert picture[rows // 4, -columns // 5, 2] > 200
    assert picture[-rows // 5, -columns // 5, 3] == 0


def test_the_legend_has_what_the_planes_cross_and_no_more():
    labels = np.zeros((10, 10, 10), np.int16)
    labels[2, :, :5], labels[7, 2:4, 2:4] = 1, 2
    affine = np.diag([-4.0, 4.0, 4.0, 1.0])
    affine[:3, 3] = (20.0, -20.0, 100.0)
    found = StructureColours(labels, np.zeros((*labels.shape, 4), np.uint8), affine, ("liver", "spleen"), [])

    def axial(height_mm):
        plane = np.diag([-1.0, 1.0, 1.0, 1.0])
        plane[2, 3] = height_mm
        return plane, 400.0, 400.0

    assert labels_in(found, [axial(108.0)]) == [1]
    assert labels_in(found, [axial(128.0)]) == [2]
    assert labels_in(found, [axial(128.0), axial(108.0)]) == [1, 2]
    assert labels_in(found, [axial(500.0)]) == []


def test_a_whole_is_the_largest_organ_that_is_learnt():
    vocabulary = Vocabulary.load()
    learnt = frozenset({"lung_left", "lung_lower_lobe_left", "thorax", "liver"})
    assert whole_of("lung_lower_lobe_left", learnt, vocabulary) == "lung_left"
    assert whole_of("liver", learnt, vocabulary) == "liver"
