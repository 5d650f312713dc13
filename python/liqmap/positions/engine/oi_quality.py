"""What looks wrong with open interest: frozen for hours, old, jumping tenfold. Said, and heeded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from liqmap._base.timestamps import iso

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["is_frozen", "oi_warnings"]

FROZEN_HOURS = 3.0
FROZEN_STEPS = 4
"""Frozen is open interest that stands still for three hours, and for four times as long as it usually does."""
JUMP_FACTOR = 10.0
_US_PER_HOUR = 3_600_000_000


def is_frozen(end: npt.NDArray[np.int64], oi: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Bars in which open interest is frozen: nobody knows what was opened or closed, so nothing is.

    From the third hour of a standstill on, or four times the median of the standstills before it if that is longer:
    what comes later decides nothing. Before its first change nothing tells a standstill from a constant. Price goes on
    sweeping levels meanwhile.

    Example:
        >>> import numpy as np
        >>> hours = 3_600_000_000 * np.arange(1, 9)
        >>> is_frozen(hours, np.array([5.0, 5.1, 5.2, 5.2, 5.2, 5.2, 5.2, 5.3])).tolist()
        [False, False, False, False, False, False, True, False]
    """
    stopped = np.zeros(len(end), dtype=np.bool_)
    since = np.concatenate([[0], np.flatnonzero(np.diff(oi)) + 1])
    last = np.append(since[1:], len(end)) - 1
    still = (end[last] - end[since]) / _US_PER_HOUR
    whole = np.diff(end[since]) / _US_PER_HOUR
    for run in np.flatnonzero(still[1:] >= FROZEN_HOURS) + 1:
        usual = float(np.median(whole[:run]))
        begin, stop = since[run], last[run] + 1
        stopped[begin:stop] = end[begin:stop] - end[begin] >= max(FROZEN_HOURS, FROZEN_STEPS * usual) * _US_PER_HOUR
    return stopped


def oi_warnings(
    end: npt.NDArray[np.int64], oi: npt.NDArray[np.float64], age_us: npt.NDArray[np.int64] | None = None
) -> tuple[str, ...]:
    """One sentence for each kind of doubt.

    Args:
        end: UTC microseconds of each bar's end.
        oi: Coin, the last known carried forward, above 0.
        age_us: How old it was then.

    Example:
        >>> import numpy as np
        >>> hours = 3_600_000_000 * np.arange(1, 9)
        >>> oi_warnings(hours, np.array([5.0, 5.1, 5.2, 52.1, 52.0, 52.0, 52.0, 52.0]))
        ('open interest jumped tenfold or more at 1970-01-01T04:00:00Z: a change of units?',)
        >>> for doubt in oi_warnings(hours, np.array([5.0, 5.1, 5.2, 5.2, 5.2, 5.2, 5.2, 5.2])):
        ...     print(doubt)
        open interest has not changed for the last 5 hours: it may be stale
        for 2 bars in which open interest was frozen nothing opens or ages; price still sweeps levels
    """
    notes: list[str] = []
    changed = np.flatnonzero(np.diff(oi)) + 1
    since = np.concatenate([[0], changed])
    still = np.diff(end[np.append(since, len(end) - 1)]) / _US_PER_HOUR
    usual = float(np.median(still[:-1])) if len(still) > 1 else 0.0
    frozen = (still >= FROZEN_HOURS) & (still >= FROZEN_STEPS * usual)
    if frozen[-1]:
        notes.append(f"open interest has not changed for the last {still[-1]:.3g} hours: it may be stale")
    if (times := int(frozen[:-1].sum())) > 0:
        longest = int(np.argmax(np.where(frozen[:-1], still[:-1], 0)))
        until = iso(int(end[changed[longest]]))
        often = "once" if times == 1 else f"{times} times, the longest"
        notes.append(f"open interest stood still {often} for {still[longest]:.3g} hours until {until}")
    leaps = np.flatnonzero(np.abs(np.diff(np.log(oi))) >= np.log(JUMP_FACTOR)) + 1
    if len(leaps):
        more = "" if len(leaps) == 1 else f" (the first of {len(leaps)} jumps)"
        notes.append(f"open interest jumped tenfold or more at {iso(int(end[leaps[0]]))}{more}: a change of units?")
    if age_us is not None and age_us[-1] >= FROZEN_HOURS * _US_PER_HOUR:
        notes.append(f"the last open interest is {age_us[-1] / _US_PER_HOUR:.3g} hours old")
    if (bars := int(is_frozen(end, oi).sum())) > 0:
        notes.append(
            f"for {bars} bars in which open interest was frozen nothing opens or ages; price still sweeps levels"
        )
    return tuple(notes)
