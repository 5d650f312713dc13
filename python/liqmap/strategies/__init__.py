"""What to do with a map: documented rules, each with its numbers, its source and its limits."""
