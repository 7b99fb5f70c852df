//! Where a table may have lost rows: a set of rowids as disjoint ranges in order.

use crate::ondisk::btree::Range;

/// Ranges (above, up to and with), disjoint and in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gaps {
    ranges: Vec<(i64, i64)>,
}

impl Gaps {
    /// Every rowid.
    pub(crate) fn everything() -> Self {
        Self { ranges: vec![(i64::MIN, i64::MAX)] }
    }

    /// The given ranges, which are disjoint and in order.
    pub(crate) fn of(ranges: Vec<(i64, i64)>) -> Self {
        Self { ranges }
    }

    /// All of them, in order.
    pub(crate) fn ranges(&self) -> impl Iterator<Item = (i64, i64)> + '_ {
        self.ranges.iter().copied()
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Only those of `rowids`, which are in order, that are in here.
    #[must_use]
    pub(crate) fn narrowed(&self, rowids: impl Iterator<Item = i64>) -> Self {
        let mut narrowed = Self::default();
        for rowid in rowids.filter(|rowid| self.contains(*rowid)) {
            let Some(before) = rowid.checked_sub(1) else { continue };
            match narrowed.ranges.last_mut() {
                Some((_, end)) if *end == before => *end = rowid,
                _ => narrowed.ranges.push((before, rowid)),
            }
        }
        narrowed
    }

    /// What is both here and in `other`.
    #[must_use]
    pub(crate) fn intersect(&self, other: &Self) -> Self {
        let (mut ours, mut theirs) = (self.ranges.iter().peekable(), other.ranges.iter().peekable());
        let mut both = Self::default();
        while let (Some(&&(start, end)), Some(&&(from, to))) = (ours.peek(), theirs.peek()) {
            let (low, high) = (start.max(from), end.min(to));
            if low < high {
                both.ranges.push((low, high));
            }
            if end < to {
                ours.next();
            } else {
                theirs.next();
            }
        }
        both
    }

    /// Adds `range`.
    pub(crate) fn add(&mut self, range: Range) {
        let mut low = range.low.unwrap_or(i64::MIN);
        let mut high = range.high.unwrap_or(i64::MAX);
        if low >= high {
            return;
        }
        let first = self.ranges.partition_point(|&(_, end)| end < low);
        let last = self.ranges.partition_point(|&(start, _)| start <= high);
        if let Some(touched) = self.ranges.get(first..last) {
            low = touched.first().map_or(low, |&(start, _)| start.min(low));
            high = touched.last().map_or(high, |&(_, end)| end.max(high));
            self.ranges.splice(first..last, [(low, high)]);
        }
    }

    /// Whether `rowid` is in one of them.
    pub(crate) fn contains(&self, rowid: i64) -> bool {
        let index = self.ranges.partition_point(|&(_, end)| end < rowid);
        self.ranges.get(index).is_some_and(|&(start, _)| start < rowid)
    }

    /// The ranges between 0 and `last`.
    pub(crate) fn up_to(&self, last: i64) -> impl Iterator<Item = (i64, i64)> + '_ {
        let clamped = self.ranges.iter().map(move |&(low, high)| (low.max(0), high.min(last)));
        clamped.filter(|(low, high)| low < high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_index_names() {
        let gaps = Gaps { ranges: vec![(0, 10), (20, 30)] };
        assert_eq!(gaps.narrowed([1, 2, 5, 15, 30].into_iter()).ranges, [(0, 2), (4, 5), (29, 30)]);
        assert!(gaps.narrowed([i64::MIN].into_iter()).is_empty());
    }

    #[test]
    fn what_both_may_have_lost() {
        let gaps = |ranges: &[(i64, i64)]| Gaps { ranges: ranges.to_vec() };
        let both = gaps(&[(0, 10), (20, 30)]).intersect(&gaps(&[(5, 22), (29, 40)]));
        assert_eq!(both.ranges, [(5, 10), (20, 22), (29, 30)]);
        assert_eq!(gaps(&[(1, 2)]).intersect(&Gaps::everything()).ranges, [(1, 2)]);
        assert!(gaps(&[(1, 2)]).intersect(&gaps(&[(2, 3)])).is_empty());
    }

    #[test]
    fn ranges_grow_together() {
        let mut gaps = Gaps::default();
        for (low, high) in [(10, 20), (40, 50), (20, 30), (5, 12), (60, 60)] {
            gaps.add(Range { low: Some(low), high: Some(high) });
        }
        assert_eq!(gaps.ranges, [(5, 30), (40, 50)]);
        assert!(!gaps.contains(5) && gaps.contains(6) && gaps.contains(30) && !gaps.contains(31));
        gaps.add(Range { low: Some(45), high: None });
        assert!(gaps.contains(1000) && !gaps.contains(40));
        assert_eq!(gaps.up_to(48).collect::<Vec<_>>(), [(5, 30), (40, 48)]);
    }
}
