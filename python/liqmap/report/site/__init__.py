"""The site as a folder: issues, archive pages, assets, manifests and atomic writes."""
