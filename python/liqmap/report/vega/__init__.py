"""Charts drawn to static SVG at build time by Vega."""
