"""Who is let in, asked over HTTP as a browser does."""



import pytest

pytest.importorskip("aiohttp", reason="needs trame-slicer: make test-web installs it")
import aiohttp
import own_loop
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from web_demo.gate import COOKIE, Gate

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


@pytest.mark.parametrize("request_", [
    ("GET", f"/?token={TOKEN.replace(' ', '%20')}", {}), ("POST", "/", {"data": {"token": TOKEN}}),
])
def test_the_token_lets_in_and_is_not_in_the_address_afterwards(request_):
    first, second = answers(Gate("0.0.0.0", TOKEN), request_, ("GET", "/", {}))
    assert first[0] == 303 and first[1]["Location"] == "/"
    assert second[0] == 200 and second[2] == "hello"
    cookie = first[1]["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and TOKEN not in cookie


@pytest.mark.parametrize("token", ["", "wrong", TOKEN + "x", TOKEN[:-1], "ünïcode ✓"])
def test_a_wrong_token_does_not_let_in(token):
    first, second = answers(Gate("0.0.0.0", TOKEN), ("POST", "/", {"data": {"token": token}}), ("GET", "/", {}))
    assert first[0] == 403 and second[0] == 401


def test_a_made_up_cookie_does_not_let_in():
    options = {"cookies": {COOKIE: "0" * 64}}
    assert answers(Gate("0.0.0.0", TOKEN), ("GET", "/", options))[0][0] == 401
    assert answers(Gate("0.0.0.0", TOKEN), ("GET", "/", {"headers": {"Cookie": f"{COOKIE}=é"}}))[0][0] == 401


def test_the_cookie_of_another_launcher_does_not_let_in():
    options = {"cookies": {COOKIE: Gate("0.0.0.0", TOKEN).cookie}}
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
