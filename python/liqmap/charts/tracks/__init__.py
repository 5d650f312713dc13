"""The Altair chart of cluster tracks."""
