//! From the root of a tree to its leaves, bounded and safe from cycles: no page is entered twice.
//!
//! ```text
//!   interior   [child k1 child k2 ... child]     a child's keys lie above the key before it, up to the key behind it
//!   leaf       [cell cell cell]
//! ```

use super::image::Image;
use super::page::{Page, PageKind};
use super::record::{Record, Value};

/// Rowids between two keys of a parent: above `low`, up to and with `high`; open where there is no bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Range {
    /// The highest rowid below.
    pub low: Option<i64>,
    /// The highest rowid inside.
    pub high: Option<i64>,
}

impl Range {
    /// Whether `rowid` lies inside.
    pub fn contains(&self, rowid: i64) -> bool {
        self.low.is_none_or(|low| rowid > low) && self.high.is_none_or(|high| rowid <= high)
    }
}

/// A page of a tree and the rowids that its parents give it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The page number.
    pub page: u32,
    /// The rowids that belong there.
    pub range: Range,
}

/// What a walk from the root of a table met.
#[derive(Debug, Clone, Default)]
pub struct Walk {
    /// Leaves in key order as far as the interior pages are.
    pub leaves: Vec<Place>,
    /// Interior pages.
    pub interiors: Vec<u32>,
    /// Places where rows may be missing: children that are no page of a table, and interior pages that are not sound.
    pub lost: Vec<Place>,
}

/// Which pages have been entered.
#[derive(Debug, Clone)]
pub struct VisitedPages {
    entered: Vec<bool>,
}

impl VisitedPages {
    /// None of the pages of `image`.
    pub fn new(image: &Image<'_>) -> Self {
        Self { entered: vec![false; image.count() as usize + 1] }
    }

    /// Marks `page`; false if it does not exist or was marked before.
    pub fn enter(&mut self, page: u32) -> bool {
        match self.entered.get_mut(page as usize) {
            Some(entered) if page != 0 && !*entered => {
                *entered = true;
                true
            }
            _ => false,
        }
    }

    /// Takes the mark from `page`: it was entered by a wrong pointer.
    pub fn leave(&mut self, page: u32) {
        if let Some(entered) = self.entered.get_mut(page as usize) {
            *entered = false;
        }
    }

    /// Whether `page` is marked.
    pub fn contains(&self, page: u32) -> bool {
        self.entered.get(page as usize).copied().unwrap_or(false)
    }
}

/// Walks the table whose root is `root`. Pages are marked in `seen`; those marked before are lost to this walk.
pub fn walk_table(image: &Image<'_>, root: u32, seen: &mut VisitedPages) -> Walk {
    let mut walk = Walk::default();
    let mut stack = vec![Place { page: root, range: Range::default() }];
    while let Some(place) = stack.pop() {
        let kind = kind_of(image, place.page, root).filter(|kind| kind.is_table());
        if kind.is_none() || !seen.enter(place.page) {
            walk.lost.push(place);
            continue;
        }
        if kind == Some(PageKind::TableLeaf) {
            walk.leaves.push(place);
            continue;
        }
        let bytes = image.page(place.page).unwrap_or_default();
        let Ok(page) = Page::read(place.page, &bytes, image.usable()) else {
            walk.lost.push(place);
            continue;
        };
        walk.interiors.push(place.page);
        let (children, whole) = children(&page, place.range);
        if !whole {
            walk.lost.push(place);
        }
        stack.extend(children.into_iter().rev());
    }
    walk
}

/// What page `number` of the tree of `root` says that it is; of a leaf no more is read than that. Nothing for an empty
/// leaf below a root: SQLite gives back a page with its last cell, so that one is no page of the tree any more.
fn kind_of(image: &Image<'_>, number: u32, root: u32) -> Option<PageKind> {
    let head = image.head(number)?;
    let page = Page::read(number, &head, image.usable()).ok()?;
    let leaf = matches!(page.kind(), PageKind::TableLeaf | PageKind::IndexLeaf);
    (number == root || !leaf || page.cell_count() > 0).then_some(page.kind())
}

/// The children of an interior page in key order, and whether nothing in the page speaks against it.
fn children(page: &Page<'_>, range: Range) -> (Vec<Place>, bool) {
    let mut whole = page.is_sound();
    let mut children = Vec::new();
    let mut low = range.low;
    for cell in page.cells() {
        let Ok(cell) = cell else {
            whole = false;
            continue;
        };
        let ordered = low.is_none_or(|low| cell.rowid > low) && range.contains(cell.rowid);
        if !ordered {
            whole = false;
        }
        if let Some(left) = cell.left {
            // A key out of order bounds nothing.
            let bound = Range { low, high: if ordered { Some(cell.rowid) } else { range.high } };
            children.push(Place { page: left, range: bound });
        }
        if ordered {
            low = Some(cell.rowid);
        }
    }
    if let Some(right) = page.right_child() {
        children.push(Place { page: right, range: Range { low, high: range.high } });
    }
    (children, whole)
}

/// What a walk from the root of an index met.
#[derive(Debug, Clone, Default)]
pub struct IndexWalk {
    /// The pages of the tree.
    pub pages: Vec<u32>,
    /// Pages that are not there or are no pages of an index, and interior pages that are not sound.
    pub lost: Vec<u32>,
}

/// Walks the index whose root is `root`.
pub fn walk_index(image: &Image<'_>, root: u32, seen: &mut VisitedPages) -> IndexWalk {
    let mut walk = IndexWalk::default();
    let mut stack = vec![root];
    while let Some(number) = stack.pop() {
        let kind = kind_of(image, number, root).filter(|kind| !kind.is_table() && seen.enter(number));
        let Some(kind) = kind else {
            walk.lost.push(number);
            continue;
        };
        walk.pages.push(number);
        if kind == PageKind::IndexLeaf {
            continue;
        }
        let bytes = image.page(number).unwrap_or_default();
        let Ok(page) = Page::read(number, &bytes, image.usable()) else {
            walk.lost.push(number);
            continue;
        };
        if !page.is_sound() {
            walk.lost.push(number);
        }
        stack.extend(page.cells().flatten().filter_map(|cell| cell.left));
        stack.extend(page.right_child());
    }
    walk
}

/// Gives the last column of every key on `page` to `take`: the rowid of the row in an ordinary index. False unless every
/// key could be read; one that goes on in overflow pages cannot.
pub fn index_rowids(page: &Page<'_>, mut take: impl FnMut(i64)) -> bool {
    index_entries(page, |_, rowid| take(rowid))
}

/// Gives every entry of an index page with the rowid that it names to `take`; returns whether these are all.
pub fn index_entries<'p>(page: &Page<'p>, mut take: impl FnMut(&Record<'p>, i64)) -> bool {
    let mut whole = page.is_sound();
    for cell in page.cells().flatten() {
        let Some(payload) = cell.payload else { continue };
        let record = Record::read(payload.local).ok();
        let last = record.as_ref().and_then(|record| record.values().last());
        match (record, last) {
            (Some(record), Some(Value::Integer(rowid))) if payload.overflow.is_none() => take(&record, rowid),
            _ => whole = false,
        }
    }
    whole
}
