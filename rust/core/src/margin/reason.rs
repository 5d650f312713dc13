//! Why a position has no liquidation price.

/// What the null in a result stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i8)]
pub enum Reason {
    /// There is a price.
    None,
    /// The venue in front of the colon is not known.
    Venue,
    /// The side is neither long nor short.
    Side,
    /// The margin mode is neither isolated nor cross.
    Mode,
    /// No formula is known for this venue, payoff and margin mode.
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
    /// The leverage is above what the tier allows.
    MaxLeverage,
    /// The size lies above the last tier.
    LastTier,
    /// Neither margin nor leverage is given, or not a finite number.
    Margin,
    /// A cross position without the account's equity or maintenance margin.
    Account,
    /// An opposite leg where the venue's formula for hedged accounts is not known.
    Hedge,
    /// The margin covers the whole move: the price is never reached.
    Covered,
}

impl Reason {
    /// All of them, in the order of their codes.
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

    /// The reason in words; empty where there is a price.
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
