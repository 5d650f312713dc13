"""From a file to committed rows: detect, map, stage, validate, deduplicate, commit."""
