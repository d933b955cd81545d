"""The command overlay: colours and likelihoods as a picture or a volume."""

from pathlib import Path

from anatembed.output_file import check_output, replacing
from anatembed.progress import NoProgress
from anatembed.serve import cli_output, overlay_volume
from anatembed.serve.commands.opening import open_explorer
from anatembed.serve.commands.reply import Reply, exit_code
from anatembed.serve.documents import answer_document
from anatembed.serve.failures import DONE


def overlay(options, progress: NoProgress) -> Reply:
    """Write the colours, where a structure is, or how unsure the names are, as a picture or a volume; nothing is
    written for what is refused or has to be chosen."""
    output = check_output(options.output, (".png", ".nii.gz"), inputs=(options.scan,))
    explorer, volume = open_explorer(options, progress)
    probability = answer = told = None
    if options.query is not None:
        probability, answer = explorer.probability(options.query)
        told = answer_document(answer, explorer.vocabulary)
        if not answer.places:
            return Reply(exit_code(told), {"output": None, "answer": told}, cli_output.answer(told))
    progress("Drawing", 0.97)
    if output.name.lower().endswith(".png"):
        _write_picture(explorer, volume, options, answer, probability, output)
    elif options.uncertainty:
        overlay_volume.write_probability(explorer.index.uncertainty_kji(), explorer.map.ijk_to_ras, output)
    elif probability is None:
        overlay_volume.write_colours(explorer.colours_kji(), explorer.map.ijk_to_ras, output)
    else:
        overlay_volume.write_probability(probability, explorer.map.ijk_to_ras, output)
    return Reply(DONE, {"output": str(output), "answer": told}, [f"written: {output}"])


def _write_picture(explorer, volume, options, answer, probability, output: Path) -> None:
    from anatembed.serve import pictures  # here, because a volume needs no Pillow

    under = pictures.backdrop(explorer, volume, is_ct=not options.force)
    if answer is not None:
        image = pictures.answer_picture(under, answer, probability)
    else:
        image = pictures.uncertainty_overview(under) if options.uncertainty else pictures.overview(under)
    with replacing(output) as temporary:
        image.save(temporary, format="PNG")
