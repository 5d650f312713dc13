"""The cohort engine: its inputs, recipes, calibration, checkpoints and ledger."""
