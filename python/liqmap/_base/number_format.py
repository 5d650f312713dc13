"""Number formats: ``$1.2M``, ``77,412``, ``−2.3 %``; minus sign U+2212, narrow space before %, no exponents."""

from __future__ import annotations

import math

__all__ = [
    "MINUS",
    "NARROW_SPACE",
    "coin",
    "decimals",
    "leverage",
    "percent",
    "price",
    "price_range",
    "share",
    "signed_usd",
    "usd",
]

MINUS = "−"
NARROW_SPACE = "\N{NARROW NO-BREAK SPACE}"
_UNITS = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K"))


def usd(value: float) -> str:
    """Format US dollars with two or three significant digits, for comparison rather than accounting.

    Example:
        >>> usd(1_234_567), usd(24.3e6), usd(241e6), usd(999_950_000), usd(1.84e9), usd(-5e3), usd(0)
        ('$1.2M', '$24M', '$241M', '$1.00B', '$1.84B', '−$5.0K', '$0')
    """
    return _sign(value) + "$" + _abbreviate(abs(value))


def signed_usd(value: float) -> str:
    """Format a change in US dollars with its sign.

    Example:
        >>> signed_usd(64e6), signed_usd(-38e6), signed_usd(0)
        ('+$64M', '−$38M', '$0')
    """
    text = usd(value)
    return f"+{text}" if value > 0 and text != "$0" else text


def coin(value: float, unit: str = "") -> str:
    """Format an amount of coin with thousands separators and four significant digits.

    Example:
        >>> coin(101_234.56, "BTC"), coin(12.3456), coin(-0.5)
        ('101,235 BTC', '12.35', '−0.5')
    """
    size = abs(value)
    decimals = 0 if size >= 1000 or size == 0 else min(8, 3 - math.floor(math.log10(size)))  # noqa: PLR2004
    text = f"{size:,.{decimals}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return _sign(value) + text + (f" {unit}" if unit else "")


def price(value: float, tick: float | None = None) -> str:
    """Format a price with about five significant digits, and no more decimals than its tick has.

    Example:
        >>> price(77_412.3, 0.1), price(1.23456, 0.0001), price(0.00001234)
        ('77,412', '1.2346', '0.00001234')
    """
    if value == 0:
        return "0"
    text = f"{abs(value):,.{decimals(value, tick)}f}"
    if tick is None and "." in text:
        text = text.rstrip("0").rstrip(".")
    return _sign(value) + text


def decimals(value: float, tick: float | None = None) -> int:
    """Return the number of decimals that gives a price about five significant digits, at most those of its tick.

    Example:
        >>> decimals(77_412.3, 0.1), decimals(123.456, 0.01), decimals(1.5, 0.1)
        (0, 2, 1)
    """
    places = max(0, 4 - math.floor(math.log10(abs(value))))
    return places if tick is None else min(places, max(0, math.ceil(-math.log10(tick) - 1e-9)))


def price_range(low: float, high: float, tick: float | None = None) -> str:
    """Format two prices with an en dash.

    Example:
        >>> price_range(79_000, 79_600, 0.1)
        '79,000–79,600'
    """
    return f"{price(low, tick)}–{price(high, tick)}"


def percent(fraction: float, digits: int = 1, *, signed: bool = False) -> str:
    """Format a fraction in percent; ``signed`` adds a plus sign to positive values.

    Example:
        >>> percent(-0.0234, signed=True), percent(0.024, signed=True), percent(0.5, 0), percent(-0.0001)
        ('−2.3\u202f%', '+2.4\u202f%', '50\u202f%', '0.0\u202f%')
    """
    text = f"{abs(fraction) * 100:,.{digits}f}"
    zero = float(text.replace(",", "")) == 0
    sign = "" if zero else _sign(fraction) or ("+" if signed else "")
    return f"{sign}{text}{NARROW_SPACE}%"


def share(fraction: float, digits: int = 0) -> str:
    """Format a share or probability in percent; small values do not round to 0 %, nor large ones to 100 %.

    Example:
        >>> share(0.0004), share(0.31), share(0.998), share(0.0), share(0.00001, 2)
        ('<1\u202f%', '31\u202f%', '>99\u202f%', '0\u202f%', '<0.01\u202f%')
    """
    text, least = percent(fraction, digits), 10.0 ** -(digits + 2)
    if fraction > 0 and text == percent(0.0, digits):
        return f"<{percent(least, digits)}"
    if fraction < 1 and text == percent(1.0, digits):
        return f">{percent(1 - least, digits)}"
    return text


def leverage(value: float) -> str:
    """Format leverage with a multiplication sign.

    Example:
        >>> leverage(20.0), leverage(2.5)
        ('20×', '2.5×')
    """
    return f"{value:g}×"


def _sign(value: float) -> str:
    return MINUS if value < 0 else ""


def _abbreviate(size: float) -> str:
    """Format with two or three digits and a unit; rounding can carry into the next unit (999.95 M is 1.00 B)."""
    rounded = float(f"{size:.3g}")
    for scale, unit in _UNITS:
        if rounded >= scale:
            x = rounded / scale
            extra = 1 if scale >= 1e9 else 0  # noqa: PLR2004
            decimals = max(0, (1 if x < 10 else 0 if x < 100 else -1) + extra)  # noqa: PLR2004
            return f"{x:.{decimals}f}{unit}"
    return f"{rounded:.0f}" if rounded >= 10 or rounded == 0 else f"{rounded:.2g}"  # noqa: PLR2004
