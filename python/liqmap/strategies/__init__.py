"""Strategy rules on a liquidation map, each documented with its numbers, source and assumptions."""
