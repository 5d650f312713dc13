"""The Altair chart of the order book below a liquidation map."""
