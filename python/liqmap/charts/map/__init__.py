"""The Altair chart of a liquidation map: its layout, rows, layers and labels."""
