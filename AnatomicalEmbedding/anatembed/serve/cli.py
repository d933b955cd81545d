"""The command line: `anatembed COMMAND ...`, also `python -m anatembed`.

Exit codes: 0 done or found; 2 bad input; 3 understood, but not in this scan or not learnt; 4 not understood, or a
finding; 5 the memory does not suffice; 6 one of several has to be chosen; 130 interrupted. Results go to standard
output, errors (one sentence) and progress to standard error, as are warnings (a sentence each; in JSON also a list
"warnings" where there are any). With --progress json they are JSON lines, {"warning"}, and an error is one before its
sentence, {"reason", "error"}: reason is "memory" (with "device"), "package" (with "package"), "disk" (full) or "input".
"""

import argparse
import importlib
import json
import os
import re
import sys
import warnings
from typing import NoReturn

from anatembed.progress import progress_on
from anatembed.serve import failures

COMMANDS = {
    "embed": "embedding",
    "locate": "questions",
    "report": "questions",
    "resolve": "resolve",
    "describe": "questions",
    "overlay": "drawing",
    "terms": "facts",
    "info": "facts",
    "device": "embedding",
    "mcp": "programs",
    "demo": "programs",
}
"""The file in `commands` that has a function of the command's name; it is imported for that command only, so that
--help and mistakes in the options are answered at once, and no command pays for what another one needs."""
_NEGATIVE = re.compile(r"-(\d|\.\d|inf|nan)", re.IGNORECASE)


class UsageError(Exception):
    """The command line cannot be understood."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (see {self.prog} --help)")


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit code is returned, never raised (except by --help)."""
    progress = None
    try:
        options = parser().parse_args(_unambiguous(sys.argv[1:] if arguments is None else arguments))
        progress = progress_on(sys.stderr, options.progress)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            code = _run(options, progress)
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        _drop_output()
        return failures.PIPE_CLOSED
    except KeyboardInterrupt:
        return _fail("interrupted", failures.INTERRUPTED, progress)
    except (UsageError, *failures.EXPECTED) as error:
        sentence = failures.sentence(error)
        if progress is not None:
            progress.failed(sentence=sentence, **failures.reason(error))
        code = _fail(sentence, failures.exit_code(error), progress)
        if isinstance(error, OSError):
            _drop_output()
        return code


def _run(options: argparse.Namespace, progress) -> int:
    module = importlib.import_module(f"anatembed.serve.commands.{COMMANDS[options.command]}")
    reply = getattr(module, options.command)(options, progress)
    progress.close()
    warnings = {"warnings": list(progress.warnings)} if progress.warnings else {}
    if options.progress != "json":  # there they have been written already
        for one in progress.warnings:
            print(f"anatembed: {one}", file=sys.stderr)
    if options.json and reply.document is not None:
        print(json.dumps({**reply.document, **warnings}, ensure_ascii=False))
    else:
        for line in reply.lines:
            print(line, flush=reply.document is None)
    return reply.code


