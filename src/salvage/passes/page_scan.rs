//! The one pass over all pages of a source: in the order of the file, in large pieces, on every core.
//!
//! What the trees say about a page is known before (`salvage` walks them first) and given as its [`PageRole`]; here the page
//! is read under that role, or, where none reached it, under the table whose shape its rows have. What the readings mean
//! for each other is `salvage`'s part, which gets them in the order of the pages.

use std::collections::HashSet;

use super::leaf::{self, SalvagedLeaf, Spot};
use crate::ondisk::btree::{Place, VisitedPages};
use crate::ondisk::image::{Image, Site};
use crate::ondisk::overflow;
use crate::ondisk::page::{Cell, Page, PageKind};
use crate::ondisk::record::Record;
use crate::salvage::image::chains::Chains;
use crate::salvage::rows::row::Row;
use crate::salvage::schema::{SchemaEntry, TableSchema, Tree};

/// Bytes that are read at once.
const PIECE: usize = 1 << 20;
/// Pages that one piece may read to see whether the chains of mended cells are there.
const LOOKS: u64 = 4096;

/// What is known of a page before it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PageRole {
    /// No tree reached it.
    Unreached,
    /// It has been read, or holds no rows.
    Done,
    /// A page of an index.
    Index,
    /// A leaf, as an index into the list of places.
    Leaf(u32),
    /// A tree has it for a child, but it names itself something else; as above.
    Lost(u32),
}

/// A page below a table's root.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Placed {
    /// The table, as an index into the list of tables.
    pub(crate) table: usize,
    pub(crate) place: Place,
}

/// What vouches for a leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PageOrigin {
    /// The tree of its table.
    Tree(Place),
    /// The tree, against what the page says of itself.
    Lost(Place),
    /// Only the shape of its rows.
    Shape,
}

/// What a page turned out to be.
#[derive(Debug)]
pub(crate) enum PageFinding {
    /// A leaf of the table with this number.
    Leaf { table: usize, page: u32, origin: PageOrigin, leaf: SalvagedLeaf },
    /// A leaf that is none of the table whose tree has it.
    Misplaced(Placed),
    /// A page of an index that is not sound.
    Damaged(u32),
    /// A page that does not say what it is.
    Unknown(u32),
}

/// All that a reading of pages needs to know.
pub(crate) struct Scan<'w, 'a> {
    pub(crate) source: u32,
    pub(crate) image: &'w Image<'a>,
    pub(crate) tables: &'w [Tree],
    pub(crate) roles: &'w [PageRole],
    pub(crate) places: &'w [Placed],
    pub(crate) seen: &'w VisitedPages,
    pub(crate) free: &'w HashSet<u32>,
}

/// Pages in a piece of `image`.
pub(crate) fn stride(image: &Image<'_>) -> u32 {
    u32::try_from(PIECE / image.page_size()).unwrap_or(1).max(1)
}

/// How many pieces `image` has.
pub(crate) fn pieces(image: &Image<'_>) -> usize {
    image.count().div_ceil(stride(image)) as usize
}

/// The numbers of the pages in piece `index`.
pub(crate) fn numbers(image: &Image<'_>, index: usize) -> std::ops::RangeInclusive<u32> {
    let stride = stride(image);
    let first = u32::try_from(index).unwrap_or(u32::MAX).saturating_mul(stride).saturating_add(1);
    first..=first.saturating_add(stride - 1).min(image.count())
}

/// The leaves in piece `index` that hold rows of a schema.
pub(crate) fn schema_leaves(image: &Image<'_>, index: usize) -> Vec<u32> {
    let numbers = numbers(image, index);
    if image.is_hole(*numbers.start(), numbers.end() + 1 - numbers.start()) {
        return Vec::new();
    }
    let piece = image.piece(*numbers.start(), stride(image));
    let holds = |number: &u32| {
        let bytes = piece.page(*number).unwrap_or_default();
        let Ok(page) = Page::read(*number, &bytes, image.usable()) else { return false };
        page.kind() == PageKind::TableLeaf
            && page.cells().flatten().filter_map(|cell| cell.payload).any(|payload| {
                Record::prefix(payload.local)
                    .is_ok_and(|record| SchemaEntry::is_likely(&record, image.encoding()))
            })
    };
    numbers.filter(holds).collect()
}

