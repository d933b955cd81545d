"""Tests of research.evaluation."""
