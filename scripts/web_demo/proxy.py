"""Passes a visitor's requests on to the visitor's own process, and its answers back."""

import asyncio

import aiohttp
from aiohttp import web

from web_demo.app_start import KEY_HEADER, UPLOAD_PATH
from web_demo.sessions import Session

_MESSAGE_BYTES = 16_000_000
_BODY_SECONDS = 20.0
"""The longest wait for more of a request's body."""
_NOT_PASSED_ON = {
    "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailers", "transfer-encoding",
    "upgrade", "host", "cookie", "origin", KEY_HEADER.lower(),
}
_TAKEN_OVER = b"This page was opened again elsewhere."


async def pass_on(
    request: web.Request, session: Session, tail: str, client: aiohttp.ClientSession
) -> web.StreamResponse:
    """The answer of the session's process to a request for `tail`."""
    url = f"http://127.0.0.1:{session.port}/{tail}"
    if request.headers.get("Upgrade", "").lower() == "websocket":
        return await _pass_messages(request, session, url, client)
    headers = {name: value for name, value in request.headers.items() if name.lower() not in _NOT_PASSED_ON}
    headers[KEY_HEADER] = session.key
    try:
        body = _as_it_comes(request) if tail == UPLOAD_PATH else await asyncio.wait_for(request.read(), _BODY_SECONDS)
    except TimeoutError as error:
        raise web.HTTPRequestTimeout(text="The request did not arrive in time.") from error
    try:
        async with client.request(
            request.method, url, params=request.query, headers=headers, data=body, allow_redirects=False,
        ) as answer:
            return await _pass_back(request, answer)
    except TimeoutError as error:
        raise web.HTTPRequestTimeout(text="The file did not arrive in time.") from error
    except aiohttp.ClientError as error:
        raise web.HTTPBadGateway(text="This page's process does not answer.") from error


async def _as_it_comes(request: web.Request):
    """The blocks of a body; TimeoutError when the next one does not come."""
    while block := await asyncio.wait_for(request.content.readany(), _BODY_SECONDS):
        yield block


async def _pass_back(request: web.Request, answer: aiohttp.ClientResponse) -> web.StreamResponse:
    left_out = {*_NOT_PASSED_ON, "content-encoding", "content-length", "set-cookie", "server", "date"}
    response = web.StreamResponse(status=answer.status)
    for name, value in answer.headers.items():
        if name.lower() not in left_out:
            response.headers[name] = value
    response.headers["Cache-Control"] = "no-store" if "html" in answer.content_type else "private, max-age=600"
    body = await answer.read()
    return web.Response(status=answer.status, headers=response.headers, body=body)


async def _pass_messages(request, session: Session, url: str, client) -> web.WebSocketResponse:
    page = web.WebSocketResponse(max_msg_size=_MESSAGE_BYTES, heartbeat=20, compress=False)
    await page.prepare(request)
    # One page at a time: reloading, or opening its address again, takes the session over.
    for earlier in list(session.sockets):
        await earlier.close(message=_TAKEN_OVER)
    session.sockets.add(page)
    try:
        async with client.ws_connect(
            url, headers={KEY_HEADER: session.key}, max_msg_size=_MESSAGE_BYTES, compress=0,
        ) as process:
            ways = [asyncio.create_task(_pump(page, process)), asyncio.create_task(_pump(process, page))]
            _done, pending = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in pending:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
    except aiohttp.ClientError:
        await page.close(message=b"This page's process does not answer.")
    finally:
        session.sockets.discard(page)
        await page.close()
    return page


async def _pump(source, target) -> None:
    async for message in source:
        if message.type is aiohttp.WSMsgType.TEXT:
            await target.send_str(message.data)
        elif message.type is aiohttp.WSMsgType.BINARY:
            await target.send_bytes(message.data)
