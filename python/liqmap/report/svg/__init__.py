"""Small drawings written as SVG by hand: thumbnails, strips, calendars, social cards."""
