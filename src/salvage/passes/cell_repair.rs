//! Single flipped bits in the bookkeeping of a row: its length, its rowid, its serial types.
//!
//! A cell must end where the next one begins, its record must fill its payload, its rowid must lie between its
//! neighbours'. One flipped bit breaks that, and if exactly one other flip restores it, that was the bit. What is mended is
//! marked suspect.

use super::leaf::{self, Chains, Spot};
use crate::ondisk::page::{Page, PageKind};
use crate::salvage::rows::row;
use crate::salvage::rows::row::{Flip, Row};
use crate::salvage::schema::TableSchema;

/// Bytes of a cell in which a flip is looked for: its numbers and the header of its record.
const SPAN: usize = 64;
/// Spare bytes that SQLite leaves between cells without a free block ("Database File Format", section 1.6).
const MAX_FRAGMENT: usize = 3;

/// The one row that a single flip makes of the cell at `offset` of the leaf at `spot`, which ends before `end`; `between`
/// are its neighbours' rowids. The flip stands in its `odd` as [`Flip::code`] has it.
pub(crate) fn cell(
    table: &TableSchema,
    spot: Spot,
    page: &Page<'_>,
    offset: usize,
    end: usize,
    between: (Option<i64>, Option<i64>),
    chains: &mut Chains<'_>,
) -> Option<Row> {
    let mut bytes = page.bytes().to_vec();
    let mut found: Option<Row> = None;
    for at in offset..end.min(offset + SPAN) {
        for bit in 0..8 {
            let mask = 1_u8 << bit;
            *bytes.get_mut(at)? ^= mask;
            let row = reading(table, spot, &bytes, page.usable(), offset, end, chains);
            *bytes.get_mut(at)? ^= mask;
            let Some(mut row) = row.filter(|row| fits_between(row.rowid, between)) else { continue };
            row.odd = Flip { at: u16::try_from(at).ok()?, mask }.code();
            if found.replace(row).is_some() {
                return None;
            }
        }
    }
    found
}

fn reading(
    table: &TableSchema,
    spot: Spot,
    bytes: &[u8],
    usable: usize,
    offset: usize,
    end: usize,
    chains: &mut Chains<'_>,
) -> Option<Row> {
    let page = Page::read_as(PageKind::TableLeaf, spot.page, bytes, usable).ok()?;
    let cell = page.cell(offset).ok()?;
    let spare = end.checked_sub(offset + cell.size)?;
    if spare > MAX_FRAGMENT || !leaf::is_row(table, &cell, spot.encoding) {
        return None;
    }
    let chained = cell.payload?.overflow.is_some();
    if chained && !chains(&cell) {
        return None;
    }
    let mut row = spot.row(cell.rowid, offset);
    row.mark(row::SUSPECT | row::MENDED, true);
    row.mark(row::CHAINED, chained);
    Some(row)
}

fn fits_between(rowid: i64, (low, high): (Option<i64>, Option<i64>)) -> bool {
    low.is_none_or(|low| rowid > low) && high.is_none_or(|high| rowid < high)
}

/// Rowids out of order: one that stands between two neighbours with a single number between them has that number.
pub(crate) fn order(rows: &mut [Row]) {
    for index in 1..rows.len() {
        let before = rows.get(index - 1).map(|row| row.rowid);
        let after = rows.get(index + 1).map(|row| row.rowid);
        let (Some(before), Some(row)) = (before, rows.get_mut(index)) else { return };
        match after {
            Some(after) if before < after && !fits_between(row.rowid, (Some(before), Some(after))) => {
                row.mark(row::SUSPECT, true);
                if before.checked_add(2) == Some(after) {
                    row.rowid = before + 1;
                }
            }
            None if row.rowid <= before => row.mark(row::SUSPECT, true),
            _ => {}
        }
    }
}
