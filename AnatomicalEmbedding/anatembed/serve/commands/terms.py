"""The command terms: the structures that are understood, and those that the model has learnt."""

from anatembed.language.vocabulary import Vocabulary
from anatembed.model.checkpoint import read_header
from anatembed.progress import NoProgress
from anatembed.serve import cli_output, documents
from anatembed.serve.commands.reply import Reply
from anatembed.serve.failures import DONE


def terms(options, progress: NoProgress) -> Reply:
    """List the structures that are understood, and those that the model has learnt."""
    vocabulary = Vocabulary.load()
    learnt = set(read_header(options.model).concept_ids)
    wanted = options.filter.casefold()
    rows = [
        {**documents.structure_document(term.id, vocabulary), "learnt": term.id in learnt}
        for term in vocabulary.terms
        if any(wanted in text.casefold() for text in (term.id, term.preferred, *(one.text for one in term.synonyms)))
        and (term.id in learnt or not options.learnt)
    ]
    document = {"terms": rows, "understood": len(rows), "learnt": sum(row["learnt"] for row in rows)}
    return Reply(DONE, document, cli_output.terms(document))
