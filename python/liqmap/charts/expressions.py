"""Vega expressions that format numbers, shared by the charts.

Vega writes k and G for a thousand and a thousand million; readers of markets write K and B. The price format reads the
chart's parameter ``digits``, the distance its parameter ``mark``.
"""

from __future__ import annotations

__all__ = ["distance", "percent", "price", "price_and_distance", "usd"]


def usd(value: str, figures: int = 3) -> str:
    """USD with the given number of significant figures.

    Example:
        >>> usd("datum.value")
        "replace(replace(format(datum.value, '$.3~s'), 'G', 'B'), 'k', 'K')"
    """
    return f"replace(replace(format({value}, '$.{figures}~s'), 'G', 'B'), 'k', 'K')"


def price(value: str) -> str:
    """A price with the decimals of the chart's parameter ``digits``."""
    return f"format({value}, ',.' + digits + 'f')"


def percent(fraction: str) -> str:
    """A signed fraction as a percentage, with up to two significant decimals; 0 without a sign."""
    return f"({fraction} ? format(100 * ({fraction}), '+.2~f') : '0') + ' %'"


def distance(value: str) -> str:
    """Distance of a price from the mark as a signed percentage with one decimal."""
    return f"format(100 * ({value} / mark - 1), '+.1f') + ' %'"


def price_and_distance() -> str:
    """Axis label of two lines: the price and its distance from the mark."""
    return f"[{price('datum.value')}, {percent('datum.value / mark - 1')}]"
