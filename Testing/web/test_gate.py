"""Who is let in, asked over HTTP as a browser does."""



import pytest

pytest.importorskip("aiohttp", reason="needs trame-slicer: make test-web installs it")
import aiohttp
import own_loop
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from web_demo.gate import COOKIE, Gate, WrongTokens

TOKEN = "a token of enough letters"


def answers(gate, *requests):
    """(status, headers, text) of each (method, path, options) in one browser with cookies."""

    async def ask():
        async def hello(_request):
            return web.Response(text="hello")

        application = web.Application(middlewares=[gate.middleware])
        application.add_routes([web.route("*", "/", hello), web.route("*", "/session/x/upload", hello)])
        found = []
        jar = aiohttp.CookieJar(unsafe=True)
        async with TestClient(TestServer(application), cookie_jar=jar) as client:
            for method, path, options in requests:
                response = await client.request(method, path, allow_redirects=False, **options)
                found.append((response.status, response.headers, await response.text()))
        return found

    return own_loop.run(ask())


def test_this_computer_needs_no_token():
    assert [answer[::2] for answer in answers(Gate(), ("GET", "/", {}))] == [(200, "hello")]


@pytest.mark.parametrize("name", ["evil.example", "evil.example:8765", "127.0.0.1.evil.example"])
def test_another_name_for_this_computer_is_refused(name):
    assert answers(Gate(), ("GET", "/", {"headers": {"Host": name}}))[0][0] == 403


@pytest.mark.parametrize("name", ["localhost:8765", "127.0.0.1", "[::1]:8765"])
def test_the_usual_names_of_this_computer_are_taken(name):
    assert answers(Gate(), ("GET", "/", {"headers": {"Host": name}}))[0][0] == 200


@pytest.mark.parametrize("gate", [Gate(), Gate("0.0.0.0", TOKEN)])
def test_a_request_that_another_page_makes_is_refused(gate):
    options = {"headers": {"Origin": "http://evil.example"}}
    assert answers(gate, ("POST", "/session/x/upload", options))[0][0] == 403


@pytest.mark.parametrize("origin", ["null", "http://127.0.0.1.evil.example", "file://"])
def test_a_request_without_a_real_origin_is_refused(origin):
    assert answers(Gate(), ("POST", "/session/x/upload", {"headers": {"Origin": origin}}))[0][0] == 403


def test_over_the_network_nothing_is_shown_without_the_token():
    status, _headers, text = answers(Gate("0.0.0.0", TOKEN), ("GET", "/", {}))[0]
    assert status == 401 and "hello" not in text and TOKEN not in text


def test_over_the_network_a_session_cannot_be_guessed_without_the_token():
    assert answers(Gate("0.0.0.0", TOKEN), ("POST", "/session/x/upload", {}))[0][0] == 401


POST_TOKEN = ("POST", "/", {"data": {"token": TOKEN}})


