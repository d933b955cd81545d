"""Questions to an embedded scan, and their answers."""
