//! Input of the cohort engine: leverage brackets and bars, validated before use.

use crate::error::{CoreError, Result};

/// Largest number of brackets: a level stores its bracket as an 8-bit number.
pub(super) const BRACKETS_LIMIT: usize = 256;

/// One leverage bracket.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bracket {
    /// Distance from entry price down to the liquidation price of a long, as a fraction of the entry price, in (0, 1).
    pub long_distance: f64,
    /// Distance from entry price up to the liquidation price of a short, as a fraction of the entry price, above 0.
    pub short_distance: f64,
    /// Share of the long flow that opens in this bracket; over all brackets the shares sum to at most 1.
    pub long_share: f64,
    /// Share of the short flow that opens in this bracket; over all brackets the shares sum to at most 1.
    pub short_share: f64,
    /// Hours after which half of the positions have been closed by choice; infinite if positions are closed by
    /// liquidation only.
    pub half_life_hours: f64,
}

/// Bars in order of time, as columns of equal length.
#[derive(Debug, Clone, Copy)]
pub struct Bars<'a> {
    /// Hours since the end of the previous bar.
    pub hours: &'a [f64],
    /// Lowest price, quote currency.
    pub low: &'a [f64],
    /// Highest price, quote currency.
    pub high: &'a [f64],
    /// Last price, quote currency.
    pub close: &'a [f64],
    /// Open interest at the end of the bar, in coin, counted on one side.
    pub open_interest: &'a [f64],
    /// Long positions with a liquidation price opened in the bar, in coin.
    pub long_flow: &'a [f64],
    /// Short positions with a liquidation price opened in the bar, in coin.
    pub short_flow: &'a [f64],
}

impl Bars<'_> {
    /// Number of bars.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.close.len()
    }

    /// Whether there are no bars.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.close.is_empty()
    }

    /// Validate that columns have equal length, values are finite and not negative, and `low <= close <= high`.
    pub(super) fn check(&self) -> Result<()> {
        let columns = [
            ("hours", self.hours),
            ("low", self.low),
            ("high", self.high),
            ("close", self.close),
            ("open_interest", self.open_interest),
            ("long_flow", self.long_flow),
            ("short_flow", self.short_flow),
        ];
        for (name, column) in columns {
            if column.len() != self.len() {
                let found = format!("{} rows", column.len());
                return Err(CoreError::shape(name, found, format!("{} rows", self.len())));
            }
            if let Some(i) = column.iter().position(|v| !(v.is_finite() && *v >= 0.0)) {
                let found = format!("{} in bar {i}", column[i]);
                return Err(CoreError::value(name, found, "a finite number, 0 or above"));
            }
        }
        for i in 0..self.len() {
            let (low, high, close) = (self.low[i], self.high[i], self.close[i]);
            if !(low > 0.0 && low <= close && close <= high) {
                let found = format!("low {low}, close {close}, high {high} in bar {i}");
                return Err(CoreError::value("bars", found, "0 < low <= close <= high"));
            }
        }
        Ok(())
    }
}

impl Bracket {
    pub(super) fn check(all: &[Self]) -> Result<()> {
        if !(1..=BRACKETS_LIMIT).contains(&all.len()) {
            return Err(CoreError::limit(
                "brackets",
                all.len().to_string(),
                format!("1 to {BRACKETS_LIMIT}"),
            ));
        }
        for (i, b) in all.iter().enumerate() {
            let fault = |field: &str, value: f64, expected: &str| {
                Err(CoreError::value(format!("brackets[{i}] {field}"), value.to_string(), expected))
            };
            if !(b.long_distance > 0.0 && b.long_distance < 1.0) {
                return fault("long_distance", b.long_distance, "a fraction between 0 and 1");
            }
            if !(b.short_distance > 0.0 && b.short_distance.is_finite()) {
                return fault("short_distance", b.short_distance, "a finite fraction above 0");
            }
            if !(b.half_life_hours > 0.0) {
                return fault("half_life_hours", b.half_life_hours, "hours above 0");
            }
            for (field, share) in [("long_share", b.long_share), ("short_share", b.short_share)] {
                if !(share >= 0.0) {
                    return fault(field, share, "a share of 0 or more");
                }
            }
        }
        let long: f64 = all.iter().map(|b| b.long_share).sum();
        let short: f64 = all.iter().map(|b| b.short_share).sum();
        for (field, sum) in [("long_share", long), ("short_share", short)] {
            if !(sum <= 1.0 + 1e-9) {
                return Err(CoreError::value(
                    format!("brackets {field}"),
                    format!("a sum of {sum}"),
                    "at most 1",
                ));
            }
        }
        Ok(())
    }
}
