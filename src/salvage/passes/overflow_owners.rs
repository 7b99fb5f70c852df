//! Overflow pages that two rows name: a page belongs to one row at most (docs/recovery.md), and the first
//! that came was believed. Here the others are heard.
//!
//! What a row says with the pages under its chain tells whose they are: values that are no values, characters that no text
//! has, content behind the end of the payload, and a chain that leaps where SQLite had written on.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::ondisk::btree::Range;
use crate::ondisk::image::Site;
use crate::ondisk::overflow::CONTENT;
use crate::ondisk::record::Record;
use crate::salvage::Pass;
use crate::salvage::image::chains::Chains;
use crate::salvage::rows::row;
use crate::salvage::rows::row::{ByteRun, Flip, Odd, Row};
use crate::salvage::schema::{Catalog, odd_characters};

/// Pages that are read at most to hear every row whose chain was taken.
const LOOKS: u64 = 1 << 18;

/// How hard it is to believe that a payload is one: strange values, characters that no text has, content that goes on behind
/// its end, leaps of its chain.
type Doubt = (u32, usize, bool, usize);

/// What becomes of rows, by table and rowid: nothing of one that is not whole any more.
type Changes = BTreeMap<(usize, i64), Option<Row>>;

/// A row whose chain is whole but for another having it.
struct Rival {
    table: usize,
    row: Row,
    flip: Option<Flip>,
    chain: Vec<ByteRun>,
    sites: Vec<Site>,
}

/// Of so many rows one is unlikely, or the table has values of its own sort.
const COMMON: usize = 8;

impl Pass<'_, '_> {
    /// Gives overflow pages that two rows name to the one that they fit better, and leaves those to nobody that are of another
    /// moment than the row that names them.
    pub(crate) fn settle_contests(&mut self, catalog: &Catalog) {
        let rivals = self.rivals();
        if !rivals.is_empty() {
            self.settle_rivals(catalog, rivals);
        }
        let mut changes = Changes::new();
        for (table, rowid) in self.torn(catalog) {
            self.dispossess(table, rowid, &mut changes);
        }
        self.apply(&changes);
    }

    fn settle_rivals(&mut self, catalog: &Catalog, rivals: Vec<Rival>) {
        let mut changes = Changes::new();
        let mut owners = self.owners(&rivals.iter().flat_map(|rival| &rival.sites).copied().collect());
        for rival in rivals {
            let heard = self.hear(catalog, rival.table, &rival.row, rival.flip, &rival.chain);
            let Some((ours, parity)) = heard else { continue };
            let held: BTreeSet<(usize, i64)> =
                rival.sites.iter().filter_map(|site| owners.get(site)).copied().collect();
            let beats = |&(table, rowid): &(usize, i64)| {
                let row = self.owner(table, rowid, &changes)?;
                let odd = row.oddity(&self.odds)?;
                Some(ours < self.hear(catalog, table, &row, odd.flip, &odd.chain)?.0)
            };
            if !held.iter().all(|owner| beats(owner).unwrap_or(false)) {
                continue;
            }
            for (table, rowid) in held {
                self.dispossess(table, rowid, &mut changes);
            }
            owners.extend(rival.sites.iter().map(|site| (*site, (rival.table, rival.row.rowid))));
            self.instate(rival, ours, parity, &mut changes);
        }
        self.apply(&changes);
    }

    /// The rows that go on as others do: the table and the rowid.
    fn torn(&self, catalog: &Catalog) -> Vec<(usize, i64)> {
        let mut torn = Vec::new();
        for (at, (rows, tree)) in self.tables.iter().zip(&catalog.tables).enumerate() {
            let unlikely: Vec<Row> = rows.whole.iter().filter(Row::is_suspect).collect();
            if unlikely.len() * COMMON > rows.whole.len() {
                continue;
            }
            for row in unlikely.into_iter().filter(|row| row.is(row::CHAINED)) {
                let Some(odd) = row.oddity(&self.odds) else { continue };
                let is_torn = self.assemble(&row, odd.flip, &odd.chain).is_some_and(|(payload, local, _)| {
                    let local = payload.get(..local).unwrap_or_default();
                    tree.table.goes_on_as_another(&payload, local, self.image.encoding())
                });
                if is_torn {
                    torn.push((at, row.rowid));
                }
            }
        }
        torn
    }

    /// The rows whose chain would be whole if no other row had taken pages of it.
    fn rivals(&self) -> Vec<Rival> {
        let mut open = Chains::bounded(LOOKS);
        let mut rivals = Vec::new();
        for (table, rows) in self.tables.iter().enumerate() {
            for row in rows.partial.iter().filter(|row| !rows.has(row.rowid)) {
                let flip = row.oddity(&self.odds).and_then(|odd| odd.flip);
                open.release();
                let Some(mut bytes) = self.image.page_at(row.site()) else { continue };
                let Some(cell) = row.cell_in(&mut bytes, flip, self.image.usable()) else { continue };
                if !self.image.is_whole(row.site(), cell.offset, cell.size) {
                    continue;
                }
                let followed = open.claim(&cell, self.image, &self.seen, &self.free);
                let Some(followed) = followed else { continue };
                if self.schema_chains.iter().any(|page| open.has_claimed(*page)) {
                    continue;
                }
                let sites: Vec<_> = followed.sites.iter().map(|site| (self.source, *site)).collect();
                let chain = row::runs(&sites, self.image.page_size());
                if self.is_hollow(row, flip, &followed.bytes, &chain) {
                    continue;
                }
                rivals.push(Rival { table, row: *row, flip, chain, sites: followed.sites });
            }
        }
        rivals
    }

