"""Runs the module's own test inside the Slicer application and ends it with the outcome.

Slicer --no-splash --testing --additional-module-path AnatomicalEmbedding \\
    --python-script Testing/inside_slicer/run_in_slicer.py
"""

import sys
import traceback

import slicer

code = 1
try:
    slicer.util.selectModule("AnatomicalEmbedding")
    test = __import__("AnatomicalEmbedding").AnatomicalEmbeddingTest()
    test.runTest()
    code = 0
except Exception:
    traceback.print_exc(file=sys.stderr)
slicer.util.exit(code)
