"""Who may come in: on this computer everybody, over the network who knows the token; and only from this page."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from html import escape
from urllib.parse import urlsplit

from aiohttp import web

LOOPBACK = ("127.0.0.1", "localhost", "::1")
COOKIE = "anatembed_web"
_SHORTEST_TOKEN = 16
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


@dataclass(frozen=True)
class Gate:
    """`host` is what the launcher listens on; a token is needed unless that is this computer only."""

    host: str = "127.0.0.1"
    token: str = ""
    _secret: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    def __post_init__(self):
        if not self.is_local() and len(self.token) < _SHORTEST_TOKEN:
            raise ValueError(f"expected a token of at least {_SHORTEST_TOKEN} characters to listen on {self.host}")

    def is_local(self) -> bool:
        return self.host in LOOPBACK

    @property
    def cookie(self) -> str:
        """What a browser carries after it has shown the token; tells nothing about the token."""
        return hmac.new(self._secret, self.token.encode(), hashlib.sha256).hexdigest()

    def knows(self, token: str) -> bool:
        """Whether a token is right, in a time that does not tell how much of it is."""
        return same(token, self.token)

    @web.middleware
    async def middleware(self, request: web.Request, handler):
        """Refuse other pages' requests and other names of this computer; ask for the token."""
        if not self._is_own_name(request) or not _is_from_own_page(request):
            raise web.HTTPForbidden(text="This page can only be used by itself.", headers=_HEADERS)
        if self.token and not same(request.cookies.get(COOKIE, ""), self.cookie):
            return await self._admit(request)
        try:
            response = await handler(request)
        except web.HTTPException as response:
            response.headers.update(_HEADERS)
            raise
        if not response.prepared:
            response.headers.update(_HEADERS)
        return response

    def _is_own_name(self, request: web.Request) -> bool:
        # A foreign name that leads to this computer is a page of someone else that reaches for it.
        return bool(self.token) or (urlsplit(f"//{request.host}").hostname or "") in LOOPBACK

    async def _admit(self, request: web.Request) -> web.Response:
        if request.path != "/":
            raise web.HTTPUnauthorized(text="Open the page's first address and give the token.", headers=_HEADERS)
        given = request.query.get("token")
        if request.method == "POST":
            given = str((await request.post()).get("token", ""))
        if given is not None and self.knows(given):
            admitted = web.HTTPSeeOther("/", headers=_HEADERS)
            # Lax, not Strict: the address with the token may come by mail. What changes anything checks the origin.
            admitted.set_cookie(COOKIE, self.cookie, httponly=True, samesite="Lax", secure=request.secure)
            raise admitted
        status = 401 if given is None else 403
        text = "" if given is None else "That is not the token."
        return web.Response(status=status, text=form(text), content_type="text/html", headers=_HEADERS)


def same(given: str, right: str) -> bool:
    """Whether two texts are equal, in a time that does not tell where they differ; whatever was sent."""
    return hmac.compare_digest(given.encode(errors="surrogateescape"), right.encode(errors="surrogateescape"))


def _is_from_own_page(request: web.Request) -> bool:
    origin = request.headers.get("Origin")
    return origin is None or urlsplit(origin).netloc == request.host


def plain_page(title: str, body: str) -> str:
    """HTML of a page with a few words; `body` is HTML."""
    return (
        "<!doctype html><html lang='en'><meta charset='utf-8'><meta name='viewport' content='width=device-width'>"
        f"<title>{escape(title)}</title><style>body{{font-family:sans-serif;background:#111;color:#eee;display:grid;"
        "place-content:center;min-height:90vh;text-align:center;padding:16px}a{color:#8ab4f8}input,button{font-size:1rem;"
        f"padding:8px;margin:4px}}</style><h1>{escape(title)}</h1>{body}</html>"
    )


def form(problem: str) -> str:
    """The page that asks for the token."""
    return plain_page("Anatomical embedding", (
        f"<p>{escape(problem)}</p><form method='post' action='/'><label>Token "
        "<input name='token' type='password' autocomplete='current-password' autofocus></label>"
        "<button>Enter</button></form>"
    ))
