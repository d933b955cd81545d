"""Commands that are programs of their own: demo, mcp."""

from anatembed.progress import NoProgress
from anatembed.serve import cli_output
from anatembed.serve.commands.reply import Reply
from anatembed.serve.failures import DONE


def demo(options, progress: NoProgress) -> Reply:
    """Embed the bundled scan, ask six questions, draw the answers."""
    from anatembed.serve.demo import run_demo

    document = run_demo(options, progress)
    return Reply(DONE, document, cli_output.demo(document))


def mcp(options, progress: NoProgress) -> Reply:
    """Serve scans to a language model until its end of the connection is closed."""
    from anatembed.serve.allowed_folders import AllowedFolders
    from anatembed.serve.commands.opening import opener_of
    from anatembed.serve.scan_tools import ScanTools

    try:
        from anatembed.serve.mcp_server import build_server
    except ImportError as cause:
        raise ImportError(f'{cause}; install it with: pip install "mcp>=2.0"', name="mcp") from cause
    folders = AllowedFolders(options.folder, options.output)
    build_server(ScanTools(folders, opener_of(options, progress))).run()
    return Reply(DONE, None, [])
