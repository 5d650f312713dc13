"""Round numbers for axes and scales."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["nice_step"]

_TOLERANCE = 1e-9


def nice_step(minimum: float, factors: Sequence[float] = (1, 2, 2.5, 5, 10)) -> float:
    """The least number of at least ``minimum`` that is one of ``factors`` times a power of ten.

    Args:
        minimum: Positive; a relative excess of 1e-9 over a round number is ignored.
        factors: Ascending from 1 to 10.

    Example:
        >>> nice_step(13), nice_step(0.21), nice_step(100)
        (20.0, 0.25, 100.0)
    """
    power = 10.0 ** math.floor(math.log10(minimum))
    return next(factor * power for factor in factors if factor * power >= minimum * (1 - _TOLERANCE))
