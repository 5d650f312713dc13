//! Why a position has no liquidation price.

/// The reason for a missing liquidation price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i8)]
pub enum Reason {
    /// There is a price.
    None,
    /// The part of the instrument name before the colon is no known venue.
    Venue,
    /// The side is neither long nor short.
    Side,
    /// The margin mode is neither isolated nor cross.
    Mode,
    /// No formula is known for this combination of venue, payoff and margin mode.
    Rule,
    /// No tier table of this instrument is valid at this time.
    Tiers,
    /// The size is not a finite number above 0.
    Size,
    /// The entry price is not a finite number above 0.
    Entry,
    /// The rule measures equity at the mark, and the mark price is missing or not above 0.
    Mark,
    /// The leverage is below 1 or not finite.
    Leverage,
    /// The leverage exceeds the maximum of the tier.
    MaxLeverage,
    /// The size exceeds the last tier.
    LastTier,
    /// Neither margin nor leverage is given, or the margin is not finite.
    Margin,
    /// A cross position without the equity or maintenance margin of the account.
    Account,
    /// A hedged position, for which the venue's formula is not known.
    Hedge,
    /// The margin covers the whole price move, so that the position cannot be liquidated.
    Covered,
}

impl Reason {
    /// All reasons, in the order of their codes.
    pub const ALL: [Self; 16] = [
        Self::None,
        Self::Venue,
        Self::Side,
        Self::Mode,
        Self::Rule,
        Self::Tiers,
        Self::Size,
        Self::Entry,
        Self::Mark,
        Self::Leverage,
        Self::MaxLeverage,
        Self::LastTier,
        Self::Margin,
        Self::Account,
        Self::Hedge,
        Self::Covered,
    ];

    /// The reason as text; empty if there is a price.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Venue => "unknown venue",
            Self::Side => "side is neither long nor short",
            Self::Mode => "margin mode is neither isolated nor cross",
            Self::Rule => "no formula is known for this kind of position",
            Self::Tiers => "no tier table of this instrument at this time",
            Self::Size => "size is not above 0",
            Self::Entry => "entry price is not above 0",
            Self::Mark => "mark price is missing",
            Self::Leverage => "leverage is below 1",
            Self::MaxLeverage => "leverage is above the tier's maximum",
            Self::LastTier => "size is above the last tier",
            Self::Margin => "neither margin nor leverage is given",
            Self::Account => "cross margin without the account's equity and maintenance",
            Self::Hedge => "no formula is known for this venue's hedged accounts",
            Self::Covered => "margin covers the whole move",
        }
    }
}
