"""Tests of research.training."""
