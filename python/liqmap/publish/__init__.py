"""From a site on this disk to where people read it: checked, trimmed, wholly old or wholly new."""
