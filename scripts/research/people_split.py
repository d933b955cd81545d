"""Who may be trained on and who is for evaluation: scripts/configs/split.json."""
import json
from pathlib import Path

SPLIT = Path(__file__).parents[1] / "configs" / "split.json"


def read_split() -> dict:
    """The split by person: {"evaluation": [beginnings of names], "evaluation_openkbp", "level_doubt", "note"}."""
    return json.loads(SPLIT.read_text(encoding="utf-8"))
