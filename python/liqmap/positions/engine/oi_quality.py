"""Data-quality checks on open interest: frozen, stale or tenfold jumps.

The findings are reported with the map; frozen bars also change the engine's input.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from liqmap._base.timestamps import iso

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["is_frozen", "oi_warnings"]

FROZEN_HOURS = 3.0
FROZEN_STEPS = 4
"""Open interest is frozen if it is unchanged for three hours and for four times the usual time between changes."""
JUMP_FACTOR = 10.0
_US_PER_HOUR = 3_600_000_000


def is_frozen(end: npt.NDArray[np.int64], oi: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Whether open interest is frozen, for each bar. In frozen bars the engine opens and closes no positions.

    A bar is frozen if open interest has been unchanged for three hours, or for four times the median of the unchanged
    spells before it if that is longer. Only data up to the bar is used. Bars before the first change are never frozen,
    because a frozen series cannot be distinguished from a constant one. Price still sweeps levels in frozen bars.

    Args:
        end: UTC microseconds of each bar's end.
        oi: Coin, without missing values.

    Example:
        >>> import numpy as np
        >>> hours = 3_600_000_000 * np.arange(1, 9)
        >>> is_frozen(hours, np.array([5.0, 5.1, 5.2, 5.2, 5.2, 5.2, 5.2, 5.3])).tolist()
        [False, False, False, False, False, False, True, False]
    """
    frozen = np.zeros(len(end), dtype=np.bool_)
    since = np.concatenate([[0], np.flatnonzero(np.diff(oi)) + 1])
    last = np.append(since[1:], len(end)) - 1
    unchanged = (end[last] - end[since]) / _US_PER_HOUR
    between_changes = np.diff(end[since]) / _US_PER_HOUR
    for spell in np.flatnonzero(unchanged[1:] >= FROZEN_HOURS) + 1:
        usual = float(np.median(between_changes[:spell]))
        begin, stop = since[spell], last[spell] + 1
        frozen[begin:stop] = end[begin:stop] - end[begin] >= max(FROZEN_HOURS, FROZEN_STEPS * usual) * _US_PER_HOUR
    return frozen


def oi_warnings(
    end: npt.NDArray[np.int64], oi: npt.NDArray[np.float64], age_us: npt.NDArray[np.int64] | None = None
) -> tuple[str, ...]:
    """Return one sentence for each kind of problem found.

    Args:
        end: UTC microseconds of each bar's end.
        oi: Coin, above 0, missing values filled with the last known one.
        age_us: Age of each value at the bar's end, microseconds.

    Example:
        >>> import numpy as np
        >>> hours = 3_600_000_000 * np.arange(1, 9)
        >>> oi_warnings(hours, np.array([5.0, 5.1, 5.2, 52.1, 52.0, 52.0, 52.0, 52.0]))
        ('open interest jumped tenfold or more at 1970-01-01T04:00:00Z: a change of units?',)
        >>> for warning in oi_warnings(hours, np.array([5.0, 5.1, 5.2, 5.2, 5.2, 5.2, 5.2, 5.2])):
        ...     print(warning)
        open interest has not changed for the last 5 hours: it may be stale
        no positions are opened or closed in 2 bars with frozen open interest; price still sweeps levels
    """
    notes: list[str] = []
    changed = np.flatnonzero(np.diff(oi)) + 1
    since = np.concatenate([[0], changed])
    unchanged = np.diff(end[np.append(since, len(end) - 1)]) / _US_PER_HOUR
    usual = float(np.median(unchanged[:-1])) if len(unchanged) > 1 else 0.0
    frozen = (unchanged >= FROZEN_HOURS) & (unchanged >= FROZEN_STEPS * usual)
    if frozen[-1]:
        notes.append(f"open interest has not changed for the last {unchanged[-1]:.3g} hours: it may be stale")
    if (times := int(frozen[:-1].sum())) > 0:
        longest = int(np.argmax(np.where(frozen[:-1], unchanged[:-1], 0)))
        until = iso(int(end[changed[longest]]))
        often = "once" if times == 1 else f"{times} times, the longest"
        notes.append(f"open interest was frozen {often} for {unchanged[longest]:.3g} hours until {until}")
    jumps = np.flatnonzero(np.abs(np.diff(np.log(oi))) >= np.log(JUMP_FACTOR)) + 1
    if len(jumps):
        more = "" if len(jumps) == 1 else f" (the first of {len(jumps)} jumps)"
        notes.append(f"open interest jumped tenfold or more at {iso(int(end[jumps[0]]))}{more}: a change of units?")
    if age_us is not None and age_us[-1] >= FROZEN_HOURS * _US_PER_HOUR:
        notes.append(f"the last open interest is {age_us[-1] / _US_PER_HOUR:.3g} hours old")
    if (bars := int(is_frozen(end, oi).sum())) > 0:
        notes.append(
            f"no positions are opened or closed in {bars} bars with frozen open interest; price still sweeps levels"
        )
    return tuple(notes)
