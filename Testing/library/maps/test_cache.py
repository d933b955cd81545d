"""Maps are found again, the cache keeps to its limit, and nothing that goes wrong loses a map or leaves half of one."""

import errno
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from anatembed.maps import cache as map_cache
from anatembed.maps.cache import MapCache, usual_folder
from anatembed.maps.embedding_map import EmbeddingMap
from anatembed.output_file import UNFINISHED
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule


def a_map(content_hash="scan", encoder_id="model", value=1.0) -> EmbeddingMap:
    features = np.full((2, 3, 4, 5), value, np.float16)
    source = {"name": "s", "content_hash": content_hash, "modality": "CT"}
    return EmbeddingMap(features, np.diag([6.0, 6, 6, 1]), encoder_id, np.ones((3, 4, 5), bool), source)


@pytest.fixture
def finished(tmp_path):
    """finished("scan") is the file of a finished map."""

    def save(content_hash="scan", encoder_id="model", value=1.0) -> Path:
        path = tmp_path / f"finished-{content_hash[:20].replace('/', '')}.npz"
        a_map(content_hash, encoder_id, value).save(path)
        return path

    return save


@pytest.fixture
def cache(tmp_path):
    return MapCache(tmp_path / "new" / "cache")


def names(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def use_in_order(cache, *keys) -> None:
    """Gives the entries times of last use one second apart, as if they were used in this order."""
    for second, key in enumerate(keys):
        os.utime(cache.path_for(key, "model"), (1e9 + second, 1e9 + second))


def test_an_adopted_map_is_found(cache, finished):
    path = finished(value=3.0)
    kept = cache.adopt(path)
    assert not path.exists()
    assert kept == cache.path_for("scan", "model")
    found = cache.find("scan", "model")
    np.testing.assert_array_equal(found.features_ckji, a_map(value=3.0).features_ckji)
    assert cache.contents() == (1, kept.stat().st_size)


def test_only_the_same_scan_and_the_same_model_are_found(cache, finished):
    cache.adopt(finished())
    assert cache.find("other scan", "model") is None
    assert cache.find("scan", "other model") is None
    assert cache.find("sca", "nmodel") is None
    assert cache.contents()[0] == 1


def test_a_map_can_be_kept_under_a_key_of_the_callers_own(cache, finished):
    cache.adopt(finished(), content_hash="voxels only")
    assert cache.find("voxels only", "model") is not None
    assert cache.find("scan", "model") is None


def test_an_empty_cache_has_nothing_and_makes_no_folder(cache):
    assert cache.find("scan", "model") is None
    assert cache.contents() == (0, 0)
    assert cache.clear() == 0
    assert not cache.folder.exists()


@pytest.mark.parametrize("key", ["x" * 5000, "../../etc/passwd", "CON", "a:b*c?", "肝", ""])
def test_every_key_has_a_short_and_safe_name(cache, finished, key):
    path = cache.path_for(key, key)
    assert path.parent == cache.folder
    assert len(path.name) <= 40
    assert set(path.stem) <= set("0123456789abcdef")
    cache.adopt(finished(key))
    assert cache.find(key, "model") is not None


def test_a_new_map_of_the_same_scan_takes_the_place_of_the_old_one(cache, finished):
    cache.adopt(finished(value=1.0))
    old = cache.find("scan", "model")
    cache.adopt(finished(value=2.0))
    assert cache.find("scan", "model").features_ckji.max() == 2
    assert old.features_ckji.max() == 1
    assert cache.contents()[0] == 1


def test_what_was_used_longest_ago_goes_first(cache, finished):
    for key in "abc":
        size = cache.adopt(finished(key)).stat().st_size
    use_in_order(cache, *"abc")
    assert cache.find("a", "model") is not None  # now b is the oldest
    cache.limit_bytes = 3 * size
    cache.adopt(finished("d"))
    assert [key for key in "abcd" if cache.path_for(key, "model").exists()] == ["a", "c", "d"]
    cache.limit_bytes = 2 * size
    cache.adopt(finished("e"))
    assert [key for key in "abcde" if cache.path_for(key, "model").exists()] in (["a", "e"], ["d", "e"])


def test_what_was_just_added_stays_even_if_it_is_larger_than_the_limit(cache, finished):
    cache.adopt(finished("a"))
    cache.limit_bytes = 1
    kept = cache.adopt(finished("b"))
    assert names(cache.folder) == [kept.name]


def test_other_files_in_the_folder_are_left_alone(cache, finished):
    cache.adopt(finished())
    (cache.folder / "notes.txt").write_text("mine")
    (cache.folder / "scan.npz").write_text("mine")
    (cache.folder / "sub").mkdir()
    cache.limit_bytes = 0
    cache.adopt(finished("b"))
    cache.clear()
    assert names(cache.folder) == ["notes.txt", "scan.npz", "sub"]
    assert cache.contents() == (0, 0)


@pytest.mark.parametrize("damage", ["cut off", "a changed byte", "empty", "another model", "text"])
def test_a_damaged_entry_is_removed_and_not_found(cache, finished, damage):
    kept = cache.adopt(finished())
    content = bytearray(kept.read_bytes())
    if damage == "a changed byte":
        content[content.index(b"codes_low.npy") + 60] ^= 1
    elif damage == "cut off":
        content = content[:-30]
    elif damage == "another model":
        a_map(encoder_id="other").save(kept)
        content = kept.read_bytes()
    else:
        content = b"" if damage == "empty" else b"no map"
    kept.write_bytes(content)
    assert cache.find("scan", "model") is None
    assert not kept.exists()
    cache.adopt(finished())
    assert cache.find("scan", "model") is not None


def test_what_is_no_map_is_not_adopted_and_stays_where_it_is(cache, finished, tmp_path):
    path = finished()
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(ValueError, match="damaged or something else"):
        cache.adopt(path)
    assert path.exists()
    with pytest.raises(FileNotFoundError):
        cache.adopt(tmp_path / "none.npz")
    assert not cache.folder.exists()


def refuse(monkeypatch, function, error) -> None:
    """Make a function of os, shutil or Path fail."""

    def fail(*_arguments, **_options):
        raise error

    monkeypatch.setattr(function, fail)


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.ENOSPC])
def test_a_folder_that_cannot_be_written_to_is_one_sentence_and_loses_nothing(cache, finished, monkeypatch, number):
    cache.adopt(finished("old"))
    path = finished()
    refuse(monkeypatch, "os.replace", OSError(number, os.strerror(number)))
    with pytest.raises(OSError) as caught:
        cache.adopt(path)
    assert str(caught.value) == f"the map cannot be kept in {cache.folder}: {os.strerror(number)}"
    monkeypatch.undo()
    assert path.exists()
    assert cache.find("old", "model") is not None
    assert cache.contents()[0] == len(names(cache.folder)) == 1


