//! What the trees say: which leaves a table has, what its indexes name, and where children are missing.

use std::collections::HashMap;

use super::page_scan::{PageRole, Placed};
use super::table_rows::{Presence, TableRows};
use crate::failure::Outcome;
use crate::ondisk::btree::{self, Place, Range};
use crate::ondisk::page::Page;
use crate::ondisk::record::Value;
use crate::salvage::Pass;
use crate::salvage::rows::gaps::Gaps;
use crate::salvage::schema::column_values::{Domain, Likelihood};
use crate::salvage::schema::{Catalog, Tree};
use crate::work::threads::in_order;

/// Pages of an index that one thread reads before it asks for more.
const CHUNK: usize = 64;

impl Pass<'_, '_> {
    /// Walks the trees of tables down to their leaves, which are not read yet.
    pub(crate) fn walk(&mut self, catalog: &Catalog) {
        self.roles = vec![PageRole::Unreached; self.image.count() as usize + 1];
        for (table, tree) in catalog.tables.iter().enumerate() {
            self.walk_tree(table, tree);
        }
    }

    pub(crate) fn walk_tree(&mut self, table: usize, tree: &Tree) {
        self.tables
            .resize_with(self.tables.len().max(table + 1), || TableRows::new(&self.room, self.log_counts));
        let Some(root) = tree.root else { return };
        if tree.table.keyed.is_some() {
            // Its rows lie in the keys of a tree of the other sort, on leaves and above them.
            let walk = btree::walk_index(self.image, root, &mut self.seen);
            for page in walk.pages {
                let place = Place { page, range: Range::default() };
                self.assign(Placed { table, place }, PageRole::Leaf);
            }
            if !walk.lost.is_empty() {
                self.lose(table, Range::default());
            }
            self.damaged.extend(walk.lost);
            return;
        }
        let walk = btree::walk_table(self.image, root, &mut self.seen);
        self.interiors.extend(walk.interiors.iter().map(|page| (table, *page)));
        for place in walk.leaves {
            self.assign(Placed { table, place }, PageRole::Leaf);
        }
        for place in walk.lost {
            self.damaged.insert(place.page);
            self.lose(table, place.range);
            self.lost.push(Placed { table, place });
        }
    }

    /// Walks the trees of the tables that were not `known` to have one.
    pub(crate) fn walk_found(&mut self, catalog: &Catalog, known: &[bool]) {
        for (table, tree) in catalog.tables.iter().enumerate() {
            if !known.get(table).copied().unwrap_or(false) {
                self.walk_tree(table, tree);
            }
        }
    }

    /// Where there is no tree, every row may be missing; and pages that are not what their parents say may be after all.
    pub(crate) fn give_up_rootless(&mut self, catalog: &Catalog) {
        for (table, tree) in catalog.tables.iter().enumerate() {
            if tree.root.is_none() {
                self.lose(table, Range::default());
            }
        }
        for placed in std::mem::take(&mut self.lost) {
            if !self.seen.contains(placed.place.page) {
                self.assign(placed, PageRole::Lost);
            }
        }
    }

    pub(crate) fn walk_indexes(&mut self, catalog: &Catalog) {
        for (number, index) in catalog.indexes.iter().enumerate() {
            let mut pages = Vec::new();
            if index.root > 1 {
                let walk = btree::walk_index(self.image, index.root, &mut self.seen);
                if !walk.lost.is_empty() {
                    self.torn.insert(number);
                }
                self.damaged.extend(walk.lost);
                pages = walk.pages;
            }
            for &page in &pages {
                self.set_role(page, PageRole::Index);
            }
            self.indexes.push(pages);
        }
    }

    pub(crate) fn assign(&mut self, placed: Placed, role: impl Fn(u32) -> PageRole) {
        let number = u32::try_from(self.places.len()).unwrap_or(u32::MAX);
        self.places.push(placed);
        self.set_role(placed.place.page, role(number));
    }

    pub(crate) fn set_role(&mut self, page: u32, role: PageRole) {
        if let Some(known) = self.roles.get_mut(page as usize) {
            *known = role;
        }
    }

    pub(crate) fn lose(&mut self, table: usize, range: Range) {
        if let Some(rows) = self.tables.get_mut(table) {
            rows.gaps.add(range);
        }
    }

    /// Believes no table that it is empty if an index of it has an entry.
    pub(crate) fn doubt_empty(&mut self, catalog: &Catalog) {
        let of_table = indexes_of(catalog);
        for (number, tree) in catalog.tables.iter().enumerate() {
            let claims = |rows: &TableRows| rows.whole.is_empty() && !rows.is_damaged();
            let Some(root) = tree.root.filter(|_| self.tables.get(number).is_some_and(claims)) else {
                continue;
            };
            let indexes = of_table.get(tree.table.name.as_str()).into_iter().flatten();
            let mut pages = indexes.filter_map(|at| self.indexes.get(*at)).flatten();
            if pages.any(|page| self.has_cells(*page)) {
                self.damaged.insert(root);
                self.lose(number, Range::default());
            }
        }
    }

    pub(crate) fn has_cells(&self, page: u32) -> bool {
        let head = self.image.head(page).unwrap_or_default();
        Page::read(page, &head, self.image.usable()).is_ok_and(|page| page.cell_count() > 0)
    }

