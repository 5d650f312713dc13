"""The cohort engine: inputs, recipes, calibration, runs with checkpoints, and the bar ledger.

Market bars and a recipe become engine bars (``inputs``); a run over them (``population``) gives modelled positions.
"""