def test_a_map_in_memory_is_kept_and_found(cache):
    kept = cache.keep(a_map(content_hash="what the map says", value=3.0), "scan")
    assert kept == cache.path_for("scan", "model")
    assert cache.find("scan", "model").features_ckji.max() == 3
    assert names(cache.folder) == [kept.name]


def test_what_is_kept_counts_for_the_limit(cache):
    for key in "abc":
        cache.keep(a_map(key), key)
    use_in_order(cache, *"bac")
    cache.limit_bytes = cache.contents()[1]
    cache.keep(a_map("d"), "d")
    assert [key for key in "abcd" if cache.find(key, "model")] == ["a", "c", "d"]


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.ENOSPC])
def test_a_map_in_memory_that_cannot_be_kept_is_one_sentence_and_leaves_nothing(cache, monkeypatch, number):
    cache.keep(a_map("old"), "old")
    refuse(monkeypatch, "numpy.lib.format.write_array", OSError(number, os.strerror(number)))
    with pytest.raises(OSError, match="^the map cannot be kept in"):
        cache.keep(a_map(), "scan")
    monkeypatch.undo()
    assert cache.find("old", "model") is not None
    assert len(names(cache.folder)) == 1


def test_adopting_what_is_kept_already_leaves_it_there(cache):
    kept = cache.keep(a_map(), "scan")
    assert cache.adopt(kept) == kept
    assert cache.find("scan", "model") is not None


