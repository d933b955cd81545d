"""Makes the library and the phantoms importable from a clean clone."""

import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
for folder in (REPOSITORY / "AnatomicalEmbedding", REPOSITORY / "Testing"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
