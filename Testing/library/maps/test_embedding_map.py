"""The map knows where each of its voxels lies, and its file is whole or refused."""

import dataclasses
import json

import numpy as np
import pytest
from anatembed.geometry import transform_points
from anatembed.maps.embedding_map import EmbeddingMap
from hypothesis import given, settings
from hypothesis import strategies as st
from phantoms import proper_affines, voxel_positions
from scipy import ndimage

WAYS = pytest.mark.parametrize("mapped", [False, True], ids=["read", "mapped"])


def random_map(shape_kji=(5, 6, 7), channels=3, ijk_to_ras=None, seed=0) -> EmbeddingMap:
    random = np.random.default_rng(seed)
    features = random.normal(size=(channels, *shape_kji)).astype(np.float16)
    body = random.random(shape_kji) < 0.6
    return EmbeddingMap(
        features, np.diag([6.0, 6.0, 6.0, 1.0]) if ijk_to_ras is None else ijk_to_ras, "model-1", body, {"name": "s"}
    )


@settings(max_examples=60, deadline=None)
@given(proper_affines(), st.integers(0, 1000), st.tuples(*[st.integers(1, 6)] * 3))
def test_sampling_is_linear_interpolation_in_voxel_coordinates_wherever_the_map_lies(ijk_to_ras, seed, shape_kji):
    embedding_map = random_map(shape_kji, ijk_to_ras=ijk_to_ras, seed=seed)
    kji = np.random.default_rng(seed).uniform(-0.49, np.array(shape_kji) - 0.51, (20, 3))
    sampled = embedding_map.sample(transform_points(ijk_to_ras, kji[:, ::-1]))
    clipped = np.clip(kji, 0, np.array(shape_kji) - 1).T
    for channel, values in enumerate(embedding_map.features_ckji.astype(np.float64)):
        expected = ndimage.map_coordinates(values, clipped, order=1, mode="nearest")
        np.testing.assert_allclose(sampled[:, channel], expected, atol=1e-4)


@settings(max_examples=30, deadline=None)
@given(proper_affines())
def test_at_voxel_centres_sampling_gives_the_stored_latents_and_inside_body_the_mask(ijk_to_ras):
    embedding_map = random_map(ijk_to_ras=ijk_to_ras)
    positions = voxel_positions(embedding_map.shape_kji, ijk_to_ras).reshape(-1, 3)
    stored = embedding_map.features_ckji.reshape(3, -1).T
    np.testing.assert_allclose(embedding_map.sample(positions), stored, atol=1e-4)
    np.testing.assert_array_equal(embedding_map.inside_body(positions), embedding_map.body_kji.ravel())


def test_one_position_may_come_without_a_list_around_it():
    embedding_map = random_map()
    assert embedding_map.sample((6.0, 6.0, 6.0)).shape == (1, 3)


@pytest.mark.parametrize("position", [(-3.1, 0, 0), (0, 33.1, 0), (0, 0, 27.1), (np.nan, 0, 0), (np.inf, 0, 0)])
def test_a_position_beyond_the_outer_faces_is_refused_with_the_range_of_the_scan(position):
    embedding_map = random_map()
    for ask in (embedding_map.sample, embedding_map.inside_body):
        with pytest.raises(ValueError, match=r"outside the scan, which covers R -3\.\.39, A -3\.\.33, S -3\.\.27 mm"):
            ask([(0, 0, 0), position])


def test_the_named_range_holds_every_corner_of_a_turned_map():
    turned = np.array([[0, -6.0, 0, 0], [6.0, 0, 0, 0], [0, 0, -6.0, 0], [0, 0, 0, 1]])
    with pytest.raises(ValueError, match=r"covers R -33\.\.3, A -3\.\.39, S -27\.\.3 mm"):
        random_map(ijk_to_ras=turned).sample((999, 0, 0))


