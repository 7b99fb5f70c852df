//! Where two histories of one board part.
//!
//! Numbers up to some point mean the same rows in both; above it each history has given them out on its own. Single rows
//! can differ below (a row updated in place, a flipped bit) and agree above (two tools that wrote the same in the same
//! second), so the point is the one that most rows speak for.

/// The point after which the numbers of one table mean different rows, found by showing it every number that both have, in
/// order.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Split {
    /// Agreements less differences so far.
    score: i64,
    best: i64,
    /// The last number that means the same in both.
    pub(crate) common: i64,
    /// When its row was written, Unix seconds.
    pub(crate) time: Option<i64>,
    /// Numbers above `common` whose rows are others beyond doubt.
    pub(crate) parted: u64,
}

/// How the rows of one number compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alike {
    /// The same row.
    Same,
    /// Not the same, but so nearly that a flipped bit could have made one of the other.
    Nearly,
    /// Two rows.
    Not,
}

impl Split {
    /// Shows the next number that both histories have.
    pub(crate) fn see(&mut self, rowid: i64, alike: Alike) {
        if alike != Alike::Same {
            self.score -= 1;
            self.parted += u64::from(alike == Alike::Not);
            return;
        }
        self.score += 1;
        // At first sight of the highest score: an accidental agreement later must not cover up what differs before it.
        if self.score > self.best {
            self.best = self.score;
            self.common = rowid;
            self.parted = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(rows: &str) -> Split {
        let mut split = Split::default();
        for (rowid, row) in (1..).zip(rows.chars()) {
            let alike = match row {
                '=' => Alike::Same,
                '~' => Alike::Nearly,
                _ => Alike::Not,
            };
            split.see(rowid, alike);
        }
        split
    }

    #[test]
    fn most_rows_decide() {
        for (rows, common, parted) in [
            ("", 0, 0),
            ("=====", 5, 0),
            ("xxx", 0, 3),
            ("====xxx", 4, 3),
            ("====x=x", 4, 2),
            ("==~=====", 8, 0),
            ("==x==xx=xx", 5, 4),
            ("=====~", 5, 0),
        ] {
            let found = split(rows);
            assert_eq!((found.common, found.parted), (common, parted), "{rows}");
        }
    }
}
