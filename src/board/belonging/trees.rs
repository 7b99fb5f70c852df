//! Whether the trees of an image are whole, as far as kinds of pages, the order of rowids and the places of pages tell.
//!
//! Not here: rows and cells within a page. `health` and SQLite look at those.

use std::collections::HashSet;

use super::facts::SourceFacts;
use crate::ondisk::image::Image;
use crate::ondisk::page::{Page, PageKind};
use crate::ondisk::record::{Record, Value};

/// What a walk over every tree found.
#[derive(Debug, Default)]
pub(super) struct TreeCheck {
    /// Pages that are not what their tree says.
    pub(super) faults: u64,
    /// What the rows say.
    pub(super) facts: SourceFacts,
}

/// Walk every tree that the schema of `image` names.
pub(super) fn check(image: &Image<'_>) -> TreeCheck {
    let mut walk = Walk {
        image,
        seen: HashSet::new(),
        chains: Vec::new(),
        roots: Vec::new(),
        found: TreeCheck::default(),
    };
    walk.tree(1, Some(true));
    let roots = std::mem::take(&mut walk.roots);
    for (root, is_table) in roots {
        // A table without rowid is a tree of keys, like an index: the root tells.
        let by_rowid = if is_table { walk.is_by_rowid(root) } else { Some(false) };
        walk.tree(root, by_rowid);
    }
    // A chain begins on a page that is there and that no tree uses.
    let chains = std::mem::take(&mut walk.chains);
    let is_wrong = |page: &u32| *page == 0 || *page > image.count() || walk.seen.contains(page);
    walk.found.faults += chains.iter().filter(|page| is_wrong(page)).count() as u64;
    walk.found
}

struct Walk<'i, 'a> {
    image: &'i Image<'a>,
    seen: HashSet<u32>,
    /// The first pages of overflow chains.
    chains: Vec<u32>,
    /// The roots that the schema names, and whether each is a table's.
    roots: Vec<(u32, bool)>,
    found: TreeCheck,
}

/// A page that waits for its turn, with the rowids that its parent leaves it.
struct Waiting {
    page: u32,
    above: Option<i64>,
    up_to: Option<i64>,
}

impl Walk<'_, '_> {
    fn is_by_rowid(&self, root: u32) -> Option<bool> {
        let head = self.image.head(root)?;
        Page::read(root, &head, self.image.usable()).ok().map(|page| page.kind().is_table())
    }

    fn tree(&mut self, root: u32, by_rowid: Option<bool>) {
        let Some(by_rowid) = by_rowid else {
            self.found.faults += 1;
            return;
        };
        let mut waiting = vec![Waiting { page: root, above: None, up_to: None }];
        while let Some(next) = waiting.pop() {
            if self.page(&next, by_rowid, root == 1, &mut waiting).is_none() {
                self.found.faults += 1;
            }
        }
    }

    /// Look at one page. None if it cannot be what its tree says.
    fn page(
        &mut self,
        at: &Waiting,
        by_rowid: bool,
        is_schema: bool,
        waiting: &mut Vec<Waiting>,
    ) -> Option<()> {
        if !self.seen.insert(at.page) {
            return None;
        }
        let bytes = self.image.page(at.page)?;
        let page = Page::read(at.page, &bytes, self.image.usable()).ok()?;
        let kind = page.kind();
        if kind.is_table() != by_rowid {
            return None;
        }
        let mut last = at.above;
        let mut children = Vec::new();
        for cell in page.cells() {
            let cell = cell.ok()?;
            if by_rowid {
                let in_order = last.is_none_or(|last| cell.rowid > last)
                    && at.up_to.is_none_or(|up_to| cell.rowid <= up_to);
                if !in_order {
                    return None;
                }
            }
            if let Some(child) = cell.left {
                let up_to = by_rowid.then_some(cell.rowid);
                children.push(Waiting { page: child, above: last, up_to });
            }
            last = by_rowid.then_some(cell.rowid);
            if let Some(payload) = cell.payload {
                self.chains.extend(payload.overflow);
                if is_schema && kind == PageKind::TableLeaf {
                    self.roots.extend(root_of(payload.local));
                }
            }
        }
        if let Some(child) = page.right_child() {
            children.push(Waiting { page: child, above: last, up_to: at.up_to });
        }
        waiting.append(&mut children);
        if kind == PageKind::TableLeaf {
            self.found.facts.add_page(at.page, &bytes, self.image);
        }
        Some(())
    }
}

/// The root that a row of the schema names, and whether it is a table's.
fn root_of(payload: &[u8]) -> Option<(u32, bool)> {
    const TYPE: usize = 0;
    const ROOT: usize = 3;
    let record = Record::prefix(payload).ok()?;
    let is_table = match record.values().nth(TYPE)? {
        // In UTF-16 every other byte of an ASCII word is zero.
        Value::Text(word) => word.iter().copied().filter(|byte| *byte != 0).eq(b"table".iter().copied()),
        _ => return None,
    };
    match record.values().nth(ROOT)? {
        Value::Integer(root) => {
            u32::try_from(root).ok().filter(|root| *root > 0).map(|root| (root, is_table))
        }
        _ => None,
    }
}
