"""Altair charts of cascades: shock against stop price, and the chain of clusters."""
