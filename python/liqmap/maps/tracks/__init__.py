"""Clusters followed through time, with the mass that was opened, closed or liquidated."""
