"""The address that visitors open: gives each a session of their own and passes on what belongs to it."""

import aiohttp
from aiohttp import web

from web_demo.gate import Gate, plain_page
from web_demo.limits import Limits
from web_demo.proxy import pass_on
from web_demo.sessions import Full, Sessions

_MORE_THAN_THE_FILE = 1_000_000
_PATH = "/session/{id}/{tail:.*}"


def launcher(gate: Gate, sessions: Sessions, limits: Limits) -> web.Application:
    """The web application; its sessions begin and end with it."""
    application = web.Application(
        middlewares=[gate.middleware], client_max_size=limits.upload_bytes + _MORE_THAN_THE_FILE
    )
    pages = _Pages(sessions)
    application.add_routes([
        web.get("/", pages.begin), web.get("/healthy", pages.healthy), web.get("/session/{id}", pages.with_slash),
        web.post("/session/{id}/paraview/", pages.socket_address), web.route("*", _PATH, pages.session),
    ])
    application.cleanup_ctx.append(pages.life)
    return application


class _Pages:
    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._client: aiohttp.ClientSession | None = None

    async def life(self, _application):
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=10)
        self._client = aiohttp.ClientSession(timeout=timeout, auto_decompress=True)
        self._sessions.begin()
        yield
        await self._sessions.end()
        await self._client.close()

    async def begin(self, _request: web.Request) -> web.Response:
        """A new session for whoever opens the first address."""
        try:
            session = await self._sessions.take()
        except Full as error:
            return _page(503, "All places are taken", f"<p>{error}</p><p><a href='/'>Try again</a></p>")
        except RuntimeError as error:
            return _page(500, "The page cannot be started", f"<p>{error}</p>")
        raise web.HTTPSeeOther(f"/session/{session.id}/index.html")

    async def healthy(self, _request: web.Request) -> web.Response:
        return web.json_response({"visitors": self._sessions.count(), "places": self._sessions.places})

    async def with_slash(self, request: web.Request) -> web.Response:
        raise web.HTTPSeeOther(f"/session/{request.match_info['id']}/index.html")

    async def socket_address(self, request: web.Request) -> web.Response:
        """Where the page's own script finds its web socket."""
        scheme = "wss" if request.secure else "ws"
        return web.json_response({"sessionURL": f"{scheme}://USE_HOST/session/{request.match_info['id']}/ws"})

    async def session(self, request: web.Request) -> web.StreamResponse:
        """Whatever belongs to a session."""
        found = self._sessions.find(request.match_info["id"])
        if found is None:
            return _page(410, "This session has ended", (
                "<p>What was opened in it has been deleted.</p><p><a href='/'>Begin a new one</a></p>"
            ))
        return await pass_on(request, found, request.match_info["tail"], self._client)


def _page(status: int, title: str, body: str) -> web.Response:
    return web.Response(status=status, text=plain_page(title, body), content_type="text/html")
