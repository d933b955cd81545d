"""Commands that say what there is: info (of a map), terms (of the vocabulary and the model)."""

from pathlib import Path

from anatembed.geometry import bounds_ras, spacing_mm
from anatembed.language.vocabulary import Vocabulary
from anatembed.maps.embedding_map import EmbeddingMap
from anatembed.model.checkpoint import read_header
from anatembed.progress import NoProgress
from anatembed.serve import cli_output, documents
from anatembed.serve.commands.reply import Reply
from anatembed.serve.failures import DONE


def info(options, progress: NoProgress) -> Reply:
    """Say what a map is, and whether the model in use can read it."""
    embedding_map = EmbeddingMap.load(options.map)
    model = read_header(options.model).encoder_id
    document = {"map": str(options.map), **map_facts(embedding_map), "bytes": Path(options.map).stat().st_size}
    document |= {"model_in_use": model, "fits_the_model_in_use": model == embedding_map.encoder_id}
    return Reply(DONE, document, cli_output.info(document))


def map_facts(embedding_map: EmbeddingMap) -> dict:
    """Of what model, grid and scan a map is, as plain data."""
    low, high = bounds_ras(embedding_map.shape_kji, embedding_map.ijk_to_ras)
    return {
        "encoder_id": embedding_map.encoder_id,
        "shape_kji": list(embedding_map.shape_kji),
        "channels": int(embedding_map.features_ckji.shape[0]),
        "spacing_mm": [round(float(value), 4) for value in spacing_mm(embedding_map.ijk_to_ras)],
        "bounds_ras": [[round(float(value), 2) for value in corner] for corner in (low, high)],
        "source": embedding_map.source,
    }


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
