"""Anatomical embeddings of CT: read a scan, embed it once, then ask it for structures by name or place."""
