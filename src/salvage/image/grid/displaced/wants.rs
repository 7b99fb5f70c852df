//! What pages name each other as, and which are not what they are named as.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::ondisk::btree::Range;
use crate::ondisk::image::Image;
use crate::ondisk::overflow::{self, CONTENT};
use crate::ondisk::page::{Cell, Page, PageKind};
use crate::ondisk::record::{Record, Value};
use crate::ondisk::text::Encoding;
use crate::salvage::image::chains::{is_crossed, is_rare};
use crate::salvage::schema::{SchemaEntry, Tree};

/// A row that goes on in more pages than this is not followed.
const MAX_PAGES: usize = 4096;

/// What a page is named as.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Want {
    /// A page of a table with these rowids.
    Table(Range),
    /// A page of an index, or of a table without rowids.
    Index,
}

/// How well a page is what it is named as: the lower the better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum NamedFit {
    /// It ends where the next begins.
    Exact,
    Within,
}

/// A row, by its cell, whose payload does not go on where it should.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Thread {
    pub(crate) page: u32,
    pub(crate) cell: usize,
}

/// What the pages of a source say of each other.
#[derive(Debug, Default)]
pub(crate) struct Wants {
    /// The pages that are not what they are named as, which that is.
    pub(crate) misfits: BTreeMap<u32, Want>,
    pub(crate) broken: Vec<Thread>,
    /// The pages that those are said to go on in, as far as they can be followed, and such that nothing names.
    pub(crate) doubtful: BTreeSet<u32>,
    /// Whether nothing but zeros is behind the rest of a row.
    pub(crate) is_clean: bool,
    /// How many rows have only zeros behind them.
    clean: u32,
    unclean: Vec<(Thread, Vec<u32>)>,
    /// The pages of rows that go on as they should, and those of trees.
    named: HashSet<u32>,
}

/// Asks every page of `image`. `None` where more than `most` are not what they should be.
pub(crate) fn gather(image: &Image<'_>, tables: &[Tree], most: usize) -> Option<Wants> {
    let mut wants = Wants::default();
    for number in 1..=image.count() {
        let Some(bytes) = image.page(number) else { continue };
        let Ok(page) = Page::read(number, &bytes, image.usable()) else { continue };
        if !page.is_sound() {
            continue;
        }
        wants.take_children(image, &page);
        for cell in page.cells().flatten() {
            wants.take_cell(image, tables, number, page.kind(), &cell);
        }
        if wants.misfits.len() + wants.doubtful.len() > most {
            return None;
        }
        // More than are of use, whatever follows.
        wants.unclean.truncate(most);
    }
    let unclean = std::mem::take(&mut wants.unclean);
    wants.is_clean = is_rare(u32::try_from(unclean.len()).unwrap_or(u32::MAX), wants.clean);
    if wants.is_clean {
        for (thread, pages) in unclean {
            wants.doubt(thread, pages);
        }
    }
    let named = std::mem::take(&mut wants.named);
    wants.doubtful.retain(|page| !named.contains(page));
    // Pages of another file name ours by chance.
    wants.misfits.retain(|page, _| !named.contains(page));
    // A last page says too little to be looked for everywhere.
    let goes_on = |number: u32, bytes: &[u8]| {
        let next = overflow::next_page(bytes).unwrap_or(0);
        (2..=image.count()).contains(&next)
            && next != number.saturating_add(1)
            && may_be_link(image, number, bytes)
    };
    let is_loose = |number: &u32| {
        !named.contains(number) && image.page(*number).is_some_and(|bytes| goes_on(*number, &bytes))
    };
    wants.doubtful.extend((2..=image.count()).filter(is_loose));
    (wants.doubtful.len() <= most).then_some(wants)
}

