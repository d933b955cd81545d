"""Tests of anatembed.training."""