impl Scan<'_, '_> {
    /// Reads the pages of piece `index`.
    pub(crate) fn piece(&self, index: usize) -> Vec<PageFinding> {
        let numbers = numbers(self.image, index);
        let is_unreached =
            |number: u32| self.roles.get(number as usize).is_none_or(|role| *role == PageRole::Unreached);
        let count = numbers.end() + 1 - numbers.start();
        if numbers.clone().all(is_unreached) && self.image.is_hole(*numbers.start(), count) {
            return Vec::new();
        }
        let piece = self.image.piece(*numbers.start(), stride(self.image));
        let mut chains = Chains::bounded(LOOKS);
        let mut found = Vec::new();
        for number in numbers {
            let role = self.roles.get(number as usize).copied().unwrap_or(PageRole::Done);
            if role == PageRole::Done {
                continue;
            }
            let Some(bytes) = piece.page(number) else { continue };
            self.page(number, &bytes, role, &mut chains, &mut found);
        }
        found
    }

    fn page(
        &self,
        number: u32,
        bytes: &[u8],
        role: PageRole,
        chains: &mut Chains,
        found: &mut Vec<PageFinding>,
    ) {
        let named = Page::read(number, bytes, self.image.usable());
        let placed = |index: u32| self.places.get(index as usize).copied();
        match (role, named) {
            (PageRole::Index, Ok(page)) if page.is_sound() => {}
            (PageRole::Index, _) => found.push(PageFinding::Damaged(number)),
            (PageRole::Leaf(index), Ok(page)) => {
                let Some(placed) = placed(index) else { return };
                let leaf = self.leaf(placed.table, number, &page, chains);
                if self.is_of_another(placed.table, &page, &leaf) {
                    // A root or child pointer is wrong: the page is one that no tree reaches.
                    found.push(PageFinding::Misplaced(placed));
                    self.stray(number, bytes, chains, found);
                } else {
                    let (table, origin) = (placed.table, PageOrigin::Tree(placed.place));
                    found.push(PageFinding::Leaf { table, page: number, origin, leaf });
                }
            }
            (PageRole::Lost(index), named) => {
                if named.is_ok_and(|page| page.kind().is_table() || page.is_sound()) {
                    return;
                }
                let (Some(placed), Some(page)) = (placed(index), self.as_leaf(number, bytes)) else { return };
                if self.fits(placed.table, &page) {
                    let leaf = self.leaf(placed.table, number, &page, chains);
                    let (table, origin) = (placed.table, PageOrigin::Lost(placed.place));
                    found.push(PageFinding::Leaf { table, page: number, origin, leaf });
                } else {
                    found.push(PageFinding::Unknown(number));
                }
            }
            (PageRole::Unreached, _) => self.stray(number, bytes, chains, found),
            (PageRole::Done | PageRole::Leaf(_), _) => {}
        }
    }

    /// The rows of the image of page `number` at `site`, if it is a whole leaf, and the number of their table.
    pub(crate) fn image_at(&self, number: u32, site: Site) -> Option<(usize, SalvagedLeaf)> {
        let bytes = self.image.page_at(site)?;
        let page = Page::read(number, &bytes, self.image.usable()).ok()?;
        if page.kind() != PageKind::TableLeaf || page.cell_count() == 0 || !page.is_sound() {
            return None;
        }
        let table = self.classify(&page)?;
        Some((table, self.leaf_at(table, number, site, &page, &mut Chains::bounded(LOOKS))?))
    }

    /// The rows of `table` on page `number`, which has been found to be a stray leaf of it.
    pub(crate) fn stray_leaf(&self, table: usize, number: u32) -> SalvagedLeaf {
        let bytes = self.image.page(number).unwrap_or_default();
        let page = self.as_leaf(number, &bytes);
        page.map_or_else(SalvagedLeaf::default, |page| {
            self.leaf(table, number, &page, &mut Chains::bounded(LOOKS))
        })
    }

