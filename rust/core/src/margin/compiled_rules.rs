//! The compiled rule of each row, as one number for instrument, side, margin mode and time.

use super::compiled_rule::CompiledRule;
use super::reason::Reason;
use super::rule::{Mode, Payoff, Side, Venue};
use super::tiers::Tiers;

/// One instrument with its tier tables.
#[derive(Debug, Clone)]
pub struct Contract {
    /// Its venue, if known.
    pub venue: Option<&'static Venue>,
    /// Linear or inverse.
    pub payoff: Payoff,
    /// Tick size in quote currency; 0 if unknown.
    pub tick: f64,
    /// Tier tables, each with the UTC microsecond from which it is valid, in any order.
    pub tables: Vec<(i64, Tiers)>,
}

/// All compiled rules of all instruments; the first codes stand for the reasons for having none.
#[derive(Debug, Clone)]
pub struct CompiledRules {
    entries: Vec<Result<CompiledRule, Reason>>,
    /// Per contract: start of validity (UTC microseconds), and the code of the first rule.
    since: Vec<Vec<(i64, u32)>>,
}

impl Default for CompiledRules {
    fn default() -> Self {
        Self { entries: Reason::ALL.map(Err).to_vec(), since: Vec::new() }
    }
}

impl CompiledRules {
    /// Add an instrument; returns its index.
    pub fn add(&mut self, contract: &Contract) -> usize {
        let mut since = Vec::new();
        if let Some(venue) = contract.venue {
            let mut tables: Vec<_> = contract.tables.iter().collect();
            tables.sort_by_key(|(from, _)| *from);
            let first = tables.first().map_or(i64::MAX, |(from, _)| *from);
            let changes = venue.changes.iter().copied().filter(|&at| at > first);
            let mut instants: Vec<i64> = tables.iter().map(|(from, _)| *from).chain(changes).collect();
            instants.sort_unstable();
            instants.dedup();
            for at in instants {
                let table = tables.iter().rev().find(|(from, _)| *from <= at);
                since.push((at, self.entries.len() as u32));
                for mode in [Mode::Isolated, Mode::Cross] {
                    for side in [Side::Long, Side::Short] {
                        let rule = (venue.rule)(mode, contract.payoff, at);
                        let compiled = rule.ok_or(Reason::Rule).and_then(|rule| {
                            let (_, tiers) = table.ok_or(Reason::Tiers)?;
                            Ok(CompiledRule::new(rule, tiers, contract.payoff, side, contract.tick))
                        });
                        self.entries.push(compiled);
                    }
                }
            }
        } else {
            since.push((i64::MIN, Reason::Venue as u32));
        }
        self.since.push(since);
        self.since.len() - 1
    }

    /// The code for positions in a contract at a time (UTC microseconds); `None` is the latest.
    ///
    /// # Panics
    /// `contract` is not an index returned by [`Self::add`].
    #[inline]
    #[must_use]
    pub fn code(&self, contract: usize, side: Side, mode: Mode, at: Option<i64>) -> u32 {
        let since = &self.since[contract];
        let version = match at {
            None => since.last(),
            Some(at) => since[..since.partition_point(|(from, _)| *from <= at)].last(),
        };
        match version {
            None => Reason::Tiers as u32,
            Some(&(_, first)) if (first as usize) < Reason::ALL.len() => first,
            Some(&(_, first)) => first + 2 * u32::from(mode == Mode::Cross) + u32::from(side == Side::Short),
        }
    }

    /// Number of codes.
    pub(super) const fn len(&self) -> usize {
        self.entries.len()
    }

    /// The rule of a code, or the reason for having none.
    ///
    /// # Errors
    /// The reason that the code stands for; an unknown code has no tier table.
    #[inline]
    pub fn get(&self, code: u32) -> Result<&CompiledRule, Reason> {
        self.entries
            .get(code as usize)
            .map_or(Err(Reason::Tiers), |entry| entry.as_ref().map_err(|&reason| reason))
    }
}
