"""Tests of anatembed.evaluation."""
