"""What a launcher that was killed has left behind is removed by the next one."""

import tempfile

from web_demo.private_folder import PrivateFolder, remove_left_behind


def test_the_folder_is_private_and_gone_afterwards():
    with PrivateFolder() as folder:
        assert folder.stat().st_mode & 0o077 == 0
        (folder / "map.npz").write_bytes(b"x")
    assert not folder.exists()


def test_only_folders_of_dead_launchers_are_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    dead = tmp_path / "anatembed-web-dead"
    for name in ("anatembed-web-dead", "anatembed-web-being-made", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "scan.npz").write_bytes(b"x")
    (dead / "launcher.lock").touch()
    (tmp_path / "other" / "launcher.lock").touch()
    (tmp_path / "anatembed-web-link").symlink_to(tmp_path / "other")
    with PrivateFolder() as living:
        assert not dead.exists()
        assert remove_left_behind(tmp_path) == []
        assert living.exists()
    assert {path.name for path in tmp_path.iterdir()} == {"anatembed-web-being-made", "anatembed-web-link", "other"}
    assert (tmp_path / "other" / "scan.npz").exists()
