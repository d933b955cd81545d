"""The structures that a radiology report mentions."""
