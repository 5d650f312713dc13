"""Sentences on the pages, made from the data of an issue."""
