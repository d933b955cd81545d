"""Real programs: what they say arrives, and they end with everything that they have started."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from anatembed import child_process
from anatembed.child_process import ChildProcess, json_object, own_group

LONG = 30
posix = pytest.mark.skipif(os.name != "posix", reason="needs signals")


@pytest.fixture
def run(tmp_path):
    """run(code) is a child process that runs Python code; all are ended after the test."""
    children = []

    def start(code: str) -> ChildProcess:
        command = [sys.executable, "-c", code]
        children.append(ChildProcess(command, {**os.environ, "PYTHONUNBUFFERED": "1"}, tmp_path))
        return children[-1]

    yield start
    for child in children:
        child.end()


def until(child: ChildProcess, condition) -> None:
    """Waits for changes until the condition holds."""
    deadline = time.monotonic() + LONG
    seen = -1
    while not condition():
        assert child.wait_for_change(seen, deadline - time.monotonic()), f"nothing for {LONG} s: {list(child.tail)}"
        seen = child.changes()


def ended(child: ChildProcess) -> int:
    until(child, lambda: child.exit_code is not None)
    return child.exit_code


# A grandchild that ignores the gentle signal, and a child that tells its id and waits for ever.
FAMILY = """
import json, signal, subprocess, sys
grandchild = subprocess.Popen([sys.executable, "-c",
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); signal.pause()"],
    stdout=subprocess.PIPE)
