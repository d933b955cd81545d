"""Opens the page: python -m web_demo [--port 8765] [--host ADDRESS [--token WORDS]]

Without --host it is for this computer only. With --host others can reach it, and need the token that is printed.
"""

import argparse
import os
import secrets
import subprocess
import sys
import tempfile
from pathlib import Path

from aiohttp import web

from web_demo.gate import Gate
from web_demo.launcher import launcher
from web_demo.limits import Limits
from web_demo.sessions import Sessions, environment

_ROOT = Path(__file__).resolve().parents[2]


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="web_demo", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this computer only)")
    parser.add_argument("--port", type=int, default=8765)
    parser.add_argument("--token", default="", help="what visitors must know; made up if --host is given without it")
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
    limits = Limits(upload_bytes=int(1e6 * options.upload_mb))
    local = Gate(options.host, "x" * 99).is_local()
    try:
        gate = Gate(options.host, options.token or ("" if local else secrets.token_urlsafe(24)))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    options.kept.mkdir(parents=True, exist_ok=True)
    print("Embedding the example scans, if they are not yet", flush=True)
    log = None if options.verbose else subprocess.DEVNULL
    subprocess.run([sys.executable, "-m", "web_demo.examples", str(options.kept)], env=environment(), check=True,
                   stderr=log)
    folder = Path(tempfile.mkdtemp(prefix="anatembed-web-"))
    sessions = Sessions(folder, options.kept, options.places, options.keep_seconds, limits, log)
    print(_invitation(gate, options.port), flush=True)
    os.umask(0o077)
    web.run_app(launcher(gate, sessions, limits), host=options.host, port=options.port, print=None, access_log=None)
    return 0


def _invitation(gate: Gate, port: int) -> str:
    name = f"[{gate.host}]" if ":" in gate.host else gate.host
    if not gate.token:
        return f"Open http://{name}:{port}/"
    return (
        f"Open http://{name}:{port}/?token={gate.token}\n"
        "Everybody who knows this address can use the page. It is not encrypted: over a network that you do not trust, "
        "put an HTTPS server in front of it, or use an SSH tunnel."
    )


if __name__ == "__main__":
    sys.exit(main())
