"""One visitor's page: a scene, the module's Logic and a web server of their own, started by the launcher.

The argument is its private folder, deleted at the end. The first line of standard input is JSON (see app_start.py);
when standard input ends, so does this process.
The first line of standard output is {"port": ...}.
"""

import asyncio
import json
import os
import resource
import shutil
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import slicer
from aiohttp import web
from anatembed.ask.explorer import Explorer
from anatembed.maps.cache import MapCache
from anatembed.model.store import ModelStore
from AnatomicalEmbeddingLib.Logic import Logic
from trame.app import get_server
from trame_slicer.core import SlicerApp

from web_demo.app_start import KEY_HEADER, UPLOAD_PATH, Start
from web_demo.background import QueuedWorker, Slot
from web_demo.border_logic import BorderLogic
from web_demo.compare_logic import CompareLogic
from web_demo.find_logic import FindLogic
from web_demo.gate import same
from web_demo.here_logic import HereLogic
from web_demo.limits import Limits
from web_demo.page import build_page
from web_demo.report_logic import ReportLogic
from web_demo.scan_logic import ScanLogic
from web_demo.show_logic import ShowLogic
from web_demo.take_logic import TakeLogic
from web_demo.upload import Upload
from web_demo.views import DISTANCE_TOOL, WINDOW_TOOL, Views
from web_demo.windowing import Windowing

_IDLE_SECONDS = 0.02
_REMOVALS, _BETWEEN_REMOVALS_SECONDS = 50, 0.1


class WebDemo:
    """The page of one visitor; `folder` has the folders maps, models, uploads and work."""

    def __init__(self, server, folder: Path, slot: Path, limits: Limits) -> None:
        self.is_ready = False
        self.server, self.state = server, server.state
        self.folder = folder
        for name in ("maps", "uploads", "work"):
            (folder / name).mkdir(exist_ok=True)
        for name, value in {"message": "", "message_problem": False, "theme": "dark", "upload_percent": -1,
                            "embedded": False, "working": False}.items():
            self.state.setdefault(name, value)
        self.app = SlicerApp()
        self.scene = slicer.mrmlScene = self.app.scene
        self.scene.RegisterNodeClass(slicer.vtkMRMLColorLegendDisplayNode())
        self._slot = slot
        models, cache = ModelStore(folder / "models"), MapCache(folder / "maps")
        self.logic = Logic(self.scene, self._make_worker, models, cache, self._explore, _soon)
        self._is_warm = False
        self.readout = self.colours = None
        self.views = Views(self.app, server)
        self.windowing = Windowing(self.state, self._all_scans, self.views.draw)
        self.state.change("tool")(self._on_tool)
        self._on_tool()
        self.scans = ScanLogic(self, limits, slot.parent)
        self.find, self.overlay = FindLogic(self), ShowLogic(self)
        self.here, self.compare, self.border = HereLogic(self), CompareLogic(self), BorderLogic(self)
        self.report, self.take = ReportLogic(self), TakeLogic(self)
        self._sections = [
            self.scans, self.find, self.overlay, self.here, self.compare, self.border, self.report,
            self.take,
        ]
        self.upload = Upload(folder / "uploads", limits, self.scans.received)
        self.page = build_page(self)
        # Names by which the page's script and the benchmarks' programs call.
        for name, command in {"find": self.find.find, "show": self.overlay.show, "remove": self.scans.remove,
                              "embed": self.scans.embed_or_cancel, "scroll": self.views.scroll,
                              "alone": self.views.toggle_alone, "here": self.take.here,
                              "go_to": self.take.go_to, "kept_csv": self.take.kept_csv,
                              "kept_markups": self.take.kept_markups, "structures_csv": self.take.structures_csv,
                              "structures_markups": self.take.structures_markups, "figure": self.take.figure}.items():
            server.trigger(name)(command)
        self.scans.begin()
        self.is_ready = True
        self.refresh()

    def tell(self, text: str, problem: bool = False) -> None:
        """Show a sentence; an empty one takes the last away."""
        self.state.message, self.state.message_problem = text, problem

    def refresh(self) -> None:
        """Bring every section up to date."""
        if self.is_ready:
            for section in self._sections:
                section.refresh()
            self.views.draw()

    @contextmanager
    def busy(self):
        """While something is done that the page waits for; changes of the page are sent at its end."""
        with self.state:
            yield

    def _all_scans(self) -> list:
        return self.scans.all() if self.is_ready else []

    def _on_tool(self, **_state) -> None:
        tools = {WINDOW_TOOL: self.windowing, DISTANCE_TOOL: self.views.distances}
        self.views.pointer.tool = tools[self.state.tool]

    def _explore(self, embedding_map, checkpoint) -> Explorer:
        explorer = Explorer(embedding_map, checkpoint)
        self.readout = checkpoint.readout
        if not self._is_warm:  # the first question reads word lists: better now than when somebody waits
            self._is_warm = bool(explorer.locate("liver"))
        return explorer

    def _make_worker(self, on_progress, on_ended) -> QueuedWorker:
        work = self.folder / "work"
        return QueuedWorker(on_progress, on_ended, Slot(self._slot), folder=lambda: work)


def _soon(function) -> None:
    asyncio.get_running_loop().call_later(_IDLE_SECONDS, function)


def guard(key: str):
    """A middleware that lets only requests of the launcher pass: other users of this computer have not the key."""

    @web.middleware
    async def middleware(request: web.Request, handler):
        if not same(request.headers.get(KEY_HEADER, ""), key):
            raise web.HTTPForbidden(text="This page is reached through its launcher.")
        return await handler(request)

    return middleware


async def serve(folder: Path, start: Start) -> None:
    """Until the process is ended."""
    server = get_server(client_type="vue3")
    demo = WebDemo(server, folder, Path(start.slot), Limits(**start.limits))

    @server.controller.add("on_server_bind")
    def bind(wslink_server) -> None:
        wslink_server.app.middlewares.append(guard(start.key))
        wslink_server.app.router.add_post(f"/{UPLOAD_PATH}", demo.upload.handle)

    @server.controller.add("on_server_ready")
    def ready(**_state) -> None:
        print(json.dumps({"port": server.port}), flush=True)

    await server.start(
        port=0, host="127.0.0.1", exec_mode="coroutine", open_browser=False, show_connection_info=False,
        disable_logging=True, timeout=0, backend="aiohttp",
    )


def _end_with_the_launcher(folder: Path) -> None:
    """Standard input ends when the launcher does, however it ends."""
    while sys.stdin.readline():
        continue
    remove(folder)
    os._exit(0)


def remove(folder: Path) -> None:
    """Delete a folder in which the rest of the process may still be making files."""
    for _ in range(_REMOVALS):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(_BETWEEN_REMOVALS_SECONDS)


def main() -> None:
    """Serve one visitor, whose folder is the argument; standard input says the rest."""
    folder = Path(sys.argv.pop())  # trame reads them too
    first = sys.stdin.readline()
    if not first:  # the launcher ended before it could write
        remove(folder)
        return
    start = Start(**json.loads(first))
    bound = Limits(**start.limits).visitor_bytes
    resource.setrlimit(resource.RLIMIT_DATA, (bound, bound))
    os.environ["TMPDIR"] = str(folder / "work")
    threading.Thread(target=_end_with_the_launcher, args=(folder,), daemon=True).start()
    asyncio.run(serve(folder, start))


if __name__ == "__main__":
    main()
