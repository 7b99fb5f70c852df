//! The options that say which copies are kept, for `backup` and `backups prune`.
//!
//! Not here: choosing ([`crate::copies::prune`]).

use crate::copies::prune::Rules;

/// Which copies are kept.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct RetentionArgs {
    /// Keep this many of the newest; the others go, but for those with a row that is nowhere else.
    #[arg(
        long = "keep",
        visible_alias = "keep-last",
        value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..),
        allow_negative_numbers = true
    )]
    keep: Option<u32>,
    /// Keep the newest of each of this many days that have one.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    keep_daily: Option<u32>,
    /// Keep the newest of each of this many weeks that have one.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    keep_weekly: Option<u32>,
    /// Remove no more once all copies take this many bytes or fewer, such as 500M.
    #[arg(long, value_name = "SIZE", value_parser = super::values::size)]
    max_bytes: Option<u64>,
}

impl RetentionArgs {
    /// True if one of the options is given.
    pub(super) fn is_given(&self) -> bool {
        self.keep.is_some()
            || self.keep_daily.is_some()
            || self.keep_weekly.is_some()
            || self.max_bytes.is_some()
    }

    /// Return the rules for the choice.
    pub(super) fn rules(&self) -> Rules {
        let number = |number: Option<u32>| number.and_then(|number| usize::try_from(number).ok());
        Rules {
            keep: number(self.keep),
            daily: number(self.keep_daily),
            weekly: number(self.keep_weekly),
            max_bytes: self.max_bytes,
            ..Rules::default()
        }
    }
}
