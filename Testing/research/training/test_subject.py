"""A training person in a file."""

import numpy as np
import pytest
from little_people import little_person
from research.training.subject import Subject


@pytest.mark.parametrize("ct", [True, False])
@pytest.mark.parametrize("in_frame", [True, False])
def test_a_saved_person_comes_back_the_same(tmp_path, ct, in_frame):
    person = little_person(ct=ct, in_frame=in_frame, centre_ras=(5.0, -7.0, 900.0))
    person.label_concepts.append(("stomach", "duodenum"))
    person.label_names.append("stomach and duodenum")
    person.save(tmp_path / "one.npz")
    loaded = Subject.load(tmp_path / "one.npz")
    assert vars(loaded).keys() == vars(person).keys()
    for name, value in vars(person).items():
        if isinstance(value, np.ndarray):
            np.testing.assert_array_equal(getattr(loaded, name), value)
            assert getattr(loaded, name).dtype == value.dtype
        else:
            assert getattr(loaded, name) == value
    assert [path.name for path in tmp_path.iterdir()] == ["one.npz"]


def test_a_failing_write_leaves_the_old_file(tmp_path, monkeypatch):
    little_person().save(tmp_path / "one.npz")
    before = (tmp_path / "one.npz").read_bytes()

    def full_disk(path, *_arrays, **_options):
        raise OSError("no space left on device")

    monkeypatch.setattr(np.lib.format, "write_array", full_disk)
    with pytest.raises(OSError, match="no space left"):
        little_person("other").save(tmp_path / "one.npz")
    assert (tmp_path / "one.npz").read_bytes() == before