def test_the_token_lets_in_and_is_not_in_the_address_afterwards():
    first, second = answers(Gate("0.0.0.0", TOKEN), POST_TOKEN, ("GET", "/", {}))
    assert first[0] == 303 and first[1]["Location"] == "/"
    assert second[0] == 200 and second[2] == "hello"
    cookie = first[1]["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and TOKEN not in cookie


def test_an_address_with_the_token_changes_nothing_but_shows_the_form_that_sends_it():
    address = ("GET", f"/?token={TOKEN.replace(' ', '%20')}", {})
    first, second = answers(Gate("0.0.0.0", TOKEN), address, ("GET", "/", {}))
    assert first[0] == 401 and "Set-Cookie" not in first[1] and TOKEN in first[2] and "submit()" in first[2]
    assert second[0] == 401


def test_what_is_in_the_address_cannot_become_part_of_the_page():
    attack = "/?token=%22%3E%3Cscript%3Ealert(1)%3C/script%3E"
    for options in ({}, {"headers": {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}}):
        assert "<script>alert" not in answers(Gate("0.0.0.0", TOKEN), ("GET", attack, options))[0][2]


def test_every_browser_gets_a_cookie_of_its_own():
    gate = Gate("0.0.0.0", TOKEN)
    cookies = {answers(gate, POST_TOKEN)[0][1]["Set-Cookie"] for _ in range(3)}
    assert len(cookies) == 3


def test_after_some_wrong_tokens_an_address_has_to_wait_even_with_the_right_one():
    now = [0.0]
    gate = Gate("0.0.0.0", TOKEN, wrong=WrongTokens(lambda: now[0]))
    wrong = ("POST", "/", {"data": {"token": "wrong"}})
    found = answers(gate, *[wrong] * 6, POST_TOKEN)
    assert [answer[0] for answer in found] == [403] * 5 + [429] * 2
    assert int(found[-1][1]["Retry-After"]) == 60
    now[0] = 60.5
    assert answers(gate, POST_TOKEN)[0][0] == 303


def test_wrong_tokens_of_many_addresses_are_counted_together():
    wrong = WrongTokens(lambda: 0.0)
    for number in range(50):
        assert wrong.seconds_to_wait(f"10.0.0.{number}") == 0
        wrong.note(f"10.0.0.{number}")
    assert wrong.seconds_to_wait("10.0.1.1") > 0


@pytest.mark.parametrize("site", ["cross-site", "same-site", "anything"])
def test_a_fetch_by_another_site_is_refused_and_a_followed_link_shows_a_button_only(site):
    for gate in (Gate(), Gate("0.0.0.0", TOKEN)):
        headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors"}
        assert answers(gate, ("GET", "/", {"headers": headers}))[0][0] == 403
        headers["Sec-Fetch-Mode"] = "navigate"
        assert answers(gate, ("POST", "/", {"headers": headers}))[0][0] == 403
        assert answers(gate, ("GET", "/session/x/upload", {"headers": headers}))[0][0] == 403
        status, _headers, text = answers(gate, ("GET", "/", {"headers": headers}))[0]
        assert status == 200 and "hello" not in text and "submit()" not in text


@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_the_page_itself_and_a_typed_address_are_served(site):
    assert answers(Gate(), ("GET", "/", {"headers": {"Sec-Fetch-Site": site}}))[0][2] == "hello"


@pytest.mark.parametrize("token", ["", "wrong", TOKEN + "x", TOKEN[:-1], "ünïcode ✓"])
def test_a_wrong_token_does_not_let_in(token):
    first, second = answers(Gate("0.0.0.0", TOKEN), ("POST", "/", {"data": {"token": token}}), ("GET", "/", {}))
    assert first[0] == 403 and second[0] == 401


def test_a_made_up_cookie_does_not_let_in():
    options = {"cookies": {COOKIE: "0" * 64}}
    assert answers(Gate("0.0.0.0", TOKEN), ("GET", "/", options))[0][0] == 401
    assert answers(Gate("0.0.0.0", TOKEN), ("GET", "/", {"headers": {"Cookie": f"{COOKIE}=é"}}))[0][0] == 401


def test_the_cookie_of_another_launcher_does_not_let_in():
    options = {"cookies": {COOKIE: Gate("0.0.0.0", TOKEN).visitors.new()}}
    assert answers(Gate("0.0.0.0", TOKEN), ("GET", "/", options))[0][0] == 401


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "example.org", ""])
@pytest.mark.parametrize("token", ["", "short"])
def test_the_network_is_not_listened_to_without_a_long_token(host, token):
    with pytest.raises(ValueError, match="at least 16"):
        Gate(host, token)


@pytest.mark.parametrize("path", ["/", "/missing"])
def test_every_answer_forbids_the_page_to_reach_other_computers(path):
    _status, headers, _text = answers(Gate(), ("GET", path, {}))[0]
    policy = headers["Content-Security-Policy"]
    assert "connect-src 'self'" in policy and "default-src 'self'" in policy and "http" not in policy