@pytest.mark.skipif(os.name != "posix", reason="needs permissions")
def test_a_new_folder_is_its_owners_only(cache):
    cache.keep(a_map(), "scan")
    assert cache.folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("platform", "environment", "expected"),
    [
        ("linux", {}, "HOME/.cache/anatembed"),
        ("linux", {"XDG_CACHE_HOME": "/elsewhere"}, "/elsewhere/anatembed"),
        ("linux", {"XDG_CACHE_HOME": "relative"}, "HOME/.cache/anatembed"),
        ("linux", {"XDG_CACHE_HOME": ""}, "HOME/.cache/anatembed"),
        ("darwin", {"XDG_CACHE_HOME": "/elsewhere"}, "HOME/Library/Caches/anatembed"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/anatembed"),
        ("darwin", {"ANATEMBED_CACHE": "/own"}, "/own"),
        ("linux", {"ANATEMBED_CACHE": "relative", "XDG_CACHE_HOME": "/elsewhere"}, "/elsewhere/anatembed"),
        ("win32", {}, "HOME/AppData/Local/anatembed"),
    ],
)
def test_the_usual_folder_is_where_the_system_keeps_such_files(platform, environment, expected):
    assert usual_folder(environment, platform, Path("HOME")).as_posix() == expected


def from_another_disk(monkeypatch) -> None:
    """Renaming works inside of a folder only."""
    replace = os.replace

    def inside(source, target):
        if Path(source).parent != Path(target).parent:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        replace(source, target)

    monkeypatch.setattr(os, "replace", inside)


def test_a_map_is_adopted_from_another_disk(cache, finished, monkeypatch):
    path = finished()
    from_another_disk(monkeypatch)
    kept = cache.adopt(path)
    assert not path.exists()
    assert names(cache.folder) == [kept.name]
    assert cache.find("scan", "model") is not None