impl Wants {
    fn take_children(&mut self, image: &Image<'_>, page: &Page<'_>) {
        let mut low = None;
        let cells = page.cells().flatten().filter_map(|cell| Some((cell.left?, Some(cell.rowid))));
        for (child, high) in cells.chain(page.right_child().map(|right| (right, None))) {
            let want = if page.kind().is_table() { Want::Table(Range { low, high }) } else { Want::Index };
            self.hold(image, child, want);
            low = high;
        }
    }

    fn take_cell(
        &mut self,
        image: &Image<'_>,
        tables: &[Tree],
        number: u32,
        kind: PageKind,
        cell: &Cell<'_>,
    ) {
        let Some(payload) = cell.payload else { return };
        if kind == PageKind::TableLeaf
            && let Ok(record) = Record::prefix(payload.local)
            && SchemaEntry::is_likely(&record, image.encoding())
            && let Some(entry) = SchemaEntry::read(&record, image.encoding()).filter(|entry| entry.root > 1)
        {
            let keyed = entry.kind == "index" || entry.sql.to_ascii_uppercase().contains("WITHOUT ROWID");
            self.hold(image, entry.root, if keyed { Want::Index } else { Want::Table(Range::default()) });
        }
        if payload.overflow.is_some() {
            self.take_chain(image, tables, Thread { page: number, cell: cell.offset }, cell);
        }
    }

    /// Notes the row of `cell` if it does not go on as it should.
    fn take_chain(&mut self, image: &Image<'_>, tables: &[Tree], thread: Thread, cell: &Cell<'_>) {
        let chain = Chain::of(image, cell);
        let after = |page: u32| overflow::next_page(&image.page(page)?);
        let is_row = is_row(tables, &chain.payload, image.encoding());
        let mut steps = chain.pages.iter().zip(chain.pages.iter().skip(1));
        match chain.end {
            ChainEnd::Lost => return,
            ChainEnd::Clean if is_row => {
                self.clean += 1;
                if !steps.any(|(page, next)| is_crossed(*page, *next, after)) {
                    self.named.extend(chain.pages);
                    return;
                }
            }
            ChainEnd::Unclean if is_row => {
                self.unclean.push((thread, chain.pages));
                return;
            }
            ChainEnd::Broken | ChainEnd::Clean | ChainEnd::Unclean => {}
        }
        self.doubt(thread, chain.pages);
    }

    fn doubt(&mut self, thread: Thread, pages: Vec<u32>) {
        self.broken.push(thread);
        self.doubtful.extend(pages);
    }

    /// Notes page `number` if something else stands there than what is wanted.
    fn hold(&mut self, image: &Image<'_>, number: u32, want: Want) {
        if want.is_refuted(image, number) {
            self.misfits.insert(number, want);
        } else {
            self.named.insert(number);
        }
    }
}

impl Want {
    /// How well the page that stands at `number` is what is wanted.
    pub(crate) fn fit(self, image: &Image<'_>, number: u32) -> Option<NamedFit> {
        let bytes = image.page(number)?;
        let page = Page::read(number, &bytes, image.usable()).ok()?;
        if page.cell_count() == 0 || !page.is_sound() {
            return None;
        }
        let Self::Table(range) = self else { return (!page.kind().is_table()).then_some(NamedFit::Within) };
        if !page.kind().is_table() || !page.cells().flatten().all(|cell| range.contains(cell.rowid)) {
            return None;
        }
        let is_leaf = page.kind() == PageKind::TableLeaf;
        let last = page.cells().last().and_then(Result::ok).map(|cell| cell.rowid);
        Some(if is_leaf && range.high.is_some() && range.high == last {
            NamedFit::Exact
        } else {
            NamedFit::Within
        })
    }

    /// Whether what stands at `number` cannot be what is wanted, but is something.
    fn is_refuted(self, image: &Image<'_>, number: u32) -> bool {
        let Some(bytes) = image.page(number).filter(|bytes| bytes.iter().any(|byte| *byte != 0)) else {
            return false;
        };
        let Some(page) = Page::read(number, &bytes, image.usable()).ok().filter(Page::is_sound) else {
            return true;
        };
        match self {
            Self::Index => page.kind().is_table(),
            Self::Table(range) => {
                let within = || page.cells().flatten().any(|cell| range.contains(cell.rowid));
                !page.kind().is_table() || page.cell_count() > 0 && !within()
            }
        }
    }
}

