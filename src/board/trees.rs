//! Whether the trees of an image are whole, as far as kinds of pages, the order of rowids and the places of pages tell.
//!
//! Not here: rows and cells within a page. `health` and SQLite look at those.

use std::collections::HashSet;

use crate::ondisk::image::Image;
use crate::ondisk::page::{Page, PageKind};
use crate::ondisk::record::{Record, Value};

/// The deepest tree that there can be: every interior page has two children at least.
const MAX_DEPTH: usize = 32;

/// How much of each tree is walked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WalkedExtent {
    /// Every page.
    Whole,
    /// Every page; rows that do not begin as those of Hermes' table are faults. A sign, no proof.
    WholeWithShapes,
    /// From the root to the last leaf, where new rows go.
    LastLeaf,
}

/// What a walk over the trees found.
#[derive(Debug, Default)]
pub(super) struct TreeWalk {
    /// Pages that are not what their tree says.
    pub(super) faults: u64,
    /// Pages that a tree or the beginning of a chain uses.
    pub(super) used: HashSet<u32>,
}

/// LeafWalk every tree that the schema of `image` names, and give each sound leaf of a table to `see`.
pub(super) fn walk(image: &Image<'_>, extent: WalkedExtent, see: impl FnMut(u32, &[u8])) -> TreeWalk {
    let mut walk =
        LeafWalk { image, extent, chains: Vec::new(), roots: Vec::new(), found: TreeWalk::default(), see };
    let schema = Root { page: 1, is_table: true, first: None };
    // New tables are rare, and a schema is small.
    walk.tree(&schema, WalkedExtent::Whole);
    for root in std::mem::take(&mut walk.roots) {
        walk.tree(&root, extent);
    }
    let chains = std::mem::take(&mut walk.chains);
    let used = &walk.found.used;
    // A chain begins on a page that is there and that no tree uses.
    let is_wrong = |page: &u32| *page == 0 || *page > image.count() || used.contains(page);
    let wrong = chains.iter().filter(|page| is_wrong(page)).count() as u64;
    walk.found.faults += wrong;
    walk.found.used.extend(chains);
    walk.found
}

/// The first value of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FirstKey {
    /// NULL: the rowid stands for it.
    Rowid,
    /// A text id.
    Id,
}

/// What a row of the schema says of a tree.
struct Root {
    page: u32,
    is_table: bool,
    /// What rows begin with, in a table of Hermes.
    first: Option<FirstKey>,
}

struct LeafWalk<'i, 'a, S> {
    image: &'i Image<'a>,
    extent: WalkedExtent,
    /// The first pages of overflow chains.
    chains: Vec<u32>,
    roots: Vec<Root>,
    found: TreeWalk,
    see: S,
}

/// A page that waits for its turn, with the rowids that its parent leaves it.
struct Waiting {
    page: u32,
    above: Option<i64>,
    up_to: Option<i64>,
}

impl<S: FnMut(u32, &[u8])> LeafWalk<'_, '_, S> {
    fn tree(&mut self, root: &Root, extent: WalkedExtent) {
        let kind = self.image.head(root.page).and_then(|head| {
            Page::read(root.page, &head, self.image.usable()).ok().map(|page| page.kind().is_table())
        });
        // A table without rowid is a tree of keys, like an index.
        let Some(by_rowid) = kind.filter(|by_rowid| root.is_table || !by_rowid) else {
            self.found.faults += 1;
            return;
        };
        let mut waiting = vec![Waiting { page: root.page, above: None, up_to: None }];
        let mut steps = 0;
        while let Some(next) = waiting.pop() {
            let mut children = Vec::new();
            if self.page(&next, by_rowid, root, &mut children).is_none() {
                self.found.faults += 1;
            }
            steps += 1;
            if extent == WalkedExtent::LastLeaf {
                waiting.extend(children.pop().filter(|_| steps < MAX_DEPTH));
            } else {
                waiting.append(&mut children);
            }
        }
    }

    /// Look at one page. None if it cannot be what its tree says.
    fn page(&mut self, at: &Waiting, by_rowid: bool, root: &Root, children: &mut Vec<Waiting>) -> Option<()> {
        if !self.found.used.insert(at.page) {
            return None;
        }
        let bytes = self.image.page(at.page)?;
        let page = Page::read(at.page, &bytes, self.image.usable()).ok()?;
        let kind = page.kind();
        if kind.is_table() != by_rowid {
            return None;
        }
        let mut last = at.above;
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
                if self.extent != WalkedExtent::LastLeaf {
                    self.chains.extend(payload.overflow);
                }
                if kind == PageKind::TableLeaf && root.page == 1 {
                    self.roots.extend(root_of(payload.local));
                }
                let is_judged = self.extent != WalkedExtent::Whole && root.first.is_some();
                if kind == PageKind::TableLeaf && is_judged && root.first != first_of(payload.local) {
                    return None;
                }
            }
        }
        if let Some(child) = page.right_child() {
            children.push(Waiting { page: child, above: last, up_to: at.up_to });
        }
        if kind == PageKind::TableLeaf {
            (self.see)(at.page, &bytes);
        }
        Some(())
    }
}

fn first_of(payload: &[u8]) -> Option<FirstKey> {
    match Record::prefix(payload).ok()?.values().next()? {
        Value::Null => Some(FirstKey::Rowid),
        Value::Text(_) => Some(FirstKey::Id),
        _ => None,
    }
}

/// What a row of the schema says of a tree; none where it names no root.
fn root_of(payload: &[u8]) -> Option<Root> {
    const NUMBERED: [&[u8]; 4] = [b"task_events", b"task_runs", b"task_comments", b"task_attachments"];
    let record = Record::prefix(payload).ok()?;
    let mut values = record.values();
    // In UTF-16 every other byte of an ASCII word is zero.
    let mut word = || match values.next()? {
        Value::Text(word) => Some(word.iter().copied().filter(|byte| *byte != 0).collect::<Vec<u8>>()),
        _ => None,
    };
    let (kind, name, _) = (word()?, word()?, word()?);
    let Some(Value::Integer(root)) = values.next() else { return None };
    let page = u32::try_from(root).ok().filter(|root| *root > 0)?;
    let is_table = kind == b"table";
    let first = match name.as_slice() {
        b"tasks" if is_table => Some(FirstKey::Id),
        name if is_table && NUMBERED.contains(&name) => Some(FirstKey::Rowid),
        _ => None,
    };
    Some(Root { page, is_table, first })
}
