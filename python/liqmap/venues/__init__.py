"""Venues: one file per exchange, and the catalogue of what is known beforehand."""
