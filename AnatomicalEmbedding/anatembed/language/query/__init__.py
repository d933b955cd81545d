"""Typed words to a structure and a place."""
