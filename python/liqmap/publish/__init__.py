"""Publish a site to a directory, a git branch or an object store."""
