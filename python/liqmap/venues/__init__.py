"""Venues: one module per exchange, and the catalogue of bundled instruments and margin tiers."""