def test_a_disk_that_becomes_full_while_copying_leaves_nothing_half_written(cache, finished, monkeypatch):
    resource = pytest.importorskip("resource")
    path = finished()
    from_another_disk(monkeypatch)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500, before[1]))
    try:
        with pytest.raises(OSError, match="cannot be kept in .*: File too large"):
            cache.adopt(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert path.exists()
    assert names(cache.folder) == []


def test_a_cache_that_is_a_file_is_one_sentence(finished, tmp_path):
    (tmp_path / "cache").write_text("a file")
    cache = MapCache(tmp_path / "cache")
    with pytest.raises(OSError, match="the map cannot be kept in .*cache: File exists"):
        cache.adopt(finished())
    assert cache.find("scan", "model") is None
    assert (cache.contents(), cache.clear()) == ((0, 0), 0)


def test_a_cache_that_can_only_be_read_still_gives_its_maps(cache, finished, monkeypatch):
    cache.adopt(finished())
    refuse(monkeypatch, "os.utime", PermissionError(errno.EROFS, "Read-only file system"))
    assert cache.find("scan", "model") is not None


def windows(monkeypatch, *in_use: Path) -> None:
    """As Windows: files that someone reads are neither removed nor replaced."""
    unlink, replace = Path.unlink, os.replace

    def checked_unlink(self, missing_ok=False):
        if self in in_use:
            raise PermissionError(errno.EACCES, "in use")
        unlink(self, missing_ok=missing_ok)

    def checked_replace(source, target):
        if Path(target) in in_use:
            raise PermissionError(errno.EACCES, "in use")
        replace(source, target)

    monkeypatch.setattr(Path, "unlink", checked_unlink)
    monkeypatch.setattr(os, "replace", checked_replace)


def test_what_is_in_use_on_windows_is_skipped_and_counted(cache, finished, monkeypatch):
    for key in "abc":
        cache.adopt(finished(key))
    use_in_order(cache, *"abc")
    windows(monkeypatch, cache.path_for("a", "model"))
    cache.limit_bytes = 2 * cache.contents()[1] // 3 + 10
    cache.adopt(finished("d"))
    assert [key for key in "abcd" if cache.path_for(key, "model").exists()] == ["a", "d"]
    assert cache.clear() == 1
    assert cache.contents()[0] == 1


def test_a_map_that_is_in_use_on_windows_stays_when_it_is_embedded_again(cache, finished, monkeypatch):
    kept = cache.adopt(finished(value=1.0))
    windows(monkeypatch, kept)
    path = finished(value=2.0)
    assert cache.adopt(path) == kept
    assert not path.exists()
    assert cache.find("scan", "model").features_ckji.max() == 1


def test_files_may_vanish_at_any_moment(cache, finished, monkeypatch):
    kept = cache.adopt(finished())
    files = [kept, cache.folder / f"{'0' * 32}.npz"]
    monkeypatch.setattr(cache, "_files", lambda: files)
    assert cache.contents() == (1, kept.stat().st_size)
    kept.unlink()
    assert cache.contents() == (0, 0)
    assert cache.clear() == 0
    assert cache.find("scan", "model") is None


def test_what_a_program_left_half_copied_goes_after_a_day(cache, finished):
    cache.adopt(finished())
    for name, age in (("old", map_cache._ABANDONED_SECONDS + 60), ("new", 60)):
        path = cache.folder / f"{UNFINISHED}{name}"
        path.write_text("half")
        os.utime(path, (path.stat().st_mtime - age,) * 2)
    cache.adopt(finished("b"))
    assert [name for name in names(cache.folder) if name.startswith(".")] == [f"{UNFINISHED}new"]
    cache.clear()
    assert names(cache.folder) == []


TWO = """
import sys
sys.path.insert(0, sys.argv[3])
from test_cache import a_map
from anatembed.maps.cache import MapCache
folder, own = sys.argv[1:3]
cache = MapCache(folder, limit_bytes=4000)
for number in range(60):
    key = f"{number % 7}"
    found = cache.find(key, "model")
    assert found is None or found.features_ckji.sum() == 120
    a_map(key).save(own)
    cache.adopt(own)
"""


def test_two_programs_use_it_at_the_same_time(cache, tmp_path):
    here = Path(__file__).parent
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    commands = [[sys.executable, "-c", TWO, cache.folder, tmp_path / f"own{n}.npz", here] for n in range(2)]
    programs = [subprocess.Popen(one, env=environment, stderr=subprocess.PIPE, text=True) for one in commands]
    for program in programs:
        _, err = program.communicate(timeout=60)
        assert program.returncode == 0, err
    count, size = cache.contents()
    assert 1 <= count <= 7
    assert count == len(names(cache.folder))
    for key in map(str, range(7)):
        assert cache.find(key, "model") is not None or not cache.path_for(key, "model").exists()


class AnyUse(RuleBasedStateMachine):
    """Any sequence of uses, compared with a list in order of last use."""

    @initialize()
    def begin(self):
        self.folder = Path(tempfile.mkdtemp())
        self.cache = MapCache(self.folder / "cache", limit_bytes=10**9)
        self.used: list[str] = []
        self.clock = 1e9

    def touch(self, key) -> None:
        self.used = [one for one in self.used if one != key] + [key]
        self.clock += 1
        os.utime(self.cache.path_for(key, "model"), (self.clock, self.clock))

    @rule(key=st.sampled_from("abcdef"), room=st.integers(1, 4))
    def adopt(self, key, room):
        a_map(key).save(self.folder / "own.npz")
        size = (self.folder / "own.npz").stat().st_size
        self.cache.limit_bytes = int((room + 0.5) * size)  # another key, and a map is some bytes larger
        self.cache.adopt(self.folder / "own.npz")
        self.used = [one for one in self.used if one != key] + [key]
        self.used = self.used[-room:]
        self.touch(key)

    @rule(key=st.sampled_from("abcdef"))
    def find(self, key):
        found = self.cache.find(key, "model")
        assert (found is not None) == (key in self.used)
        if found is not None:
            self.touch(key)

    @rule()
    def clear(self):
        assert self.cache.clear() == 0
        self.used = []

    @rule(key=st.sampled_from("abcdef"))
    def damage(self, key):
        path = self.cache.path_for(key, "model")
        if path.exists():
            path.write_bytes(path.read_bytes()[:-9])
            assert self.cache.find(key, "model") is None
            self.used.remove(key)

    @invariant()
    def holds_what_was_used_last(self):
        assert self.cache.contents()[0] == len(self.used)
        assert all(self.cache.path_for(key, "model").exists() for key in self.used)

    def teardown(self):
        shutil.rmtree(self.folder)


TestAnyUse = AnyUse.TestCase
TestAnyUse.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