/// How much of the payload of `cell` is not on its page.
pub(crate) fn rest_of(cell: &Cell<'_>) -> usize {
    let rest = cell.payload.map_or(0, |payload| payload.len.saturating_sub(payload.local.len() as u64));
    usize::try_from(rest).unwrap_or(usize::MAX)
}

/// The page that follows `bytes`, which hold the next of `need` bytes of a payload, 0 behind the last; `None` where they
/// cannot.
pub(crate) fn link(image: &Image<'_>, number: u32, bytes: &[u8], need: usize) -> Option<u32> {
    let is_last = need <= image.usable().saturating_sub(CONTENT);
    let next = overflow::next_page(bytes).filter(|_| bytes.len() >= image.usable())?;
    let in_place = if is_last { next == 0 } else { (2..=image.count()).contains(&next) };
    (in_place && may_be_link(image, number, bytes)).then_some(next)
}

/// Whether page `number`, with these `bytes`, is something else than a page of a tree.
fn may_be_link(image: &Image<'_>, number: u32, bytes: &[u8]) -> bool {
    let page = Page::read(number, bytes, image.usable());
    bytes.iter().any(|byte| *byte != 0) && !page.is_ok_and(|page| page.cell_count() > 0 && page.is_sound())
}

/// The pages in which a payload goes on, as they stand.
struct Chain {
    pages: Vec<u32>,
    payload: Vec<u8>,
    end: ChainEnd,
}

enum ChainEnd {
    /// With the payload, and zeros behind.
    Clean,
    /// With the payload, and something behind.
    Unclean,
    /// At something else than what should follow.
    Broken,
    /// At nothing.
    Lost,
}

impl Chain {
    fn of(image: &Image<'_>, cell: &Cell<'_>) -> Self {
        let payload = cell.payload.map_or_else(Vec::new, |payload| payload.local.to_vec());
        let mut chain = Self { pages: Vec::new(), payload, end: ChainEnd::Clean };
        let mut number = cell.payload.and_then(|payload| payload.overflow).unwrap_or(0);
        let mut need = rest_of(cell);
        while need > 0 {
            let there = image.page(number).filter(|bytes| bytes.iter().any(|byte| *byte != 0));
            let Some(bytes) = there else { return Self { end: ChainEnd::Lost, ..chain } };
            if chain.pages.contains(&number) || chain.pages.len() > MAX_PAGES {
                return Self { end: ChainEnd::Broken, ..chain };
            }
            chain.pages.push(number);
            let Some(next) = link(image, number, &bytes, need) else {
                return Self { end: ChainEnd::Broken, ..chain };
            };
            let held = need.min(image.usable().saturating_sub(CONTENT).max(1));
            chain.payload.extend_from_slice(bytes.get(CONTENT..CONTENT + held).unwrap_or_default());
            if bytes.get(CONTENT + held..image.usable()).unwrap_or_default().iter().any(|byte| *byte != 0) {
                chain.end = ChainEnd::Unclean;
            }
            need -= held;
            number = next;
        }
        chain
    }
}

/// Whether `payload` is a record whose texts are texts, and one of `tables` or of an index.
pub(crate) fn is_row(tables: &[Tree], payload: &[u8], encoding: Encoding) -> bool {
    let is_text = |text: &[u8]| {
        let text = encoding.decode(text);
        !text.contains(&0) && std::str::from_utf8(&text).is_ok()
    };
    let Ok(record) = Record::read(payload) else { return false };
    let texts = record.values().all(|value| !matches!(value, Value::Text(text) if !is_text(text)));
    let fits = tables.iter().filter_map(|tree| tree.table.fit(&record, encoding)).min();
    texts && fits.is_none_or(|fit| fit.strange == 0)
}
