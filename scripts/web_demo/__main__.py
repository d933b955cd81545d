"""Opens the page: python -m web_demo [--port 8765] [--host ADDRESS [--token-file FILE]]

Without --host it is for this computer only. With --host others can reach it, and need a token: the first line of
--token-file, or the environment variable ANATEMBED_WEB_TOKEN; without both one is made up and printed.
"""

import argparse
import asyncio
import os
import secrets
import signal
import subprocess
import sys
from pathlib import Path

from aiohttp import web

from web_demo.connections import Connections, Guarded
from web_demo.gate import Gate
from web_demo.launcher import launcher
from web_demo.limits import Limits
from web_demo.private_folder import PrivateFolder
from web_demo.sessions import Sessions, environment

TOKEN_VARIABLE = "ANATEMBED_WEB_TOKEN"
_IDLE_SECONDS, _LAST_ANSWERS_SECONDS = 30.0, 3.0
_ROOT = Path(__file__).resolve().parents[2]


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="web_demo", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this computer only)")
    parser.add_argument("--port", type=int, default=8765)
    parser.add_argument("--token-file", type=Path, metavar="FILE", help="its first line is what visitors must know")
    parser.add_argument("--places", type=int, default=10, help="visitors at a time (default 10)")
    parser.add_argument("--keep-seconds", type=float, default=90.0, help="how long a session waits for its page")
    parser.add_argument("--upload-mb", type=float, default=1000.0, help="largest file that can be opened")
    kept = _ROOT / "out" / "web_demo"
    parser.add_argument("--kept", type=Path, default=kept, help="where the examples' maps are kept")
    parser.add_argument("--verbose", action="store_true", help="show what the visitors' processes write")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Until it is interrupted."""
    options = arguments().parse_args(argv)
    given = os.environ.pop(TOKEN_VARIABLE, "")  # not for the processes that are started from here
    try:
        token = options.token_file.read_text().partition("\n")[0].strip() if options.token_file else given
        local = Gate(options.host, "x" * 99).is_local()
        gate = Gate(options.host, token or ("" if local else secrets.token_urlsafe(24)))
    except (OSError, UnicodeDecodeError) as error:
        print(f"expected a text file with the token, {options.token_file} cannot be read: {error}", file=sys.stderr)
        return 2
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    options.kept.mkdir(parents=True, exist_ok=True)
    print("Embedding the example scans, if they are not yet", flush=True)
    log = None if options.verbose else subprocess.DEVNULL
    subprocess.run([sys.executable, "-m", "web_demo.examples", str(options.kept)], env=environment(), check=True,
                   stderr=log)
    os.umask(0o077)
    limits = Limits(upload_bytes=int(1e6 * options.upload_mb))
    with PrivateFolder() as folder:
        sessions = Sessions(folder, options.kept, options.places, options.keep_seconds, limits, log)
        print(_invitation(gate, options.port, is_known=bool(token)), flush=True)
        asyncio.run(serve(gate, sessions, options.host, options.port))
    return 0


async def serve(gate: Gate, sessions: Sessions, host: str, port: int, connections: Connections | None = None) -> None:
    """Serve the page until the program is told to end (SIGINT, SIGTERM) or the task is cancelled."""
    connections = connections or Connections()
    ended, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    application = launcher(gate, sessions)
    waits = {"keepalive_timeout": _IDLE_SECONDS, "shutdown_timeout": _LAST_ANSWERS_SECONDS}
    runner = web.AppRunner(application, access_log=None, **waits)
    await runner.setup()
    try:
        server = await loop.create_server(lambda: Guarded(runner.server, connections), host, port)
        await ended.wait()
        server.close()  # and no waiting for it: newer Pythons wait until the last page has gone
    finally:
        await runner.cleanup()


def _invitation(gate: Gate, port: int, is_known: bool) -> str:
    """What to open; the token is shown only where it was made up here."""
    name = f"[{gate.host}]" if ":" in gate.host else gate.host
    if not gate.token:
        return f"Open http://{name}:{port}/"
    return (
        f"Open http://{name}:{port}/{'' if is_known else f'?token={gate.token}'}\n"
        "Everybody who knows the token can use the page. It is not encrypted: over a network that you do not trust, "
        "put an HTTPS server in front of it, or use an SSH tunnel."
    )


if __name__ == "__main__":
    sys.exit(main())
