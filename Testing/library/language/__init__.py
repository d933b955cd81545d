"""Tests of anatembed.language."""
