"""Foundations that every other package uses: errors, timestamps, the price grid, instruments, number formats."""
