"""The page over the network: first the token."""

import pytest

pytest.importorskip("trame_slicer", reason="needs trame-slicer: make test-web installs it")
pytest.importorskip("playwright", reason="needs playwright: make test-web installs it")

TOKEN = "one two three four five"


def test_a_visitor_from_the_network_gives_the_token_once(browser, launch, tmp_path):
    from web_page import VisitorsPage

    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    launcher = launch("--host", "0.0.0.0", "--token-file", str(file), "--places", "1")
    assert TOKEN not in launcher.log()
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = VisitorsPage(context.new_page(), launcher.address)
    assert page.page.goto(launcher.address).status == 401
    assert "CT of the trunk" not in page.page.content()
    page.page.fill("input[name=token]", "a wrong token of enough letters")
    page.page.click("button")
    page.page.wait_for_selector("text=That is not the token.")
    page.page.fill("input[name=token]", TOKEN)
    page.page.click("button")
    page.wait_until_drawn()
    assert "token" not in page.page.url
    assert page.ask("spleen") == "Spleen: found."
    context.close()


def test_what_the_launcher_prints_leads_in(browser, launch):
    launcher = launch("--host", "0.0.0.0", "--places", "1")
    address = next(line for line in launcher.log().splitlines() if "token=" in line).split()[-1]
    assert len(address.split("token=")[1]) >= 32
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(address.replace("0.0.0.0", "127.0.0.1"))
    page.wait_for_selector("#scan-line")
    context.close()
