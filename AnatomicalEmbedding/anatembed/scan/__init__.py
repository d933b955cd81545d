"""A file or folder to a Volume."""
