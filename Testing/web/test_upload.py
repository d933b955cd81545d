"""Files that are sent, over HTTP as a browser does."""



import pytest

pytest.importorskip("aiohttp", reason="needs trame-slicer: make test-web installs it")
pytest.importorskip("slicer", reason="needs slicer-core")
import own_loop
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from web_demo.limits import Limits
from web_demo.upload import NAME_HEADER, Upload, shown_name


def send(folder, *files, limit=1000):
    """(status, document) of each (name, body), and what was received: (content, name)."""
    received = []

    async def ask():
        upload = Upload(folder, Limits(upload_bytes=limit), lambda path, name: received.append((path, name)))
        application = web.Application()
        application.router.add_post("/upload", upload.handle)
        answers = []
        async with TestClient(TestServer(application)) as client:
            for name, body in files:
                response = await client.post("/upload", data=body, headers={NAME_HEADER: name})
                answers.append((response.status, await response.json()))
        return answers

    return own_loop.run(ask()), [(path.read_bytes(), name) for path, name in received]


async def in_pieces(count):
    for _ in range(count):
        yield b"x" * 100


def test_a_file_arrives_whole_under_a_name_of_our_own(tmp_path):
    answers, received = send(tmp_path, ("..%2F..%2Fetc%2Fmy%20scan.nii.gz", b"content"))
    assert answers == [(200, {"name": "my scan.nii.gz"})]
    assert received == [(b"content", "my scan.nii.gz")]
    assert [path.name for path in tmp_path.iterdir()] == ["1.nii.gz"]


def test_a_file_that_says_that_it_is_too_large_is_refused(tmp_path):
    answers, received = send(tmp_path, ("a.nii", b"x" * 1001))
    assert answers[0][0] == 413 and "too large" in answers[0][1]["problem"]
    assert received == [] and list(tmp_path.iterdir()) == []


def test_a_file_that_does_not_say_how_large_it_is_is_stopped_at_the_limit(tmp_path):
    answers, received = send(tmp_path, ("a.nii", in_pieces(11)))
    assert answers[0][0] == 413 and received == [] and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a.exe", "a", "", "a.nii.gz.txt"])
def test_another_kind_of_file_is_refused(name, tmp_path):
    answers, received = send(tmp_path, (name, b"x"))
    assert answers[0][0] == 415 and ".nrrd" in answers[0][1]["problem"] and received == []


def test_an_empty_file_is_refused(tmp_path):
    answers, received = send(tmp_path, ("a.nrrd", b""))
    assert answers[0] == (413, {"problem": "The file is empty."}) and received == []


def test_two_files_do_not_overwrite_each_other(tmp_path):
    _answers, received = send(tmp_path, ("a.nrrd", b"one"), ("a.nrrd", b"two"))
    assert [content for content, _name in received] == [b"one", b"two"]


@pytest.mark.parametrize(("header", "name"), [
    ("C%3A%5Cscans%5Ca.nii", "a.nii"), ("a%00b%0a.nii", "ab.nii"), ("%F0%9F%A6%B4.nii", "\N{BONE}.nii"),
    ("%FF.nii", "\ufffd.nii"),
])
def test_a_name_is_shown_without_folders_and_control_characters(header, name):
    assert shown_name(header) == name


def test_a_long_name_is_shortened_and_keeps_its_end():
    name = shown_name("x" * 500 + ".nii.gz")
    assert len(name) == 80 and name.endswith(".nii.gz")
