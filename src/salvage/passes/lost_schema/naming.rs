//! Tables of neutral names: for trees and loose leaves of which nothing says what table they are, so that their rows are not
//! dropped.

use std::collections::HashSet;
use std::sync::Arc;

use super::{InferredSchema, InferredTable, columns};
use crate::ondisk::page::Page;
use crate::ondisk::record::{Record, Value};
use crate::salvage::schema::column_sets::TextRemains;
use crate::salvage::schema::{Catalog, NAMELESS, TableSchema, TextOrigin, Tree};
use crate::store::audit::quoted;

/// Tables of neutral name that one source may have.
const MAX_NAMELESS: usize = 64;

impl InferredSchema<'_, '_> {
    /// Makes tables for trees and loose leaves that are none of the catalog's.
    pub(crate) fn name(&self, catalog: &mut Catalog, trees: Vec<InferredTable>, loose: &[u32]) {
        let mut nameless = Vec::new();
        for tree in trees {
            let columns = tree.sample().filter_map(|leaf| self.on(leaf, columns)?).max();
            nameless.extend(
                columns.map(|columns| (format!("{NAMELESS}{}", tree.root), columns, Some(tree.root))),
            );
        }
        let mut widths: Vec<usize> = Vec::new();
        for &leaf in loose {
            if Some(leaf) != catalog.sequence_root && self.classify(catalog, leaf).is_none() {
                widths.extend(self.on(leaf, |page| columns(page).filter(|_| page.is_sound())).flatten());
            }
        }
        widths.sort_unstable();
        widths.dedup();
        nameless.extend(widths.into_iter().map(|width| (format!("{NAMELESS}of_{width}"), width, None)));
        for (name, width, root) in nameless.into_iter().take(MAX_NAMELESS) {
            if let Some(table) = self.schemas.table(&nameless_text(&name, width)) {
                catalog.tables.push(Tree { table, root, text: TextOrigin::Whole });
            }
        }
    }

    /// Make tables for those of other programs whose texts are damaged: under their names, with the columns that are left of
    /// their texts and others of neutral names between.
    pub(crate) fn name_damaged(&self, catalog: &mut Catalog) {
        for damaged in std::mem::take(&mut catalog.damaged) {
            let widths = self.leaves(damaged.root).into_iter().filter_map(|leaf| self.on(leaf, columns)?);
            let Some(width) = widths.max() else {
                catalog.unread.push(damaged.name);
                continue;
            };
            let TextRemains { first, last } = damaged.remains;
            let behind = width.saturating_sub(last.len()).max(first.len());
            let names = (0..width).map(|at| {
                let known = first.get(at).or_else(|| last.get(at.checked_sub(behind)?));
                known.map_or_else(|| format!("c{}", at + 1), |name| quoted(name))
            });
            let names: Vec<_> = names.collect();
            let text = format!("CREATE TABLE {} ({})", quoted(&damaged.name), names.join(", "));
            let plain = || self.schemas.table(&nameless_text(&quoted(&damaged.name), width));
            if let Some(table) = self.schemas.table(&text).or_else(plain) {
                let text = TextOrigin::Whole;
                catalog.tables.push(Tree { table, root: Some(damaged.root), text });
            } else {
                catalog.unread.push(damaged.name);
            }
        }
    }

    /// Makes tables for trees of keys that are no indexes: a key of an index ends with a rowid. Which columns are the key of
    /// such a table nothing says, so its rows come back with rowids.
    pub(crate) fn name_keyed(&self, catalog: &mut Catalog, keys: &[(u32, Vec<u32>)]) {
        let children: HashSet<u32> = keys.iter().flat_map(|(_, children)| children).copied().collect();
        let roots = keys.iter().filter(|(number, _)| !children.contains(number));
        for (root, _) in roots.take(MAX_NAMELESS) {
            let Some(Some(width)) = self.on(*root, |page| columns(page).filter(|_| !is_index(page))) else {
                continue;
            };
            let name = format!("{NAMELESS}{root}");
            if let Some(table) = self.schemas.table(&nameless_text(&name, width)) {
                let table = TableSchema { keyed: Some(width), ..(*table).clone() };
                catalog.tables.push(Tree {
                    table: Arc::new(table),
                    root: Some(*root),
                    text: TextOrigin::Whole,
                });
            }
        }
    }
}

/// Whether most of the keys on `page` end with an integer.
fn is_index(page: &Page<'_>) -> bool {
    let records = page.cells().flatten().filter_map(|cell| Record::read(cell.payload?.local).ok());
    let (mut ending, mut all) = (0, 0);
    for record in records {
        all += 1;
        ending += usize::from(matches!(record.values().last(), Some(Value::Integer(_))));
    }
    2 * ending >= all
}

fn nameless_text(name: &str, width: usize) -> String {
    let columns: Vec<_> = (1..=width).map(|number| format!("c{number}")).collect();
    format!("CREATE TABLE {name} ({})", columns.join(", "))
}