    /// Which rows have the pages at `sites`.
    fn owners(&self, sites: &HashSet<Site>) -> HashMap<Site, (usize, i64)> {
        let mut owners = HashMap::new();
        for (table, rows) in self.tables.iter().enumerate() {
            for row in rows.whole.iter().filter(|row| row.is(row::CHAINED | row::MENDED)) {
                let odd = row.oddity(&self.odds);
                let runs = odd.into_iter().flat_map(|odd| odd.chain);
                let all = runs.flat_map(|run| {
                    (0..run.pages).map(move |index| run.site_of(index, self.image.page_size()))
                });
                owners.extend(all.filter(|site| sites.contains(site)).map(|site| (site, (table, row.rowid))));
            }
        }
        owners
    }

    fn owner(&self, table: usize, rowid: i64, changes: &Changes) -> Option<Row> {
        if let Some(changed) = changes.get(&(table, rowid)) {
            return *changed;
        }
        let rows = &self.tables.get(table)?.whole;
        rows.get(rows.find(rowid).ok()?)
    }

    /// Puts the rows that came to have a chain among the others, and takes out those that lost theirs.
    fn apply(&mut self, changes: &Changes) {
        for (table, rows) in self.tables.iter_mut().enumerate() {
            let of_table = changes.range((table, i64::MIN)..=(table, i64::MAX));
            if of_table.clone().next().is_none() {
                continue;
            }
            rows.whole.retain(|row| !changes.contains_key(&(table, row.rowid)));
            of_table.filter_map(|(_, row)| *row).for_each(|row| rows.whole.push(row));
            rows.whole.settle();
        }
    }

    /// What speaks against `row` with its payload going on in `chain`, and the parity of that; `None` if it makes no row of its
    /// table.
    fn hear(
        &self,
        catalog: &Catalog,
        table: usize,
        row: &Row,
        flip: Option<Flip>,
        chain: &[ByteRun],
    ) -> Option<(Doubt, u8)> {
        let (payload, _, goes_on) = self.assemble(row, flip, chain)?;
        let encoding = self.image.encoding();
        let record = Record::read(&payload).ok()?;
        let fit = catalog.tables.get(table)?.table.fit(&record, encoding)?;
        Some(((fit.strange, odd_characters(&record, encoding), goes_on, chain.len()), row::parity(&payload)))
    }

    /// The payload of `row` with its going on in `chain`, how much of it is in its cell, and whether the last page goes on behind
    /// it.
    fn assemble(&self, row: &Row, flip: Option<Flip>, chain: &[ByteRun]) -> Option<(Vec<u8>, usize, bool)> {
        let usable = self.image.usable();
        let mut bytes = self.image.page_at(row.site())?;
        let part = row.cell_in(&mut bytes, flip, usable)?.payload?;
        let len = usize::try_from(part.len).ok()?;
        let mut payload = part.local.to_vec();
        let mut goes_on = false;
        for run in chain {
            for index in 0..run.pages {
                let page = self.image.page_at(run.site_of(index, self.image.page_size()))?;
                let take = len.checked_sub(payload.len())?.min(usable.checked_sub(CONTENT)?);
                payload.extend_from_slice(page.get(CONTENT..CONTENT + take)?);
                goes_on = page.get(CONTENT + take..usable)?.iter().any(|byte| *byte != 0);
            }
        }
        Some((payload, part.local.len(), goes_on))
    }

    /// Takes its chain from a row, of which only the beginning is left then.
    fn dispossess(&mut self, table: usize, rowid: i64, changes: &mut Changes) {
        let Some(mut row) = self.owner(table, rowid, changes) else { return };
        let Some(rows) = self.tables.get_mut(table) else { return };
        changes.insert((table, rowid), None);
        let flip = row.oddity(&self.odds).and_then(|odd| odd.flip);
        row.odd = self.odds.push(&Odd { flip, ..Odd::default() });
        rows.gaps.add(Range { low: rowid.checked_sub(1), high: Some(rowid) });
        rows.partial.push(row);
    }

    /// Takes a row for whole whose chain was another's.
    fn instate(&mut self, rival: Rival, doubt: Doubt, parity: u8, changes: &mut Changes) {
        let Rival { table, mut row, flip, chain, .. } = rival;
        let Some(rows) = self.tables.get_mut(table) else { return };
        rows.partial.retain(|part| (part.rowid, part.page, part.cell) != (row.rowid, row.page, row.cell));
        row.odd = self.odds.push(&Odd { flip, chain, ..Odd::default() });
        row.parity = parity;
        row.mark(row::SUSPECT, doubt.0 > 0);
        if self.owner(table, row.rowid, changes).is_none() {
            changes.insert((table, row.rowid), Some(row));
        }
    }
}
