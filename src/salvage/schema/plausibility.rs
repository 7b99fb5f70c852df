//! How likely it is that values are those of a table: one ordered measure for a row, a page and an order of columns.
//!
//! Not here: what a single value looks like ([`super::column_values`]).

use std::cmp::Reverse;

use super::column_values::Likelihood;

/// How likely it is that values are those of a table. Smaller is more likely. Those of rows, pages and columns add up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Plausibility {
    /// Cells that are no rows of the table, or values that cannot stand where they do.
    pub(crate) misfits: usize,
    /// Values that are allowed but strange.
    pub(crate) strange: u32,
    /// Values that are just what is written there.
    pub(crate) sure: Reverse<u32>,
    /// Columns that the table has and a row has not.
    pub(crate) missing: usize,
}

impl Plausibility {
    /// Count one value.
    pub(crate) fn add_value(&mut self, likelihood: Likelihood) {
        match likelihood {
            Likelihood::Strange => self.strange += 1,
            Likelihood::Sure => self.sure.0 += 1,
            Likelihood::Plain => {}
        }
    }

    /// Count what `other` has counted.
    pub(crate) fn add(&mut self, other: Self) {
        self.misfits += other.misfits;
        self.strange += other.strange;
        self.sure.0 += other.sure.0;
        self.missing += other.missing;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(misfits: usize, strange: u32, sure: u32, missing: usize) -> Plausibility {
        Plausibility { misfits, strange, sure: Reverse(sure), missing }
    }

    #[test]
    fn misfits_outweigh_strange_values_and_those_outweigh_sure_ones() {
        let ordered =
            [with(0, 0, 5, 9), with(0, 0, 4, 0), with(0, 0, 4, 1), with(0, 1, 50, 0), with(1, 0, 99, 0)];
        assert!(ordered.is_sorted());
    }

    #[test]
    fn sums_count_every_value() {
        let mut sum = Plausibility::default();
        for likelihood in [Likelihood::Sure, Likelihood::Plain, Likelihood::Strange, Likelihood::Sure] {
            sum.add_value(likelihood);
        }
        sum.add(with(1, 2, 3, 4));
        assert_eq!(sum, with(1, 3, 5, 4));
    }
}