def test_the_outer_half_voxel_belongs_to_the_scan():
    embedding_map = random_map()
    low, high = embedding_map.sample([(-2.9, -2.9, -2.9), (38.9, 32.9, 26.9)])
    np.testing.assert_allclose(low, embedding_map.features_ckji[:, 0, 0, 0], atol=1e-4)
    np.testing.assert_allclose(high, embedding_map.features_ckji[:, -1, -1, -1], atol=1e-4)


def test_latents_of_a_mask_come_in_array_order():
    embedding_map = random_map()
    latents = embedding_map.latents(embedding_map.body_kji)
    first = np.argwhere(embedding_map.body_kji)[0]
    assert latents.dtype == np.float32
    assert latents.shape == (embedding_map.body_kji.sum(), 3)
    np.testing.assert_array_equal(latents[0], embedding_map.features_ckji[:, *first])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"features_ckji": np.zeros((5, 6, 7), np.float16)}, r"features \(C,K,J,I\)"),
        ({"features_ckji": np.zeros((0, 5, 6, 7), np.float16)}, r"features \(C,K,J,I\)"),
        ({"body_kji": np.zeros((5, 6, 8), bool)}, r"body mask \(5, 6, 7\), got \(5, 6, 8\)"),
        ({"hu_kji": np.zeros((5, 6, 8), np.float16)}, r"HU \(5, 6, 7\), got \(5, 6, 8\)"),
        ({"ijk_to_ras": np.zeros((4, 4))}, "geometry"),
    ],
)
def test_parts_that_do_not_fit_together_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(random_map(), **change)


@WAYS
@settings(max_examples=20, deadline=None)
@given(proper_affines(), st.tuples(*[st.integers(1, 9)] * 3))
def test_a_saved_map_comes_back_the_same(tmp_path_factory, mapped, ijk_to_ras, shape_kji):
    path = tmp_path_factory.mktemp("map") / "scan.npz"
    embedding_map = random_map(shape_kji, ijk_to_ras=ijk_to_ras)
    embedding_map.save(path)
    loaded = EmbeddingMap.load(path, mapped=mapped)
    np.testing.assert_array_equal(loaded.features_ckji, embedding_map.features_ckji)
    np.testing.assert_array_equal(loaded.body_kji, embedding_map.body_kji)
    np.testing.assert_array_equal(loaded.ijk_to_ras, ijk_to_ras)
    assert loaded.features_ckji.dtype == np.float16
    assert loaded.body_kji.dtype == bool
    assert (loaded.encoder_id, loaded.source) == (embedding_map.encoder_id, embedding_map.source)


@WAYS
def test_the_hu_of_a_map_are_saved_with_it_and_a_map_without_them_stays_without(tmp_path, mapped):
    hu = np.random.default_rng(1).uniform(-1000, 1000, (5, 6, 7)).astype(np.float16)
    for number, values in enumerate((hu, None)):
        path = tmp_path / f"{number}.npz"
        dataclasses.replace(random_map(), hu_kji=values).save(path)
        np.testing.assert_array_equal(EmbeddingMap.load(path, mapped=mapped).hu_kji, values)


@settings(max_examples=30, deadline=None)
@given(proper_affines())
def test_hu_are_read_at_positions_wherever_the_map_lies(ijk_to_ras):
    hu = np.random.default_rng(2).uniform(-1000, 1000, (5, 6, 7)).astype(np.float16)
    embedding_map = dataclasses.replace(random_map(ijk_to_ras=ijk_to_ras), hu_kji=hu)
    positions = voxel_positions(embedding_map.shape_kji, ijk_to_ras).reshape(-1, 3)
    np.testing.assert_allclose(embedding_map.sample_hu(positions), hu.ravel(), atol=0.5)
    assert random_map(ijk_to_ras=ijk_to_ras).sample_hu(positions) is None


def test_a_map_is_saved_under_the_very_name_that_was_asked_for(tmp_path):
    random_map().save(tmp_path / "scan.of.someone")
    assert [path.name for path in tmp_path.iterdir()] == ["scan.of.someone"]


@WAYS
def test_a_map_that_is_not_there_is_named(tmp_path, mapped):
    with pytest.raises(FileNotFoundError, match=r"gone\.npz"):
        EmbeddingMap.load(tmp_path / "gone.npz", mapped=mapped)


