"""Altair charts of the scorecard: skill and reliability."""
