"""Tracks: clusters followed through time, with the notional that was opened, closed or liquidated."""
