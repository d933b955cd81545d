"""How good the embedding is on scans that were never trained on, with trivial baselines beside it."""
