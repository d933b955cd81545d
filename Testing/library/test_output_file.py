import errno
import os

import pytest
from anatembed.output_file import check_output, explained, make_folder, replacing, write_text, written_whole


def test_a_file_appears_when_it_is_whole(tmp_path):
    path = tmp_path / "out.nii.gz"
    with replacing(path) as temporary:
        temporary.write_text("new")
        assert not path.exists()
        assert temporary.name.endswith(".nii.gz")
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), ZeroDivisionError("a mistake")])
def test_a_failure_leaves_the_older_file_and_no_rest(tmp_path, error):
    path = tmp_path / "out.png"
    path.write_text("older")
    with pytest.raises((ValueError, ZeroDivisionError)), replacing(path) as temporary:
        temporary.write_text("half")
        raise error
    assert path.read_text() == "older"
    assert list(tmp_path.iterdir()) == [path]


def test_a_program_gets_the_error_of_the_system_and_a_user_a_sentence(tmp_path):
    for writing, kind in ((written_whole, OSError), (replacing, ValueError)):
        with pytest.raises(kind, match="No space left on device"), writing(tmp_path / "out.npz"):
            raise OSError(errno.ENOSPC, "No space left on device")
    assert list(tmp_path.iterdir()) == []


def test_text_is_written_as_utf_8_in_place_of_the_older(tmp_path):
    (tmp_path / "out.json").write_text("older")
    write_text(tmp_path / "out.json", "Größe\n")
    assert (tmp_path / "out.json").read_bytes() == "Größe\n".encode()
    with pytest.raises(ValueError, match="cannot write"):
        write_text(tmp_path / "missing" / "out.json", "")


@pytest.mark.skipif(os.name != "posix", reason="needs permissions")
def test_the_permissions_are_those_of_any_new_file_or_of_the_older_one(tmp_path):
    plain, path = tmp_path / "plain", tmp_path / "out.png"
    plain.touch()
    with replacing(path) as temporary:
        temporary.write_text("1")
    assert path.stat().st_mode == plain.stat().st_mode
    path.chmod(0o640)
    with replacing(path) as temporary:
        temporary.write_text("2")
    assert path.stat().st_mode & 0o777 == 0o640


def test_the_reason_is_one_sentence_with_the_name(tmp_path):
    reason = r"cannot write .*out\.png: No space left on device$"
    with pytest.raises(ValueError, match=reason), explained(tmp_path / "out.png"):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_an_output_is_checked_before_the_work(tmp_path):
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "input.png").touch()
    assert check_output(tmp_path / "new.PNG", (".png",)) == tmp_path / "new.PNG"
    with pytest.raises(ValueError, match="ends in .png or .nii.gz, got a.jpg"):
        check_output(tmp_path / "a.jpg", (".png", ".nii.gz"))
    with pytest.raises(FileNotFoundError, match="existing folder"):
        check_output(tmp_path / "missing" / "a.png")
    with pytest.raises(ValueError, match="folder or a device"):
        check_output(tmp_path / "folder.png")
    with pytest.raises(ValueError, match="input itself"):
        check_output(tmp_path / "input.png", inputs=(tmp_path / "x" / ".." / "input.png", tmp_path / "input.png"))


def test_a_folder_is_made_with_its_parents(tmp_path):
    assert make_folder(tmp_path / "a" / "b").is_dir()
    assert make_folder(tmp_path / "a" / "b").is_dir()
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="cannot make the folder"):
        make_folder(tmp_path / "file" / "c")
