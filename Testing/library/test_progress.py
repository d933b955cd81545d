import io
import json

import pytest
from anatembed.progress import Bar, JsonProgress, NoProgress, part_of, progress_on


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_a_bar_and_a_file_gets_nothing():
    assert type(progress_on(Terminal(), None)) is Bar
    assert type(progress_on(io.StringIO(), None)) is NoProgress


@pytest.mark.parametrize(("kind", "expected"), [("bar", Bar), ("json", JsonProgress), ("none", NoProgress)])
def test_a_kind_that_was_asked_for_is_given_anywhere(kind, expected):
    assert type(progress_on(Terminal(), kind)) is type(progress_on(io.StringIO(), kind)) is expected


def test_on_a_terminal_the_bar_stays_on_one_line_and_goes_away():
    stream = Terminal()
    bar = Bar(stream)
    bar("Embedding", 0.5)
    assert "50%" in stream.getvalue()
    assert "#" * 14 + "." * 14 in stream.getvalue()
    bar.close()
    assert "\n" not in stream.getvalue()
    assert stream.getvalue().endswith("\r\x1b[K")


def test_in_a_file_every_step_has_its_line():
    stream = io.StringIO()
    bar = Bar(stream)
    bar("Reading", 0)
    bar("Embedding", 1)
    bar.close()
    assert [line.split("  ")[-1] for line in stream.getvalue().splitlines()] == ["Reading", "Embedding"]


def test_programs_read_one_object_a_line():
    stream = io.StringIO()
    JsonProgress(stream)("Embedding", 1 / 3)
    line = json.loads(stream.getvalue())
    assert (line["stage"], line["fraction"]) == ("Embedding", 0.3333)
    assert line["seconds"] >= 0


def test_programs_read_why_it_failed_and_people_do_not():
    stream = io.StringIO()
    JsonProgress(stream).failed("memory", "too little", device="cuda")
    assert json.loads(stream.getvalue()) == {"reason": "memory", "error": "too little", "device": "cuda"}
    stream = io.StringIO()
    for silent in (Bar(stream), NoProgress()):
        silent.failed("memory", "too little")
    assert stream.getvalue() == ""


def test_a_part_fills_its_share_of_the_whole():
    seen = []
    part = part_of(lambda stage, fraction: seen.append((stage, fraction)), 0.25, 0.75)
    part("a", 0)
    part("b", 0.5)
    part("c", 1)
    assert seen == [("a", 0.25), ("b", 0.5), ("c", 0.75)]