def parser() -> argparse.ArgumentParser:
    """The parser of all commands; `command` is one of COMMANDS."""
    top = _Parser(prog="anatembed", description="Embed a CT once, then find structures in it and name places in it.")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    embed = _command(commands, "embed", "embed a scan and save the map")
    embed.add_argument("scan", metavar="SCAN", help="image file, DICOM folder, or a ZIP of one")
    embed.add_argument("-o", "--output", metavar="MAP", required=True, help="where to write the map (.npz)")
    _embedding_options(embed)

    locate = _command(commands, "locate", "find a structure by its name")
    _scan_or_map(locate)
    locate.add_argument("text", help="name, synonym or abbreviation, such as “left kidney”")
    _count(locate)

    report = _command(commands, "report", "find everything that a report mentions, and the slices that show it")
    _scan_or_map(report)
    report.add_argument("report", metavar="REPORT", help="text file of an English report (or - for standard input)")
    report.add_argument("-k", type=_positive, default=5, help="how many slices at most (%(default)s)")

    resolve = _command(commands, "resolve", "say which structure a text means, without a scan")
    resolve.add_argument("text", nargs="?", help="what to resolve")
    resolve.add_argument("--batch", metavar="FILE", help="file of one question a line (or -), answers are JSON lines")

    describe = _command(commands, "describe", "name the structures at a place")
    _scan_or_map(describe)
    describe.add_argument("--ras", nargs=3, type=float, required=True, metavar=("R", "A", "S"), help="position in mm")
    _count(describe)

    overlay = _command(commands, "overlay", "write the colours, or where a structure is, as a picture or a volume")
    _scan_or_map(overlay)
    shown = overlay.add_mutually_exclusive_group()
    shown.add_argument("--query", metavar="TEXT", help="a structure; without it, the colours of body places")
    shown.add_argument("--uncertainty", action="store_true", help="how unsure the name of every place is, 0 to 1")
    overlay.add_argument("-o", "--output", metavar="OUT", required=True, help="OUT.png or OUT.nii.gz")

    terms = _command(commands, "terms", "list the structures that are understood and those that the model has learnt")
    terms.add_argument("filter", nargs="?", default="", help="part of a name, synonym or id")
    terms.add_argument("--learnt", action="store_true", help="only what the model has learnt")
    _model(terms)

    info = _command(commands, "info", "say what a map is")
    info.add_argument("map", metavar="MAP")
    _model(info)

    device = _command(commands, "device", "say what would embed, whether it works, and how long a scan would take")
    device.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"), default="auto")
    device.add_argument("--shape", nargs=3, type=_positive, metavar=("K", "J", "I"), help="voxels of the scan")
    device.add_argument("--spacing", nargs=3, type=float, metavar=("X", "Y", "Z"), help="voxel of the scan in mm")
    _model(device)

    server = _command(commands, "mcp", "serve scans to a language model (Model Context Protocol over standard streams)")
    server.add_argument("--folder", metavar="DIR", action="append", required=True, help="what may be used; repeatable")
    server.add_argument("--output", metavar="DIR", help="the only folder to write to (default: every --folder)")
    server.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"), default="auto")
    _cache(server)
    _model(server)

    demo = _command(commands, "demo", "embed the bundled scan, ask six questions, draw the answers")
    demo.add_argument("--out", metavar="DIR", default="anatembed-demo", help="folder for the pictures (%(default)s)")
    _embedding_options(demo)
    return top


def _command(commands, name: str, help_text: str) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=help_text, description=help_text[0].upper() + help_text[1:] + ".")
    command.add_argument("--json", action="store_true", help="one JSON document instead of text")
    command.add_argument(
        "--progress",
        choices=("bar", "json", "none"),
        help="progress on standard error (alone: bar; default: bar on a terminal)",
    )
    return command


def _scan_or_map(command) -> None:
    what = "image file, DICOM folder, a ZIP of one, or a map made by embed"
    command.add_argument("scan", metavar="SCAN_OR_MAP", help=what)
    _embedding_options(command)


def _embedding_options(command) -> None:
    command.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"), default="auto")
    command.add_argument("--force", action="store_true", help="go on although the scan does not look like a CT")
    _cache(command)
    _model(command)


def _cache(command) -> None:
    kept = command.add_mutually_exclusive_group()
    kept.add_argument("--cache", metavar="DIR", help="keep maps there and not in the user's cache")
    kept.add_argument("--no-cache", action="store_true", help="keep no map and use none")


def _model(command) -> None:
    command.add_argument("--model", metavar="FILE", help="another model than the one that is shipped")


def _count(command) -> None:
    command.add_argument("-k", type=_positive, default=5, help="how many answers at most (%(default)s)")


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 on, got {text!r}")
    return int(text)


def _unambiguous(arguments: list[str]) -> list[str]:
    """`--progress` alone becomes `--progress=bar`, and the numbers after --ras may be negative in any notation."""
    result = list(arguments)
    for place, word in enumerate(arguments):
        following = arguments[place + 1 : place + 4]
        if word == "--progress" and following[:1] not in (["bar"], ["json"], ["none"]):
            result[place] = "--progress=bar"
        if word == "--ras":
            # A word that begins with a space is never taken for an option, and float() ignores the space.
            result[place + 1 : place + 4] = [f" {one}" if _NEGATIVE.match(one) else one for one in following]
    return result


def _fail(sentence: str, code: int, progress) -> int:
    if progress is not None:
        progress.close()
    print(f"anatembed: {sentence}", file=sys.stderr)
    return code


def _drop_output() -> None:
    """What could not be written is not tried again when Python ends."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
