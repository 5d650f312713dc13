"""Scores of predictions and map snapshots against realised liquidations, relative to baselines and placebos."""
