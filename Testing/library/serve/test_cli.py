import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import anatembed.serve.cli as cli
import pytest
from anatembed.maps.embedding_map import EmbeddingMap
from anatembed.model.memory_budget import NotEnoughMemory

PACKAGE_FOLDER = Path(cli.__file__).resolve().parents[2]


def start(code: str, *arguments, **options) -> subprocess.Popen:
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE_FOLDER)}
    command = [sys.executable, "-c", code, *map(str, arguments)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, env=environment, encoding="utf-8", **{**pipes, **options})


RUN = "import sys; from anatembed.serve.cli import main; sys.exit(main(sys.argv[1:]))"
WITHOUT = "import sys; sys.modules.update(dict.fromkeys({packages!r})); " + RUN
PICTURES, FILES, SCIPY, TORCH = ("PIL",), ("SimpleITK", "nibabel"), ("scipy",), ("torch",)


def test_help_names_every_command(capsys):
    with pytest.raises(SystemExit) as end:
        cli.main(["--help"])
    assert end.value.code == 0
    out = capsys.readouterr().out
    for command in ("embed", "locate", "resolve", "describe", "overlay", "terms", "info", "device", "demo", "mcp"):
        assert f"\n    {command} " in out


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["fly"],
        ["locate", "scan.nii.gz"],
        ["locate", "map.npz", "liver", "-k", "0"],
        ["locate", "map.npz", "liver", "-k", "many"],
        ["describe", "map.npz", "--ras", "1", "2"],
        ["describe", "map.npz", "--ras", "left", "2", "3"],
        ["embed", "scan.nii.gz"],
        ["embed", "scan.nii.gz", "-o", "map.npz", "--device", "abacus"],
        ["mcp"],
        ["resolve"],
        ["resolve", "liver", "--batch", "questions.txt"],
    ],
    ids=" ".join,
)
def test_a_mistaken_command_is_one_sentence_and_exit_code_2(anatembed, words):
    said = anatembed(*words)
    assert said.code == 2
    assert said.out == ""
    assert said.err.startswith("anatembed: ")
    assert said.err.count("\n") == 1


@pytest.mark.parametrize("numbers", [("-60", "-20", "-30"), ("-6e1", "-2.0e+1", "-30."), ("-60.", "-.2e2", "-30.0")])
def test_negative_coordinates_are_not_taken_for_options(anatembed, planted, planted_model, numbers):
    said = anatembed("describe", planted, "--model", planted_model, "--json", "--ras", *numbers)
    assert said.document["names"][0]["id"] == "kidney_left"


def test_options_may_follow_the_coordinates(anatembed, planted, planted_model):
    said = anatembed("describe", planted, "--ras", "-60", "-20", "-30", "-k", "1", "--json", "--model", planted_model)
    assert [one["id"] for one in said.document["names"]] == ["kidney_left"]


@pytest.mark.parametrize("bad", ["nan", "-inf"])
def test_a_place_must_be_finite(anatembed, planted, planted_model, bad):
    said = anatembed("describe", planted, "--model", planted_model, "--ras", "0", bad, "0")
    assert (said.code, said.err.count("\n")) == (2, 1)


def test_progress_is_silent_where_nobody_watches(anatembed, scan, tiny_model, tmp_path):
    assert anatembed("embed", scan, "-o", tmp_path / "m.npz", "--model", tiny_model).err == ""


def test_progress_alone_means_a_bar_and_does_not_swallow_the_scan(anatembed, scan, tiny_model, tmp_path):
    said = anatembed("embed", "--progress", scan, "-o", tmp_path / "m.npz", "--model", tiny_model)
    assert said.code == 0
    assert "100%" in said.err or "97%" in said.err


def test_progress_for_programs_is_json_lines_that_never_go_back(anatembed, scan, tiny_model, tmp_path):
    said = anatembed("embed", scan, "-o", tmp_path / "m.npz", "--progress", "json", "--model", tiny_model, "--json")
    fractions = [json.loads(line)["fraction"] for line in said.err.splitlines()]
    assert fractions == sorted(fractions)
    assert len(fractions) > 3
    assert said.document["encoder_id"].startswith("anatembed-")


def test_interrupting_ends_with_130_and_without_a_traceback(anatembed, planted, monkeypatch):
    from anatembed.maps.embedding_map import EmbeddingMap

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(EmbeddingMap, "load", interrupted)
    said = anatembed("info", planted)
    assert (said.code, said.out, said.err) == (130, "", "anatembed: interrupted\n")


