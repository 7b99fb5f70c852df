//! Which rows of the merge can stay in their cells, and which have to be put in apart.
//!
//! A cell can stay when its bytes are the row's, and when SQLite would have stored the row in just these bytes: a text that
//! looks like a number becomes one in an INTEGER column, and then the row path would write something else.

use std::collections::HashSet;

use super::preconditions::Baseline;
use crate::failure::Outcome;
use crate::ondisk::image::Image;
use crate::ondisk::page::{Page, PageKind};
use crate::ondisk::record::{Record, Value};
use crate::recover::merge::{Merged, MergedTable};
use crate::salvage::rows::extras::RowExtras;
use crate::salvage::rows::row;
use crate::salvage::rows::row::Row;
use crate::salvage::schema::{Affinity, TableSchema};
use crate::salvage::source::cache::{PayloadReader, SourceCache};

/// For each table of the merge the indexes of those of its rows that are put in apart.
pub(crate) type SeparateRows = Vec<HashSet<usize>>;

/// More rows apart than one in so many, and writing all of them is as fast.
const SHARE: usize = 8;
/// So many may always be apart.
const FEW: usize = 1000;

/// How many of `total` rows may be put in apart.
pub(crate) fn most(total: usize) -> usize {
    (total / SHARE).max(FEW)
}

/// The rows that cannot stay in the pages of `image`, which is the source `main`; none if they are too many.
///
/// # Errors
/// When a row can no longer be read.
pub(crate) fn apart(
    main: u32,
    image: &Image<'_>,
    merged: &Merged,
    ground: &Baseline,
    shelf: &SourceCache<'_>,
) -> Outcome<Option<SeparateRows>> {
    let mut reader = PayloadReader::new(shelf, &merged.odds);
    let mut all = SeparateRows::new();
    let most = most(merged.tables.iter().map(|table| table.rows.len()).sum());
    let mut count = 0;
    for (table, root) in merged.tables.iter().zip(&ground.tables) {
        let mut apart = HashSet::new();
        let mut bench =
            Bench { main, image, odds: &merged.odds, last: (0, false), untyped: has_untyped(&table.table) };
        for (index, row) in table.rows.iter().enumerate() {
            if root.is_none() || !bench.stands(table, &row, &mut reader)? {
                apart.insert(index);
                count += 1;
                if count > most {
                    return Ok(None);
                }
            }
        }
        all.push(apart);
    }
    Ok(Some(all))
}

/// Looks at the rows of one table.
struct Bench<'b, 'a> {
    main: u32,
    image: &'b Image<'a>,
    odds: &'b RowExtras,
    /// The page that was asked about last, and whether its rows are from what counts as that page.
    last: (u32, bool),
    untyped: bool,
}

impl Bench<'_, '_> {
    fn stands(
        &mut self,
        table: &MergedTable,
        row: &Row,
        reader: &mut PayloadReader<'_, '_>,
    ) -> Outcome<bool> {
        let odd = row.oddity(self.odds);
        let other = odd.is_some_and(|odd| odd.flip.is_some() || odd.payload.is_some());
        if row.source != self.main || other || row.is(row::MENDED | row::GRAFTED | row::FORK | row::EARLIER) {
            return Ok(false);
        }
        if self.last.0 != row.page {
            self.last = (row.page, self.image.site(row.page) == Some(row.site()));
        }
        if !self.last.1 {
            return Ok(false);
        }
        // What is not suspect has been read from its cell as it is, and has values of its columns' types.
        if !row.is_suspect() && !self.untyped {
            return Ok(true);
        }
        if !self.is_in_its_cell(row) {
            return Ok(false);
        }
        reader.payload(row, |payload| {
            Record::read(payload).is_ok_and(|record| is_stored_alike(&table.table, &record))
        })
    }

    fn is_in_its_cell(&self, row: &Row) -> bool {
        let bytes = self.image.page(row.page).unwrap_or_default();
        let page = Page::read_as(PageKind::TableLeaf, row.page, &bytes, self.image.usable());
        page.and_then(|page| page.cell(usize::from(row.cell))).is_ok_and(|cell| cell.rowid == row.rowid)
    }
}

fn has_untyped(table: &TableSchema) -> bool {
    table.columns.iter().any(|column| column.affinity == Affinity::Any)
}

/// Whether SQLite, given the values of `record`, would store the same values ("Datatypes In SQLite", section 3). Says no
/// where it might not.
fn is_stored_alike(table: &TableSchema, record: &Record<'_>) -> bool {
    table.columns.iter().zip(record.values()).all(|(column, value)| match (column.affinity, value) {
        (_, Value::Null | Value::Blob(_))
        | (Affinity::Integer | Affinity::Any, Value::Integer(_))
        | (Affinity::Text, Value::Text(_)) => true,
        (Affinity::Any | Affinity::Integer, Value::Text(text)) => !may_be_number(text),
        (Affinity::Any | Affinity::Integer, Value::Real(number)) => number.fract() != 0.0,
        (Affinity::Text, Value::Integer(_) | Value::Real(_)) => false,
    })
}

/// Whether `text` begins like a number.
fn may_be_number(text: &[u8]) -> bool {
    let first = text.iter().find(|byte| !byte.is_ascii_whitespace() && **byte != 0x0b);
    first.is_none_or(|byte| byte.is_ascii_digit() || b"+-.".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_a_number() {
        for text in ["12", " 12", "\u{b}-1", ".5", "+3e4", "", "0x1"] {
            assert!(may_be_number(text.as_bytes()), "{text:?}");
        }
        for text in ["t_12", "inf", "e5", "✓"] {
            assert!(!may_be_number(text.as_bytes()), "{text:?}");
        }
    }
}
