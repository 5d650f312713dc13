"""Altair charts, with the theme, palette, number expressions and caches that they share."""
