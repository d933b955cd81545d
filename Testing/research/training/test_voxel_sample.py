"""What a frozen model sees in views of people."""

import numpy as np
import pytest
from little_model import TAXONOMY, checkpoint_of
from little_people import VOCABULARY, little_person
from research.training.voxel_sample import crop_generator, draw_views, index_of, sample_voxels


@pytest.fixture(scope="module")
def seen():
    people = [little_person("one"), little_person("two", ct=False)]
    checkpoint = checkpoint_of(people)
    generator = crop_generator(people, TAXONOMY, VOCABULARY, checkpoint)
    return checkpoint, list(draw_views(checkpoint, generator, TAXONOMY, 4, [(32, 32, 48)]))


def test_every_view_says_what_is_in_it_and_can_be_asked(seen):
    checkpoint, views = seen
    assert len(views) == 4
    for view in views:
        assert not (view.present & view.absent).any()
        assert view.map.shape_kji == tuple(n // 2 for n in view.labels_kji.shape)
        assert index_of(view, checkpoint).search(TAXONOMY.ids[0], 1) is not None
    assert any(view.present.any() for view in views)


def test_voxels_have_unit_features_and_what_is_known_of_their_labels(seen):
    checkpoint, views = seen
    sample = sample_voxels(views, checkpoint)
    assert len(sample.features) == len(sample.targets) == len(sample.view)
    assert np.linalg.norm(sample.features, axis=1) == pytest.approx(1, abs=1e-4)
    assert set(np.unique(sample.targets)) <= {-1, 0, 1}
    assert set(sample.view) == set(range(4))
    assert (sample.targets[:, TAXONOMY.ids.index("liver")] == 1).any()


def test_a_label_that_excludes_the_other_side_says_so(seen):
    checkpoint, views = seen
    targets = sample_voxels(views, checkpoint).targets
    left, right = (targets[:, TAXONOMY.ids.index(f"kidney_{side}")] for side in ("left", "right"))
    assert (left == 1).any()
    assert (right[left == 1] == -1).all()


def test_no_views_are_refused(seen):
    with pytest.raises(ValueError, match="expected views"):
        sample_voxels([], seen[0])
