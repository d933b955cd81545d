"""Vertebrae and ribs counted along the spine: which level a place has, how surely, and from where it was counted."""
