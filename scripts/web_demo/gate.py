"""Who may come in: on this computer everybody, over the network who knows the token; and only from this page."""

import hmac
import secrets
import time
from collections import defaultdict, deque
from dataclasses import dataclass, field
from html import escape
from urllib.parse import urlsplit

from aiohttp import web

LOOPBACK = ("127.0.0.1", "localhost", "::1")
COOKIE = "anatembed_web"
_SHORTEST_TOKEN = 16
_WRONG_TOKENS, _WRONG_TOKENS_OF_ALL, _WRONG_SECONDS = 5, 50, 60.0
_MOST_VISITORS = 10_000
_OWN_FETCHES = (None, "same-origin", "none")
_READS = ("GET", "HEAD")
_HEADERS = {
    # The page needs eval for its templates; it may load and send nothing but from and to where it came from.
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; "
        "frame-ancestors 'none'; form-action 'self'; base-uri 'self'; object-src 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # without any, a browser calls the origin of our own form "null"
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Visitors:
    """The browsers that were let in, each known by a cookie of its own; the oldest are forgotten first."""

    def __init__(self) -> None:
        self._known: dict[str, None] = {}

    def new(self) -> str:
        """A cookie for one more."""
        cookie = secrets.token_urlsafe(32)
        self._known[cookie] = None
        while len(self._known) > _MOST_VISITORS:
            del self._known[next(iter(self._known))]
        return cookie

    def __contains__(self, cookie: str) -> bool:
        return cookie in self._known


class WrongTokens:
    """How often a wrong token was given lately; `clock` gives seconds."""

    def __init__(self, clock=time.monotonic) -> None:
        self._clock = clock
        self._times: dict[str, deque] = defaultdict(deque)

    def note(self, address: str) -> None:
        for one in (address, ""):
            self._times[one].append(self._clock())

    def seconds_to_wait(self, address: str) -> float:
        """Until an address may try again; 0 when it may now."""
        return max(self._wait(address, _WRONG_TOKENS), self._wait("", _WRONG_TOKENS_OF_ALL))

    def _wait(self, key: str, most: int) -> float:
        times = self._times.get(key)
        if times is None:
            return 0.0
        while times and times[0] <= self._clock() - _WRONG_SECONDS:
            times.popleft()
        if not times:
            del self._times[key]
        return times[0] + _WRONG_SECONDS - self._clock() if len(times) >= most else 0.0


@dataclass(frozen=True)
class Gate:
    """`host` is what the launcher listens on; a token is needed unless that is this computer only."""

    host: str = "127.0.0.1"
    token: str = field(default="", repr=False)
    visitors: Visitors = field(default_factory=Visitors, repr=False)
    wrong: WrongTokens = field(default_factory=WrongTokens, repr=False)

    def __post_init__(self):
        if not self.is_local() and len(self.token) < _SHORTEST_TOKEN:
            raise ValueError(f"expected a token of at least {_SHORTEST_TOKEN} characters to listen on {self.host}")

    def is_local(self) -> bool:
        return self.host in LOOPBACK

    def knows(self, token: str) -> bool:
        """Whether a token is right, in a time that does not tell how much of it is."""
        return same(token, self.token)

    def visitor(self, request: web.Request) -> str | None:
        """The cookie of a browser that was let in; None for a browser that was not yet."""
        cookie = request.cookies.get(COOKIE, "")
        return cookie if cookie in self.visitors else None

    def welcome(self, request: web.Request, response: web.StreamResponse) -> str:
        """The visitor's cookie, a new one given with the response where there is none yet."""
        cookie = self.visitor(request)
        if cookie is None:
            cookie = self.visitors.new()
            response.set_cookie(COOKIE, cookie, httponly=True, samesite="Strict", secure=request.secure)
        return cookie

    @web.middleware
    async def middleware(self, request: web.Request, handler):
        """Refuse other pages' requests and other names of this computer; ask for the token."""
        try:
            response = await self._answer(request, handler)
        except web.HTTPException as response:
            response.headers.update(_HEADERS)
            raise
        if not response.prepared:
            response.headers.update(_HEADERS)
        return response

    async def _answer(self, request: web.Request, handler):
        if not self._is_own_name(request) or not _is_from_own_origin(request):
            raise web.HTTPForbidden(text="This page can only be used by itself.")
        if request.headers.get("Sec-Fetch-Site") not in _OWN_FETCHES:
            if _is_followed_link(request):  # shows a button and does nothing, whoever made the link
                address = escape(request.path_qs, quote=True)
                return html_page("Anatomical embedding", f"<p><a href='{address}'>Open the page</a></p>")
            raise web.HTTPForbidden(text="This page can only be used by itself.")
        if self.token and self.visitor(request) is None:
            return await self._admit(request)
        return await handler(request)

    def _is_own_name(self, request: web.Request) -> bool:
        # A foreign name that leads to this computer is a page of someone else that reaches for it.
        return bool(self.token) or (urlsplit(f"//{request.host}").hostname or "") in LOOPBACK

    async def _admit(self, request: web.Request) -> web.Response:
        if request.path != "/":
            raise web.HTTPUnauthorized(text="Open the page's first address and give the token.")
        if request.method in _READS:
            return web.Response(status=401, text=form("", request.query.get("token", "")), content_type="text/html")
        address = request.remote or ""
        wait = self.wrong.seconds_to_wait(address)
        if wait:
            text = form(f"Too many wrong tokens. Try again in {wait:.0f} seconds.")
            return web.Response(status=429, text=text, content_type="text/html", headers={"Retry-After": f"{wait:.0f}"})
        if not self.knows(str((await request.post()).get("token", ""))):
            self.wrong.note(address)
            return web.Response(status=403, text=form("That is not the token."), content_type="text/html")
        admitted = web.HTTPSeeOther("/")
        self.welcome(request, admitted)
        raise admitted


def same(given: str, right: str) -> bool:
    """Whether two texts are equal, in a time that does not tell where they differ; whatever was sent."""
    return hmac.compare_digest(given.encode(errors="surrogateescape"), right.encode(errors="surrogateescape"))


def _is_from_own_origin(request: web.Request) -> bool:
    origin = request.headers.get("Origin")
    return origin is None or urlsplit(origin).netloc == request.host


def _is_followed_link(request: web.Request) -> bool:
    return request.method in _READS and request.path == "/" and request.headers.get("Sec-Fetch-Mode") == "navigate"


def html_page(title: str, body: str, status: int = 200) -> web.Response:
    """An answer with a few words; `body` is HTML."""
    return web.Response(status=status, text=plain_page(title, body), content_type="text/html")


def plain_page(title: str, body: str) -> str:
    """HTML of a page with a few words; `body` is HTML."""
    return (
        "<!doctype html><html lang='en'><meta charset='utf-8'><meta name='viewport' content='width=device-width'>"
        f"<title>{escape(title)}</title><style>body{{font-family:sans-serif;background:#111;color:#eee;display:grid;"
        "place-content:center;min-height:90vh;text-align:center;padding:16px}a{color:#8ab4f8}input,button{font-size:1rem;"
        f"padding:8px;margin:4px}}</style><h1>{escape(title)}</h1>{body}</html>"
    )


def form(problem: str, token: str = "") -> str:
    """The page that asks for the token; one that came with the address is sent at once, and leaves the address."""
    at_once = "<script>history.replaceState(null, '', '/'); document.forms[0].submit()</script>" if token else ""
    return plain_page("Anatomical embedding", (
        f"<p>{escape(problem)}</p><form method='post' action='/'><label>Token "
        f"<input name='token' type='password' value='{escape(token)}' "
        "autocomplete='current-password' autofocus></label>"
        f"<button>Enter</button></form>{at_once}"
    ))


def begin_form() -> str:
    """The page that begins a session as soon as it is shown, or, without scripts, when its button is pressed."""
    return plain_page("Anatomical embedding", (
        "<p role='status'>Preparing a place for you.</p>"
        "<form method='post' action='/begin'><button>Begin</button></form>"
        "<script>document.forms[0].submit()</script>"
    ))
