"""Commands that ask one scan: locate, describe, report."""

from anatembed.ask.report import read_report
from anatembed.progress import NoProgress, part_of
from anatembed.serve import cli_output, documents
from anatembed.serve.commands.opening import open_explorer
from anatembed.serve.commands.reply import Reply, exit_code
from anatembed.serve.failures import DONE, NOT_HERE, NOT_UNDERSTOOD
from anatembed.serve.report_file import read_report_file


def locate(options, progress: NoProgress) -> Reply:
    """Find a structure by its name."""
    explorer, _ = open_explorer(options, progress)
    answer = explorer.locate(options.text, options.k)
    document = documents.answer_document(answer, explorer.vocabulary)
    return Reply(exit_code(document), document, cli_output.answer(document))


def describe(options, progress: NoProgress) -> Reply:
    """Name the structures at a place."""
    explorer, _ = open_explorer(options, progress)
    description = explorer.describe(options.ras, options.k)
    document = documents.description_document(description, options.ras, explorer.vocabulary)
    return Reply(DONE, document, cli_output.description(document))


def report(options, progress: NoProgress) -> Reply:
    """Find everything that a report mentions, and the slices that show it."""
    text = read_report_file(options.report)
    explorer, volume = open_explorer(options, progress)
    reading = read_report(explorer, text, options.k, part_of(progress, 0.9, 0.99))
    document = documents.reading_document(reading, explorer, volume)
    code = DONE if any(read.found for read in reading.mentions) else NOT_HERE if reading.mentions else NOT_UNDERSTOOD
    return Reply(code, document, cli_output.report(document))
