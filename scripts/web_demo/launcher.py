"""The address that visitors open: gives each a session of their own and passes on what belongs to it."""

import aiohttp
from aiohttp import web

from web_demo.gate import Gate, begin_form, html_page
from web_demo.proxy import pass_on
from web_demo.sessions import Full, Sessions

_BODY_BYTES = 4096
"""Largest body of a request, but for files that are opened: those are passed on as they come (see upload.py)."""
_PATH = "/session/{id}/{tail:.*}"


def launcher(gate: Gate, sessions: Sessions) -> web.Application:
    """The web application; its sessions begin and end with it. What changes anything is a POST or a web socket."""
    application = web.Application(middlewares=[gate.middleware], client_max_size=_BODY_BYTES)
    pages = _Pages(gate, sessions)
    application.add_routes([
        web.get("/", pages.first), web.post("/begin", pages.begin), web.get("/healthy", pages.healthy),
        web.get("/session/{id}", pages.with_slash), web.post("/session/{id}/paraview/", pages.socket_address),
        web.get(_PATH, pages.session), web.post(_PATH, pages.session),
    ])
    application.cleanup_ctx.append(pages.life)
    return application


class _Pages:
    def __init__(self, gate: Gate, sessions: Sessions) -> None:
        self._gate, self._sessions = gate, sessions
        self._client: aiohttp.ClientSession | None = None

    async def life(self, _application):
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=10)
        self._client = aiohttp.ClientSession(timeout=timeout, auto_decompress=True)
        self._sessions.begin()
        yield
        await self._sessions.end()
        await self._client.close()

    async def first(self, _request: web.Request) -> web.Response:
        """What the first address shows until a session has begun."""
        return web.Response(text=begin_form(), content_type="text/html")

    async def begin(self, request: web.Request) -> web.Response:
        """A new session, which belongs to the browser that asked for it."""
        try:
            session = await self._sessions.take()
        except Full as error:
            return html_page("All places are taken", f"<p>{error}</p><p><a href='/'>Try again</a></p>", 503)
        except RuntimeError as error:
            return html_page("The page cannot be started", f"<p>{error}</p>", 500)
        begun = web.HTTPSeeOther(f"/session/{session.id}/index.html")
        session.visitor = self._gate.welcome(request, begun)
        raise begun

    async def healthy(self, _request: web.Request) -> web.Response:
        return web.json_response({"visitors": self._sessions.count(), "places": self._sessions.places})

    async def with_slash(self, request: web.Request) -> web.Response:
        raise web.HTTPSeeOther(f"/session/{request.match_info['id']}/index.html")

    async def socket_address(self, request: web.Request) -> web.Response:
        """Where the page's own script finds its web socket."""
        scheme = "wss" if request.secure else "ws"
        return web.json_response({"sessionURL": f"{scheme}://USE_HOST/session/{request.match_info['id']}/ws"})

    async def session(self, request: web.Request) -> web.StreamResponse:
        """Whatever belongs to a session, for the browser that began it."""
        found = self._sessions.find(request.match_info["id"])
        if found is None or found.visitor != self._gate.visitor(request):
            return html_page("This session has ended", (
                "<p>What was opened in it has been deleted; or it belongs to another browser.</p>"
                "<p><a href='/'>Begin a new one</a></p>"
            ), 410)
        return await pass_on(request, found, request.match_info["tail"], self._client)