@pytest.mark.skipif(os.name != "posix", reason="needs signals")
def test_a_real_interrupt_ends_a_running_batch_with_130():
    # An ignored interrupt is inherited by children of a background job; this one must be able to receive it.
    code = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); " + RUN
    with start(code, "resolve", "--batch", "-") as process:
        process.stdin.write("liver\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["decision"] == "go"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (130, "anatembed: interrupted\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_behind_standard_output_is_one_sentence():
    with open("/dev/full", "w") as full, start(RUN, "resolve", "liver", stdout=full) as process:
        _, err = process.communicate(timeout=30)
    assert process.returncode == 2
    assert err == "anatembed: cannot write the output: No space left on device\n"


def test_a_reader_that_has_seen_enough_is_no_error():
    with start(RUN, "resolve", "--batch", "-") as process:
        process.stdout.close()
        process.stdin.write("liver\n" * 3)
        process.stdin.close()
        err = process.stderr.read()
        process.wait(timeout=30)
    assert (process.returncode, err) == (141, "")


@pytest.mark.parametrize(
    ("words", "packages"),
    [
        (("resolve", "left kidney"), TORCH + FILES + PICTURES + SCIPY),
        (("terms", "kidney"), TORCH + FILES + PICTURES + SCIPY),
        (("info", "MAP"), TORCH + FILES + PICTURES + SCIPY),
        (("locate", "MAP", "liver"), TORCH + FILES + PICTURES),
        (("describe", "MAP", "--ras", "55", "20", "0"), TORCH + FILES + PICTURES),
        (("overlay", "MAP", "-o", "OUT.nii.gz"), TORCH + ("SimpleITK",) + PICTURES),
        (("overlay", "MAP", "-o", "OUT.png"), TORCH + FILES),
    ],
    ids=lambda words: " ".join(words) if "-o" in words else words[0],
)
def test_a_command_needs_no_package_that_it_does_not_use(words, packages, planted, planted_model, tmp_path):
    names = {"MAP": planted, "OUT.nii.gz": tmp_path / "out.nii.gz", "OUT.png": tmp_path / "out.png"}
    model = [] if words[0] == "resolve" else ["--model", planted_model]
    code = WITHOUT.format(packages=packages)
    with start(code, *(names.get(word, word) for word in words), *model) as process:
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")


def test_embedding_without_torch_says_what_is_missing(scan, planted_model, tmp_path):
    code = WITHOUT.format(packages=TORCH)
    with start(code, "embed", scan, "-o", tmp_path / "out.npz", "--model", planted_model) as process:
        _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert (err.count("\n"), "torch" in err) == (1, True)


def disk_full() -> ValueError:
    error = ValueError("cannot write map.npz: No space left on device")
    error.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    return error


FAILURES = [
    (MemoryError(), 5, {"reason": "memory", "device": "cpu"}),
    (NotEnoughMemory("cuda"), 5, {"reason": "memory", "device": "cuda"}),
    (RuntimeError("CUDA out of memory.\nTried to allocate 2 GiB"), 5, {"reason": "memory", "device": "cpu"}),
    (ModuleNotFoundError("No module named 'torch.nn'", name="torch.nn"), 2, {"reason": "package", "package": "torch"}),
    (ImportError("DLL load failed"), 2, {"reason": "package", "package": ""}),
    (disk_full(), 2, {"reason": "disk"}),
    (OSError(errno.ENOSPC, "No space left on device"), 2, {"reason": "disk"}),
    (OSError(errno.EACCES, "Permission denied"), 2, {"reason": "input"}),
    (ValueError("expected\nthis"), 2, {"reason": "input"}),
    (RuntimeError("other"), 2, {"reason": "input"}),
]


@pytest.mark.parametrize(("error", "code", "expected"), FAILURES, ids=lambda case: str(case)[:30])
def test_an_error_is_one_sentence_and_for_programs_its_reason(anatembed, planted, monkeypatch, error, code, expected):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(EmbeddingMap, "load", fail)
    said = anatembed("info", planted)
    assert said.code == code
    assert said.err.startswith("anatembed: ")
    assert said.err.count("\n") == 1
    line, sentence = anatembed("info", planted, "--progress", "json").err.splitlines()
    assert json.loads(line) == {**expected, "error": sentence.removeprefix("anatembed: ")}


def test_too_little_memory_is_exit_code_5_of_the_real_command(scan, tiny_model, tmp_path):
    code = (
        "from anatembed.maps import inference; import torch\n"
        "inference._forward = lambda *_: torch.empty(2**62, dtype=torch.uint8)\n" + RUN
    )
    words = ("embed", scan, "-o", tmp_path / "m.npz", "--model", tiny_model, "--device", "cpu")
    with start(code, *words) as process:
        _, err = process.communicate(timeout=60)
    assert process.returncode == 5
    assert err == "anatembed: the memory of this computer does not suffice for this scan: crop it\n"
    assert list(tmp_path.iterdir()) == []


def test_python_dash_m_is_the_same_command_line():
    command = [sys.executable, "-m", "anatembed", "resolve", "left kidney", "--json"]
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE_FOLDER)}
    said = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8")
    assert json.loads(said.stdout)["understood"][0]["id"] == "kidney_left"
    assert (said.returncode, said.stderr) == (0, "")
