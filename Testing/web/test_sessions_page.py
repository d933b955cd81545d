"""Several visitors at once, and what is left of one who has gone."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

pytest.importorskip("trame_slicer", reason="needs trame-slicer: make test-web installs it")
pytest.importorskip("playwright", reason="needs playwright: make test-web installs it")
from bad_scans import BAD_SCANS
from playwright.sync_api import expect
from visitor_processes import has_page, listening_ports, until
from web_demo.sessions import environment
from web_page import VisitorsPage


def test_two_visitors_see_nothing_of_each_other_and_a_broken_file_harms_only_its_owner(visit, tmp_path):
    first, second = visit(), visit()
    assert first.page.url != second.page.url
    first.ask("left kidney")
    assert second.hits() == [] and second.page.input_value("#find-box") == ""
    places = second.places()
    first.upload(BAD_SCANS["truncated gz"](tmp_path))
    first.page.wait_for_selector("#message.problem")
    assert second.page.locator("#message").count() == 0
    assert second.ask("spleen") == "Spleen: found."
    assert second.places() != places
    assert first.page.inner_text("#answer") == "Left kidney: found."


def test_a_visitor_whose_process_crashes_is_told_so_and_the_others_go_on(visit, launcher):
    until(lambda: not any(map(has_page, launcher.session_processes())), 60, "earlier visitors are still there")
    first = visit()
    crashed = next(one for one in launcher.session_processes() if has_page(one))
    second = visit()
    os.kill(crashed, signal.SIGKILL)
    expect(first.page.locator(".ended")).to_be_visible()
    assert second.ask("spleen") == "Spleen: found."
    answer = first.page.goto(first.page.url)
    assert answer.status == 410 and "has been deleted" in first.page.inner_text("body")


def test_reloading_the_page_keeps_what_was_done(visit):
    page = visit()
    page.ask("left kidney")
    hits, places, address = page.hits(), page.places(), page.page.url
    page.page.reload()
    page.wait_until_drawn()
    assert page.page.url == address
    assert page.hits() == hits and page.places() == places
    assert page.page.input_value("#find-box") == "left kidney"
    assert page.ask("spleen") == "Spleen: found."


def test_the_same_address_in_a_second_window_takes_the_session_over(visit):
    first = visit()
    second = VisitorsPage(first.page.context.new_page(), first.page.url)
    second.open()
    expect(first.page.locator(".ended")).to_be_visible()
    assert second.ask("spleen") == "Spleen: found."


def test_another_browser_cannot_use_a_visitors_address(visit, browser):
    first = visit()
    context = browser.new_context()
    answer = context.new_page().goto(first.page.url)
    assert answer.status == 410 and "another browser" in answer.text()
    context.close()
    assert first.ask("spleen") == "Spleen: found."


def test_when_a_visitor_has_gone_the_process_and_its_files_are_deleted(visit, launcher):
    until(lambda: launcher.visitors() == 0, 60, "an earlier visitor is still there")
    folders = set(launcher.session_folders())
    page = visit()
    address = page.page.url
    page.page.context.close()
    until(lambda: launcher.visitors() == 0, 60, "the session is still there")
    with pytest.raises(urllib.error.HTTPError) as answer:
        urllib.request.urlopen(address)
    assert answer.value.code == 410
    until(lambda: len(set(launcher.session_folders()) - folders) <= 1, 60, "files are left")


def test_folders_of_visitors_are_private(visit, launcher):
    visit()
    for folder in launcher.session_folders():
        assert folder.stat().st_mode & 0o077 == 0
        assert folder.parent.stat().st_mode & 0o077 == 0


def test_more_visitors_than_places_are_told_so(browser, launch):
    launcher = launch("--places", "1", "--keep-seconds", "60")
    context = browser.new_context()
    page = VisitorsPage(context.new_page(), launcher.address)
    page.open()
    with pytest.raises(urllib.error.HTTPError) as answer:
        urllib.request.urlopen(f"{launcher.address}/begin", data=b"")
    assert answer.value.code == 503 and "All 1 places are taken" in answer.value.read().decode()
    context.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda one: one.name)
def test_the_end_of_the_launcher_ends_every_process_and_deletes_every_file(launch, number):
    launcher = launch("--places", "2")
    until(launcher.session_processes, 60, "no process waits for a visitor")
    until(launcher.session_folders, 60, "no folder waits for a visitor")
    processes = launcher.session_processes()
    launcher.process.send_signal(number)
    launcher.process.wait(30)
    until(lambda: not any(_lives(one) for one in processes), 60, "a visitor's process lives on")
    until(lambda: not launcher.session_folders(), 30, "files are left")


@pytest.mark.parametrize("line", [b"", json.dumps({"key": "k", "slot": "s"}).encode() + b"\n"], ids=["before", "after"])
def test_a_process_whose_launcher_ends_while_it_starts_leaves_no_file(tmp_path, line):
    folder = tmp_path / "private"
    (folder / "maps").mkdir(parents=True)
    command = [sys.executable, "-m", "web_demo.app", str(folder)]
    subprocess.run(command, input=line, env=environment(), timeout=60, check=False, capture_output=True)
    assert not folder.exists()


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_session_is_not_served_without_its_key(visit, launcher):
    visit()
    for process in launcher.session_processes():
        for port in listening_ports(process):
            with pytest.raises(urllib.error.HTTPError) as answer:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/index.html")
            assert answer.value.code == 403
