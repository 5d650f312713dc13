"""Liquidation maps: liquidation levels binned by price, side and leverage bracket, as of one time.

:mod:`~liqmap.maps.build` computes the :class:`~liqmap.maps.map.LiquidationMap` of an instrument from a history,
:mod:`~liqmap.maps.build_market` that of a market. :mod:`~liqmap.maps.clusters` finds its clusters,
:mod:`~liqmap.maps.uncertainty` its uncertainty range, :mod:`~liqmap.maps.heatmap` computes maps through time, and
:mod:`~liqmap.maps.tracks` follows clusters through time. :mod:`~liqmap.maps.map_registry` records issued maps.
"""
