"""Takes a file from the browser into the session's private folder, not one byte more than allowed."""

import asyncio
import itertools
import json
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

from aiohttp import web

from web_demo.limits import Limits
from web_demo.open_file import KINDS, suffix_of
from web_demo.words import size

NAME_HEADER = "X-File-Name"
_NAME_CHARACTERS = 80


class Upload:
    """The address `upload` of a session's server; `received(path, name)` is called with each complete file."""

    def __init__(self, folder: Path, limits: Limits, received: Callable) -> None:
        self._folder, self._limits, self._received = folder, limits, received
        self._numbers = itertools.count(1)
        self._busy = asyncio.Lock()

    async def handle(self, request: web.Request) -> web.Response:
        """Answer with {"name"} or, in the user's words, {"problem"}."""
        name = shown_name(request.headers.get(NAME_HEADER, ""))
        suffix = suffix_of(name)
        if suffix is None:
            return _problem(415, f'"{name}" is none of the files that can be opened: {", ".join(KINDS)}.')
        if self._busy.locked():
            return _problem(409, "Another file is being sent. Wait until it is there.")
        async with self._busy:
            path = self._folder / f"{next(self._numbers)}{suffix}"
            try:
                await self._save(request, path)
            except ValueError as error:
                path.unlink(missing_ok=True)
                return _problem(413, str(error))
            except (OSError, asyncio.CancelledError):
                path.unlink(missing_ok=True)
                raise
        self._received(path, name)
        return web.json_response({"name": name})

    async def _save(self, request: web.Request, path: Path) -> None:
        limit = self._limits.upload_bytes
        too_large = f"The file is too large for this page: at most {size(limit)}."
        if (request.content_length or 0) > limit:
            raise ValueError(too_large)
        written = 0
        with path.open("wb") as file:
            async for block in request.content.iter_chunked(1 << 18):
                written += len(block)
                if written > limit:
                    raise ValueError(too_large)
                file.write(block)
        if written == 0:
            raise ValueError("The file is empty.")


def shown_name(header: str) -> str:
    """A file name for people, from the header: without folders, control characters and much length."""
    name = re.split(r"[/\\]", unquote(header))[-1]
    name = "".join(one for one in name if one.isprintable()).strip() or "scan"
    return name if len(name) <= _NAME_CHARACTERS else f"{name[:20]}…{name[-(_NAME_CHARACTERS - 21):]}"


def _problem(status: int, text: str) -> web.Response:
    return web.Response(status=status, text=json.dumps({"problem": text}), content_type="application/json")
