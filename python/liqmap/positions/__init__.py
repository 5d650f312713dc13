"""Positions: exact liquidation prices, observed positions, and the cohort engine for modelled ones.

- :mod:`liqmap.positions.margin`: liquidation and bankruptcy prices by each venue's formula and margin tiers.
- :mod:`liqmap.positions.single_position`: the price of one position, and the margin that moves it.
- :mod:`liqmap.positions.observed`: positions read from account snapshots, priced exactly.
- :mod:`liqmap.positions.liquidation_distance`: distance from entry to liquidation by leverage and tier.
- :mod:`liqmap.positions.engine`: the cohort engine, which estimates all other positions from market data.
"""
