"""Stress: how deep the book is, what forced flow does to the price, and how far a shock would go."""
