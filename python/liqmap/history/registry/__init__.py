"""Append-only records in the history: issued maps and calibrations."""