grandchild.stdout.readline()
{before}
print(json.dumps({{"grandchild": grandchild.pid}}), file=sys.stderr, flush=True)
{after}
"""


def is_alive(process_id: int) -> bool:
    """Whether a process that is no child of this one still runs; one that nobody has asked after has ended."""
    try:
        with open(f"/proc/{process_id}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def wait_until_gone(process_id: int) -> None:
    """A killed process ends at once, but not at the very moment."""
    deadline = time.monotonic() + 5
    while is_alive(process_id):
        assert time.monotonic() < deadline
        os.sched_yield()


def test_messages_come_in_their_order_while_it_runs(run):
    child = run(
        "import sys, json\n"
        "for n in range(50): print(json.dumps({'n': n}), file=sys.stderr)\n"
        "print('ready', file=sys.stderr)\n"
        "import signal; signal.pause()"
    )
    until(child, lambda: len(child.messages) == 50)
    assert [message["n"] for message in child.messages] == list(range(50))
    assert child.exit_code is None


def test_output_and_other_lines_are_there_at_the_end(run):
    child = run("import sys; print('{\"a\": 1}'); print('oops', file=sys.stderr); sys.exit(7)")
    assert ended(child) == 7
    assert json_object(child.output) == {"a": 1}
    assert sorted(child.tail) == ["oops", '{"a": 1}']
    assert not child.messages


def test_megabytes_on_both_outputs_neither_block_it_nor_fill_the_memory(run):
    child = run(
        "import sys\n"
        "for stream in (sys.stdout, sys.stderr):\n"
        "    for _ in range(30): stream.write('x' * 1_000_000 + '\\n' * 1000)\n"
        "    stream.write('y' * 20_000_000)\n"
        "print('{\"done\": 1}'.rjust(20), file=sys.stderr)\n"
    )
    assert ended(child) == 0
    assert len(child.output) <= child_process._OUTPUT_BYTES
    assert len(child.tail) <= child_process._TAIL_LINES
    assert sum(line.startswith("y") for line in child.tail) >= 20_000_000 // child_process._OUTPUT_BYTES  # in pieces
    assert max(map(len, child.tail)) <= child_process._LINE_CHARACTERS


def test_garbage_is_no_message_and_can_be_shown(run):
    child = run(
        "import sys; err = sys.stderr.buffer\n"
        "err.write(b'\\xff\\xfe\\x00\\x07\\n{broken\\n[1]\\n{\"good\": 1}\\n' + b'{' * 100000 + b'\\n\\x1b[2J')\n"
    )
    assert ended(child) == 0
    assert list(child.messages) == [{"good": 1}]
    assert all(line.isprintable() for line in child.tail)
    assert "{broken" in child.tail
    assert "[1]" in child.tail


@pytest.mark.parametrize("text", [b"", b"1", b"[]", b"{", b'{"a": \xff}', b"{" * 5000, b'{"a":' * 5000])
def test_what_is_no_object_is_none(text):
    assert json_object(text) is None


def test_a_program_that_is_not_there_is_an_oserror(tmp_path):
    with pytest.raises(FileNotFoundError):
        ChildProcess([str(tmp_path / "no python")], {}, tmp_path)
    (tmp_path / "text").write_text("no program")
    with pytest.raises(OSError):
        ChildProcess([str(tmp_path / "text")], {}, tmp_path)
    assert threading.active_count() < 50


@posix
def test_ending_ends_a_grandchild_that_does_not_want_to_within_a_second(run):
    child = run(FAMILY.format(before="", after="signal.pause()"))
    until(child, lambda: child.messages)
    grandchild = child.messages[0]["grandchild"]
    began = time.monotonic()
    child.end()
    assert time.monotonic() - began < 1
    assert child.exit_code == -signal.SIGTERM
    wait_until_gone(grandchild)


@posix
def test_ending_ends_a_child_that_does_not_want_to_within_a_second(run):
    child = run(FAMILY.format(before="signal.signal(signal.SIGTERM, signal.SIG_IGN)", after="signal.pause()"))
    until(child, lambda: child.messages)
    began = time.monotonic()
    child.end()
    assert time.monotonic() - began < 1
    assert child.exit_code == -signal.SIGKILL
    wait_until_gone(child.messages[0]["grandchild"])


@posix
@pytest.mark.parametrize("how", ["ends", "is killed"])
def test_a_grandchild_does_not_outlive_the_child(run, how):
    child = run(FAMILY.format(before="", after="sys.exit(0)" if how == "ends" else "signal.pause()"))
    until(child, lambda: child.messages)
    if how == "is killed":
        os.kill(child.id, signal.SIGKILL)
    assert ended(child) == (0 if how == "ends" else -signal.SIGKILL)
    wait_until_gone(child.messages[0]["grandchild"])


@posix
def test_someone_who_left_the_group_and_holds_the_pipes_does_not_hold_up_the_end(run):
    child = run(
        "import json, subprocess, sys\n"
        "away = subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()'], start_new_session=True)\n"
        "print(json.dumps({'away': away.pid}), file=sys.stderr)\n"
    )
    try:
        assert ended(child) == 0
    finally:
        os.kill(child.messages[0]["away"], signal.SIGKILL)


@posix
def test_ending_again_signals_nobody(run, monkeypatch):
    child = run("pass")
    ended(child)
    monkeypatch.setattr(os, "killpg", lambda *_: pytest.fail("the id may belong to another group by now"))
    child.end()


@posix
def test_the_end_of_the_parent_ends_a_child_that_still_speaks(tmp_path):
    """Even where nobody could clean up: nobody reads any more, and the next word ends it."""
    parent = (
        "import os, sys; sys.path.insert(0, sys.argv[1])\n"
        "from anatembed.child_process import ChildProcess\n"
        "code = 'import sys, itertools\\nfor n in itertools.count(): print(n, file=sys.stderr, flush=True)'\n"
        "child = ChildProcess([sys.executable, '-c', code], dict(os.environ), '.')\n"
        "print(child.id, flush=True)\n"
        "import signal; signal.pause()\n"
    )
    folder = os.path.dirname(os.path.dirname(child_process.__file__))
    with subprocess.Popen([sys.executable, "-c", parent, folder], stdout=subprocess.PIPE, cwd=tmp_path) as process:
        child = int(process.stdout.readline())
        process.kill()
    wait_until_gone(child)


def test_on_windows_the_tree_is_ended_by_taskkill(run, monkeypatch):
    assert own_group(windows=True) == {"creationflags": 0x8000200}
    assert own_group(windows=False) == {"start_new_session": True}
    child = run("import signal; signal.pause()")
    commands = []

    def taskkill(command, **_options):
        commands.append(command)
        os.killpg(child.id, signal.SIGKILL)

    with monkeypatch.context() as windows:
        windows.setattr(child_process, "_WINDOWS", True)
        windows.setattr(child_process, "own_group", lambda windows: {})
        windows.setattr(subprocess, "run", taskkill)
        child.end()
        assert commands == [["taskkill", "/F", "/T", "/PID", str(child.id)]]
        child.end()
    assert len(commands) == 1


def test_json_lines_of_the_command_line_are_messages(run):
    child = run("from anatembed.progress import JsonProgress; import sys; JsonProgress(sys.stderr)('Reading', 0.5)")
    ended(child)
    assert child.messages[0]["stage"] == "Reading", json.dumps(list(child.tail))