    /// Learns from the indexes of tables that are not whole which rows there were.
    ///
    /// # Errors
    /// When a thread ends before its work is done.
    pub(crate) fn ask_indexes(&mut self, catalog: &Catalog) -> Outcome<()> {
        let of_table = indexes_of(catalog);
        for (number, tree) in catalog.tables.iter().enumerate() {
            let Some(rows) = self.tables.get(number) else { continue };
            if !rows.is_damaged() && tree.table.keyed.is_some() {
                continue;
            }
            let presence = rows.presence();
            if !rows.is_damaged() {
                let agreed = self.named_by_all(of_table.get(tree.table.name.as_str()), &presence)?;
                let tasks = self.tasks_named(of_table.get(tree.table.name.as_str()), &agreed);
                let Some(rows) = self.tables.get_mut(number).filter(|_| !agreed.is_empty()) else { continue };
                rows.named = tasks;
                rows.gaps = Gaps::everything().narrowed(agreed.iter().copied());
                (rows.indexed, rows.highest_indexed, rows.is_indexed) =
                    (agreed.clone(), agreed.last().copied(), true);
                continue;
            }
            let mut named = NamedPages { rowids: Vec::new(), highest: None, whole: false };
            for &at in of_table.get(tree.table.name.as_str()).into_iter().flatten() {
                if let Some(pages) = self.indexes.get(at).filter(|pages| !pages.is_empty()) {
                    let read = self.rowids_of(pages, &presence)?;
                    named.whole |= read.whole && !self.torn.contains(&at);
                    named.rowids.extend(read.rowids);
                    named.highest = named.highest.max(read.highest);
                }
            }
            named.rowids.sort_unstable();
            named.rowids.dedup();
            let tasks = self.tasks_named(of_table.get(tree.table.name.as_str()), &named.rowids);
            let Some(rows) = self.tables.get_mut(number) else { continue };
            rows.named = tasks;
            if named.whole {
                // What a whole index does not name is not missing but deleted.
                rows.gaps = rows.gaps.narrowed(named.rowids.iter().copied());
            }
            (rows.indexed, rows.highest_indexed, rows.is_indexed) =
                (named.rowids, named.highest, named.whole);
        }
        Ok(())
    }

    /// The tasks that `indexes` name for `rowids`, which are in order.
    fn tasks_named(&self, indexes: Option<&Vec<usize>>, rowids: &[i64]) -> Vec<(i64, Vec<u8>)> {
        let mut tasks = Vec::new();
        if rowids.is_empty() {
            return tasks;
        }
        for page in indexes.into_iter().flatten().filter_map(|&at| self.indexes.get(at)).flatten() {
            let bytes = self.image.page(*page).unwrap_or_default();
            let Ok(page) = Page::read(*page, &bytes, self.image.usable()) else { continue };
            btree::index_entries(&page, |record, rowid| {
                let is_task = |value: &Value<'_>| Domain::Task.judge(*value) == Likelihood::Sure;
                if rowids.binary_search(&rowid).is_ok()
                    && let Some(Value::Text(task)) = record.values().find(is_task)
                {
                    tasks.push((rowid, self.image.encoding().decode(task).into_owned()));
                }
            });
        }
        tasks.sort();
        tasks.dedup_by_key(|(rowid, _)| *rowid);
        tasks
    }

    /// The rowids that every whole index names and no row has: an older image of a leaf came back. What only some of the indexes
    /// name is an error of theirs. Mostly the first index has none, and no other is read.
    fn named_by_all(&self, indexes: Option<&Vec<usize>>, rows: &Presence<'_>) -> Outcome<Vec<i64>> {
        let mut agreed: Option<Vec<i64>> = None;
        for &at in indexes.into_iter().flatten().filter(|at| !self.torn.contains(at)) {
            let Some(pages) = self.indexes.get(at).filter(|pages| !pages.is_empty()) else { continue };
            let mut named = self.rowids_of(pages, rows)?;
            if !named.whole {
                continue;
            }
            named.rowids.sort_unstable();
            named.rowids.dedup();
            if let Some(known) = &agreed {
                named.rowids.retain(|rowid| known.binary_search(rowid).is_ok());
            }
            if named.rowids.is_empty() {
                return Ok(Vec::new());
            }
            agreed = Some(named.rowids);
        }
        Ok(agreed.unwrap_or_default())
    }

    /// What the index of the `pages` names that is not among `rows`.
    fn rowids_of(&self, pages: &[u32], rows: &Presence<'_>) -> Outcome<NamedPages> {
        let chunks: Vec<&[u32]> = pages.chunks(CHUNK).collect();
        let read = |at: usize| {
            let mut named = NamedPages { rowids: Vec::new(), highest: None, whole: true };
            for &page in chunks.get(at).copied().unwrap_or_default() {
                let bytes = self.image.page(page).unwrap_or_default();
                let page = Page::read(page, &bytes, self.image.usable());
                named.whole &=
                    page.is_ok_and(|page| btree::index_rowids(&page, |rowid| named.take(rowid, rows)));
            }
            named
        };
        let mut all = NamedPages { rowids: Vec::new(), highest: None, whole: true };
        in_order(chunks.len(), self.threads, read, |_, named| {
            all.rowids.extend(named.rowids);
            all.highest = all.highest.max(named.highest);
            all.whole &= named.whole;
            Ok(())
        })?;
        Ok(all)
    }
}

/// The indexes of each table, as places in the list of the catalog.
pub(crate) fn indexes_of(catalog: &Catalog) -> HashMap<&str, Vec<usize>> {
    let mut of_table: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, index) in catalog.indexes.iter().enumerate() {
        of_table.entry(&index.table).or_default().push(at);
    }
    of_table
}

/// What indexes name.
struct NamedPages {
    /// Rowids that no row has.
    rowids: Vec<i64>,
    highest: Option<i64>,
    /// Whether all that there was could be read.
    whole: bool,
}

impl NamedPages {
    fn take(&mut self, rowid: i64, rows: &Presence<'_>) {
        self.highest = self.highest.max(Some(rowid));
        if !rows.has(rowid) {
            self.rowids.push(rowid);
        }
    }
}