    /// A leaf that no tree reaches: of the table whose shape its rows have best.
    fn stray(&self, number: u32, bytes: &[u8], chains: &mut Chains, found: &mut Vec<PageFinding>) {
        let page = match Page::read(number, bytes, self.image.usable()) {
            Ok(page) if page.kind() == PageKind::TableLeaf => page,
            // An interior page that no tree reaches may have been a leaf once.
            Ok(page) if page.kind() == PageKind::TableInterior => {
                return found.push(PageFinding::Unknown(number));
            }
            Ok(page) if page.is_sound() => return,
            _ => match self.as_leaf(number, bytes) {
                Some(page) if page.cell_count() > 0 && page.is_sound() => page,
                _ if may_be_link(bytes, self.image.count()) => return,
                _ => return found.push(PageFinding::Unknown(number)),
            },
        };
        if let Some(table) = self.classify(&page) {
            let leaf = self.leaf(table, number, &page, chains);
            found.push(PageFinding::Leaf { table, page: number, origin: PageOrigin::Shape, leaf });
        } else if !page.is_sound() {
            found.push(PageFinding::Unknown(number));
        }
    }

    fn as_leaf<'p>(&self, number: u32, bytes: &'p [u8]) -> Option<Page<'p>> {
        Page::read_as(PageKind::TableLeaf, number, bytes, self.image.usable()).ok()
    }

    fn leaf(&self, table: usize, number: u32, page: &Page<'_>, chains: &mut Chains) -> SalvagedLeaf {
        let site = self.image.site(number);
        site.and_then(|site| self.leaf_at(table, number, site, page, chains)).unwrap_or_default()
    }

    fn leaf_at(
        &self,
        table: usize,
        number: u32,
        site: Site,
        page: &Page<'_>,
        chains: &mut Chains,
    ) -> Option<SalvagedLeaf> {
        let spot = Spot { source: self.source, page: number, site, encoding: self.image.encoding() };
        let mut whole = |cell: &Cell<'_>| chains.is_whole(cell, self.image, self.seen, self.free);
        let mut leaf = leaf::read(self.table(table)?, spot, page, &mut whole);
        if !self.image.is_whole(site, 0, page.bytes().len()) {
            let is_whole = |row: &Row| {
                let cell = page.cell(usize::from(row.cell));
                cell.is_ok_and(|cell| self.image.is_whole(site, cell.offset, cell.size))
            };
            leaf.hollow.extend(leaf.rows.extract_if(.., |row| !is_whole(row)));
        }
        Some(leaf)
    }

    fn table(&self, table: usize) -> Option<&TableSchema> {
        self.tables.get(table).map(|tree| &*tree.table)
    }

    fn fits(&self, table: usize, page: &Page<'_>) -> bool {
        self.table(table).is_some_and(|table| leaf::fit(table, page, self.image.encoding()).is_some())
    }

    /// Whether a whole page has no rows of `table`, from which `leaf` was read.
    fn is_of_another(&self, table: usize, page: &Page<'_>, leaf: &SalvagedLeaf) -> bool {
        let most = 2 * leaf.rows.len() > page.cell_count();
        !most && leaf.sound && page.cell_count() > 0 && self.classify(page) != Some(table)
    }

    /// The table whose shape the rows on `page` have best.
    fn classify(&self, page: &Page<'_>) -> Option<usize> {
        let tables = self.tables.iter().enumerate();
        let fits = tables.filter_map(|(number, tree)| {
            let fit = leaf::fit(&tree.table, page, self.image.encoding())?;
            Some((tree.table.is_nameless(), fit, !tree.table.is_known(), number))
        });
        fits.min().map(|(.., number)| number)
    }
}

/// Whether an unreached page can be one of a chain: it names a page that exists, or none, and goes on with content.
fn may_be_link(bytes: &[u8], count: u32) -> bool {
    let content = bytes.get(4..8).is_some_and(|content| content.iter().any(|byte| *byte != 0));
    content && overflow::next_page(bytes).is_some_and(|next| next <= count)
}
