"""The map knows where each of its voxels lies, and its file is whole or refused."""

import dataclasses
import json

import numpy as np
import pytest
from anatembed.geometry import transform_points
from anatembed.maps.embedding_map import STEP, EmbeddingMap, kept_codes, kept_voxels
from anatembed.npz_file import save_arrays
from hypothesis import given, settings
from hypothesis import strategies as st
from phantoms import proper_affines, voxel_positions
from scipy import ndimage


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


def patient_map(shape_kji=(7, 8, 9), ijk_to_ras=None, seed=0) -> EmbeddingMap:
    """A box of body in air that has codes of its own, as a network gives them."""
    embedding_map = random_map(shape_kji, ijk_to_ras=ijk_to_ras, seed=seed)
    body = np.zeros(shape_kji, bool)
    body[tuple(slice(size // 3, size // 3 + max(1, size // 3)) for size in shape_kji)] = True
    return dataclasses.replace(embedding_map, body_kji=body)


def kept(embedding_map: EmbeddingMap) -> EmbeddingMap:
    codes = kept_codes(embedding_map.features_ckji, embedding_map.body_kji)
    return dataclasses.replace(embedding_map, features_ckji=codes)


@settings(max_examples=30, deadline=None)
@given(proper_affines(), st.tuples(*[st.integers(1, 9)] * 3), st.integers(0, 1000))
def test_a_saved_map_comes_back_the_same(tmp_path_factory, ijk_to_ras, shape_kji, seed):
    path = tmp_path_factory.mktemp("map") / "scan.npz"
    embedding_map = kept(patient_map(shape_kji, ijk_to_ras, seed))
    embedding_map.save(path)
    loaded = EmbeddingMap.load(path)
    np.testing.assert_array_equal(loaded.features_ckji, embedding_map.features_ckji)
    np.testing.assert_array_equal(loaded.body_kji, embedding_map.body_kji)
    np.testing.assert_array_equal(loaded.ijk_to_ras, ijk_to_ras)
    assert loaded.features_ckji.dtype == np.float16
    assert loaded.body_kji.dtype == bool
    assert (loaded.encoder_id, loaded.source) == (embedding_map.encoder_id, embedding_map.source)


@settings(max_examples=30, deadline=None)
@given(proper_affines(), st.integers(0, 1000))
def test_everywhere_within_the_body_up_to_the_skin_a_saved_map_gives_the_codes_of_the_network(
    tmp_path_factory, ijk_to_ras, seed
):
    path = tmp_path_factory.mktemp("map") / "scan.npz"
    embedding_map = patient_map(ijk_to_ras=ijk_to_ras, seed=seed)
    embedding_map.save(path)
    kji = np.random.default_rng(seed).uniform(-0.49, np.array(embedding_map.shape_kji) - 0.51, (2000, 3))
    positions = transform_points(ijk_to_ras, kji[:, ::-1])
    positions = positions[embedding_map.inside_body(positions)]
    corners = kji[embedding_map.inside_body(transform_points(ijk_to_ras, kji[:, ::-1]))]
    at_skin = ~embedding_map.body_kji[tuple(np.floor(corners).astype(int).T)]
    assert at_skin.any()
    expected = embedding_map.sample(positions)
    np.testing.assert_allclose(EmbeddingMap.load(path).sample(positions), expected, atol=0.51 * STEP)


@settings(max_examples=30, deadline=None)
@given(st.tuples(*[st.integers(1, 6)] * 3), st.integers(0, 1000))
def test_what_is_kept_is_the_body_and_all_that_touches_it(shape_kji, seed):
    body = np.random.default_rng(seed).random(shape_kji) < 0.1
    before = body.copy()
    expected = ndimage.binary_dilation(body, np.ones((3, 3, 3), bool))
    np.testing.assert_array_equal(kept_voxels(body), expected)
    np.testing.assert_array_equal(body, before)


def test_air_farther_from_the_body_than_one_voxel_has_no_codes():
    embedding_map = patient_map()
    beyond = ~kept_voxels(embedding_map.body_kji)
    assert beyond.any()
    assert np.abs(embedding_map.features_ckji[:, beyond]).min() > 0
    np.testing.assert_array_equal(kept(embedding_map).features_ckji[:, beyond], 0)


@pytest.mark.parametrize("most", [1.0, 31.0, 40.0, 5000.0, 65504.0])
def test_codes_of_any_size_keep_fifteen_bits(tmp_path, most):
    features = patient_map().features_ckji.astype(np.float64)
    features = (features / np.abs(features).max() * most).astype(np.float16)
    everywhere = np.ones((7, 8, 9), bool)
    embedding_map = dataclasses.replace(random_map((7, 8, 9)), features_ckji=features, body_kji=everywhere)
    embedding_map.save(tmp_path / "map.npz")
    loaded = EmbeddingMap.load(tmp_path / "map.npz").features_ckji.astype(np.float64)
    np.testing.assert_allclose(loaded, features, atol=max(STEP / 2, most / 2**14))


def test_a_map_of_mostly_air_takes_the_space_of_its_body(tmp_path):
    shape = (24, 24, 24)
    whole = random_map(shape, channels=16)
    for name, side in (("small", 6), ("large", 24)):
        body = np.zeros(shape, bool)
        body[:side, :side, :side] = True
        dataclasses.replace(whole, body_kji=body).save(tmp_path / name)
    small, large = ((tmp_path / name).stat().st_size for name in ("small", "large"))
    assert small < 0.1 * large


def test_a_map_without_a_body_can_be_saved(tmp_path):
    nobody = dataclasses.replace(random_map(), body_kji=np.zeros((5, 6, 7), bool))
    nobody.save(tmp_path / "map.npz")
    loaded = EmbeddingMap.load(tmp_path / "map.npz")
    assert not loaded.features_ckji.any()
    assert loaded.features_ckji.shape == nobody.features_ckji.shape


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_codes_that_are_no_numbers_are_not_saved(tmp_path, value):
    embedding_map = patient_map()
    embedding_map.features_ckji[1, 3, 3, 3] = value
    with pytest.raises(ValueError, match="expected finite codes"):
        embedding_map.save(tmp_path / "map.npz")
    assert not list(tmp_path.iterdir())


def test_the_hu_of_a_map_are_saved_with_it_and_a_map_without_them_stays_without(tmp_path):
    hu = np.random.default_rng(1).uniform(-1000, 1000, (5, 6, 7)).astype(np.float16)
    for number, values in enumerate((hu, None)):
        path = tmp_path / f"{number}.npz"
        dataclasses.replace(random_map(), hu_kji=values).save(path)
        np.testing.assert_array_equal(EmbeddingMap.load(path).hu_kji, values)


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


def test_a_map_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"gone\.npz"):
        EmbeddingMap.load(tmp_path / "gone.npz")


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_file_with_one_changed_byte_is_refused_or_unharmed(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("map") / "scan.npz"
    embedding_map = kept(random_map((2, 2, 2)))
    embedding_map.save(path)
    content = bytearray(path.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    try:
        loaded = EmbeddingMap.load(path)
    except ValueError as error:
        assert "scan.npz is damaged or something else" in str(error)
    else:
        np.testing.assert_array_equal(loaded.features_ckji, embedding_map.features_ckji)
        np.testing.assert_array_equal(loaded.body_kji, embedding_map.body_kji)
        np.testing.assert_array_equal(loaded.ijk_to_ras, embedding_map.ijk_to_ras)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.99])
def test_a_file_that_was_cut_off_is_refused(tmp_path, share):
    path = tmp_path / "scan.npz"
    random_map().save(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match="damaged or something else"):
        EmbeddingMap.load(path)


def test_other_files_are_refused(tmp_path):
    header = np.array(json.dumps({"format": "anatembed-map/99"}))
    np.savez(tmp_path / "version.npz", header=header)
    np.savez(tmp_path / "arrays.npz", a=np.zeros(3))
    np.savez(tmp_path / "list.npz", header=np.array("[1, 2]"))
    np.save(tmp_path / "one.npy", np.zeros(3))
    (tmp_path / "text.npz").write_text("not an archive")
    for path in tmp_path.iterdir():
        with pytest.raises(ValueError, match=f"expected an embedding map, {path.name} is damaged or something else"):
            EmbeddingMap.load(path)


def test_the_version_of_another_format_is_named(tmp_path):
    np.savez(tmp_path / "version.npz", header=np.array(json.dumps({"format": "anatembed-map/99"})))
    with pytest.raises(ValueError, match="anatembed-map/99"):
        EmbeddingMap.load(tmp_path / "version.npz")


def test_a_map_of_an_earlier_version_says_so_in_one_sentence(tmp_path):
    header = {"format": "anatembed-map/1", "encoder_id": "model-1", "source": {}}
    features = np.zeros((3, 2, 2, 2), np.float16)
    np.savez(tmp_path / "old.npz", header=np.array(json.dumps(header)), features_ckji=features)
    expected = r"^the embedding map old\.npz was written by an earlier version: embed the scan again$"
    with pytest.raises(ValueError, match=expected):
        EmbeddingMap.load(tmp_path / "old.npz")


def written(path, header=None, **changes) -> None:
    """A whole map with some of its arrays, or entries of its header, replaced."""
    dataclasses.replace(patient_map((3, 3, 3)), hu_kji=np.zeros((3, 3, 3), np.float16)).save(path)
    with np.load(path) as file:
        arrays = dict(file)
    arrays["header"] = np.array(json.dumps(json.loads(str(arrays["header"])) | (header or {})))
    save_arrays(path, **(arrays | changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"codes_high": np.zeros((3, 27), np.uint8)}, r"expected high and low bytes of codes \(C,27\), got uint8"),
        ({"codes_high": np.zeros((3, 26), np.int8)}, r"got int8 \(3, 26\) and uint8 \(3, 27\)"),
        ({"codes_low": np.zeros((3, 27), np.float16)}, r"got int8 \(3, 27\) and float16"),
        ({"codes_low": np.zeros((2, 27), np.uint8)}, r"uint8 \(2, 27\)"),
        ({"codes_high": np.int8(1), "codes_low": np.uint8(1)}, r"got int8 \(\) and uint8 \(\)"),
        ({"codes_high": np.zeros((0, 27), "i1"), "codes_low": np.zeros((0, 27), "u1")}, r"features \(C,K,J,I\)"),
        ({"body_kji": np.zeros(5, np.uint8)}, r"one bit for each of 27 voxels as body, got uint8 \(5,\)"),
        ({"body_kji": np.zeros(4, bool)}, r"as body, got bool \(4,\)"),
        ({"shape_kji": np.array([3, 3, 10**6])}, "one bit for each of 9000000 voxels"),
        ({"shape_kji": np.array([3, 3, 10**18])}, "one bit for each of 9000000000000000000 voxels"),
        ({"shape_kji": np.array([3, 3])}, r"three sizes as shape, got \[3, 3\]"),
        ({"shape_kji": np.array([3, -3, -3])}, "three sizes as shape"),
        ({"shape_kji": np.array([3.0, 3, 3])}, "three sizes as shape"),
        ({"shape_kji": np.array(3)}, "three sizes as shape, got 3"),
        ({"ijk_to_ras": np.diag([6.0, 0, 6, 1])}, "expected a positive voxel spacing"),
        ({"ijk_to_ras": np.array([[6.0, 6, 0, 0], [0, 0, 0, 0], [0, 0, 6, 0], [0, 0, 0, 1]])}, "two axes coincide"),
        ({"ijk_to_ras": np.full((4, 4), np.nan)}, "expected finite numbers"),
        ({"hu_kji": np.full((3, 3, 3), np.nan, np.float16)}, "expected finite HU"),
        ({"hu_kji": np.zeros((3, 3, 3), np.int16)}, "expected finite HU, got int16"),
        ({"hu_kji": np.zeros((3, 3, 4), np.float16)}, r"expected HU \(3, 3, 3\)"),
        ({"header": {"step": 0}}, "expected the model, the source and the step"),
        ({"header": {"step": float("nan")}}, "expected the model, the source and the step"),
        ({"header": {"step": float("inf")}}, "expected the model, the source and the step"),
        ({"header": {"encoder_id": 3}}, "expected the model, the source and the step"),
        ({"header": {"source": []}}, "expected the model, the source and the step"),
    ],
)
def test_a_malformed_map_is_refused_in_a_sentence_that_says_what_is_wrong(tmp_path, changes, message):
    path = tmp_path / "scan.npz"
    written(path, **changes)
    with pytest.raises(ValueError, match=message) as refusal:
        EmbeddingMap.load(path)
    assert str(refusal.value).startswith("expected an embedding map, scan.npz is damaged or something else: ")
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("missing", ["header", "codes_high", "codes_low", "ijk_to_ras", "shape_kji", "body_kji"])
def test_a_map_without_one_of_its_arrays_is_refused(tmp_path, missing):
    path = tmp_path / "scan.npz"
    random_map().save(path)
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files if name != missing}
    save_arrays(path, **arrays)
    with pytest.raises(ValueError, match=f"damaged or something else: .*{missing}"):
        EmbeddingMap.load(path)


def test_a_failing_write_leaves_the_old_file_and_nothing_beside_it(tmp_path, fill_disk):
    path = tmp_path / "scan.npz"
    random_map().save(path)
    before = path.read_bytes()
    fill_disk()
    with pytest.raises(OSError, match="no space left"):
        random_map(seed=1).save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
