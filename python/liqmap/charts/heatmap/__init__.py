"""The Altair chart of a heatmap: its layout, cells, rows, layers and table."""