@WAYS
@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_file_with_one_changed_byte_is_refused_or_unharmed(tmp_path_factory, mapped, data):
    path = tmp_path_factory.mktemp("map") / "scan.npz"
    embedding_map = random_map((2, 2, 2))
    embedding_map.save(path)
    content = bytearray(path.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    try:
        loaded = EmbeddingMap.load(path, mapped=mapped)
    except ValueError as error:
        assert "scan.npz is damaged or something else" in str(error)
    else:
        np.testing.assert_array_equal(loaded.features_ckji, embedding_map.features_ckji)
        np.testing.assert_array_equal(loaded.body_kji, embedding_map.body_kji)
        np.testing.assert_array_equal(loaded.ijk_to_ras, embedding_map.ijk_to_ras)


@WAYS
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.99])
def test_a_file_that_was_cut_off_is_refused(tmp_path, share, mapped):
    path = tmp_path / "scan.npz"
    random_map().save(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match="damaged or something else"):
        EmbeddingMap.load(path, mapped=mapped)


@WAYS
def test_other_files_are_refused(tmp_path, mapped):
    header = np.array(json.dumps({"format": "anatembed-map/99"}))
    np.savez(tmp_path / "version.npz", header=header)
    np.savez(tmp_path / "arrays.npz", a=np.zeros(3))
    np.savez(tmp_path / "list.npz", header=np.array("[1, 2]"))
    good = {"format": "anatembed-map/1", "encoder_id": "m", "source": {}}
    np.savez(tmp_path / "number.npz", header=np.array(json.dumps(good)), features_ckji=1.0, body_kji=np.zeros(1, "u1"))
    np.save(tmp_path / "one.npy", np.zeros(3))
    (tmp_path / "text.npz").write_text("not an archive")
    for path in tmp_path.iterdir():
        with pytest.raises(ValueError, match=f"expected an embedding map, {path.name} is damaged or something else"):
            EmbeddingMap.load(path, mapped=mapped)


def test_the_version_of_another_format_is_named(tmp_path):
    np.savez(tmp_path / "version.npz", header=np.array(json.dumps({"format": "anatembed-map/99"})))
    with pytest.raises(ValueError, match="anatembed-map/99"):
        EmbeddingMap.load(tmp_path / "version.npz")


def test_a_failing_write_leaves_the_old_file_and_nothing_beside_it(tmp_path, monkeypatch):
    path = tmp_path / "scan.npz"
    random_map().save(path)
    before = path.read_bytes()

    def full_disk(file, **arrays):
        file.write(b"half of the")
        raise OSError("no space left on device")

    monkeypatch.setattr(np, "savez", full_disk)
    with pytest.raises(OSError, match="no space left"):
        random_map(seed=1).save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_mapped_features_stay_in_the_file_and_answer_as_read_ones_do(tmp_path):
    path = tmp_path / "scan.npz"
    random_map().save(path)
    read, mapped = EmbeddingMap.load(path), EmbeddingMap.load(path, mapped=True)
    base = mapped.features_ckji
    while isinstance(base, np.ndarray) and base.base is not None:
        base = base.base
    assert type(base).__name__ == "mmap"
    assert not mapped.features_ckji.flags.writeable
    positions = np.random.default_rng(0).uniform(0, 24, (20, 3))
    np.testing.assert_array_equal(mapped.sample(positions), read.sample(positions))
    np.testing.assert_array_equal(mapped.inside_body(positions), read.inside_body(positions))
    np.testing.assert_array_equal(mapped.latents(mapped.body_kji), read.latents(read.body_kji))


def test_a_mapped_map_goes_on_when_its_file_is_replaced_or_removed(tmp_path):
    path = tmp_path / "scan.npz"
    random_map().save(path)
    mapped = EmbeddingMap.load(path, mapped=True)
    random_map(seed=1).save(path)
    path.unlink()
    np.testing.assert_array_equal(mapped.features_ckji, random_map().features_ckji)
