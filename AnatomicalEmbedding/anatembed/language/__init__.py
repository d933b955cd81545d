"""From typed words to a structure, a side and a place; no scan and no torch."""
