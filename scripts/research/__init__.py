"""Training, calibration and evaluation; nothing of it is shipped."""
