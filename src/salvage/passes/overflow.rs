//! Rows that go on in other pages than their own: what of them is there.

use std::collections::HashSet;

use super::leaf::SalvagedLeaf;
use super::lost_sectors;
use super::lost_sectors::{PayloadPart, Sectors};
use crate::ondisk::btree::Range;
use crate::ondisk::image::Site;
use crate::ondisk::record::Record;
use crate::salvage::Pass;
use crate::salvage::rows::row;
use crate::salvage::rows::row::{Flip, Odd, Row};
use crate::salvage::schema::Catalog;

impl Pass<'_, '_> {
    /// Follows the chains of the rows in `leaf`. Rows whose chain is broken are partial and leave a gap.
    pub(crate) fn complete(
        &mut self,
        catalog: &Catalog,
        table: usize,
        leaf: &mut SalvagedLeaf,
        free: &HashSet<u32>,
    ) {
        if !leaf.rows.iter().any(|row| row.is(row::CHAINED | row::MENDED)) {
            return;
        }
        let encoding = self.image.encoding();
        let mut rows = std::mem::take(&mut leaf.rows);
        rows.retain_mut(|row| {
            if !row.is(row::CHAINED | row::MENDED) {
                return true;
            }
            let flip = Flip::from_code(row.odd);
            let mut followed = self.follow(row, flip, free);
            if followed
                .as_ref()
                .is_some_and(|(bytes, chain, lost)| *lost && self.is_hollow(row, flip, bytes, chain))
            {
                followed = None;
            }
            let fit = followed.as_ref().and_then(|(bytes, ..)| {
                let record = Record::read(bytes).ok()?;
                let table = &catalog.tables.get(table)?.table;
                leaf.blob_texts += u64::from(table.has_blob_text(&record));
                table.fit(&record, encoding)
            });
            match (followed, fit) {
                (Some((bytes, chain, _)), Some(fit)) => {
                    row.mark(row::SUSPECT, fit.strange > 0 || self.is_exchanged(&chain));
                    if fit.strange > 0 && row.is(row::CHAINED) {
                        self.chains.doubt();
                    }
                    row.parity = row::parity(&bytes);
                    row.odd = self.odds.push(&Odd { flip, chain, ..Odd::default() });
                    true
                }
                (Some(_), None) => {
                    leaf.unread += 1;
                    false
                }
                (None, _) => {
                    if let Some(rows) = self.tables.get_mut(table) {
                        rows.gaps.add(Range { low: row.rowid.checked_sub(1), high: Some(row.rowid) });
                        row.odd = self.odds.push(&Odd { flip, ..Odd::default() });
                        rows.partial.push(*row);
                    }
                    false
                }
            }
        });
        leaf.rows = rows;
    }

    /// The payload of `row`, where it goes on, and whether that may have holes.
    fn follow(
        &mut self,
        row: &Row,
        flip: Option<Flip>,
        free: &HashSet<u32>,
    ) -> Option<(Vec<u8>, Vec<row::ByteRun>, bool)> {
        let mut bytes = self.image.page_at(row.site())?;
        let cell = row.cell_in(&mut bytes, flip, self.image.usable())?;
        let span = cell.offset..cell.offset + cell.size;
        let followed = self.chains.claim(&cell, self.image, &self.seen, free)?;
        let may_be_hollow = followed.may_be_hollow || Sectors::of(&bytes, row.site()).any_lost(span);
        let sites: Vec<_> = followed.sites.into_iter().map(|site| (self.source, site)).collect();
        Some((followed.bytes, row::runs(&sites, self.image.page_size()), may_be_hollow))
    }

    /// Whether a page of `chain` was read where another should stand.
    fn is_exchanged(&self, chain: &[row::ByteRun]) -> bool {
        let size = self.image.page_size();
        let mut sites =
            chain.iter().flat_map(|run| (0..run.pages).map(move |index| run.site_of(index, size)));
        sites.any(|site| self.image.is_moved(site))
    }

    /// Whether `payload`, which begins in the cell of `row` and goes on in `chain`, has a hole.
    pub(crate) fn is_hollow(
        &self,
        row: &Row,
        flip: Option<Flip>,
        payload: &[u8],
        chain: &[row::ByteRun],
    ) -> bool {
        let size = self.image.page_size();
        let sites = chain.iter().flat_map(|run| (0..run.pages).map(move |index| run.site_of(index, size)));
        let page = |site: Site| (self.image.page_at(site).unwrap_or_default(), site);
        let pages: Vec<_> = sites.map(page).collect();
        let Some(mut bytes) = self.image.page_at(row.site()) else { return false };
        let Some(cell) = row.cell_in(&mut bytes, flip, self.image.usable()) else { return false };
        let (at, len) = lost_sectors::place(&cell);
        let own = PayloadPart { sectors: Sectors::of(&bytes, row.site()), at, len };
        let parts = lost_sectors::parts(own, &pages, self.image.usable(), payload.len());
        !lost_sectors::holes(payload, &parts).is_empty()
    }
}
