//! From bytes to pages: how large they are, and which version of each counts.
//!
//! Header fields are hints (docs/recovery.md): the page size is believed when pages of that size can be read, otherwise it is
//! found by trying.

pub(crate) mod chains;
pub(crate) mod grid;
pub(crate) mod wal_overlay;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use self::wal_overlay::Laid;
use super::schema::Tree;
use super::source::mapped::Places;
use super::source::open::OpenSource;
use crate::ondisk::geometry;
use crate::ondisk::header::{self, Header};
use crate::ondisk::image::{Image, Site};
use crate::ondisk::page::{Page, PageKind};
use crate::ondisk::record::Record;
use crate::ondisk::store::Store;
use crate::ondisk::text::Encoding;
use crate::ondisk::wal::index::missing_frames;
use crate::ondisk::wal::{Frame, Wal};

/// What a new Hermes board has.
const USUAL_PAGE_SIZE: usize = 4096;
/// Pages that are looked at to judge the stated page size, and to judge any other: of a board of large BLOBs few are b-tree
/// pages.
const SAMPLE: u64 = 256;
const TRIAL_SAMPLE: u64 = 1 << 14;

/// The pages of one source and what its headers say.
#[derive(Debug, Clone)]
pub(crate) struct PageImage<'a> {
    /// Main file with the committed frames over it.
    pub(crate) image: Image<'a>,
    /// The header of page 1, if it is credible.
    pub(crate) header: Option<Header>,
    /// Whether the board is one in WAL mode, if that can be told.
    pub(crate) wal_mode: Option<bool>,
    /// What became of the frames of its WAL.
    pub(crate) laid: Laid,
    stores: &'a OpenSource,
    /// The log, if it belongs to these pages.
    wal: Option<Wal>,
}

impl PageImage<'_> {
    /// Earlier images of pages than those of the image, from the newest to the oldest. `main` says whether the main file's
    /// pages beneath the log are such.
    pub(crate) fn earlier(&self, main: bool) -> Vec<(u32, Site)> {
        let Some(wal) = &self.wal else { return Vec::new() };
        let in_log = |frame: &Frame| (frame.page, Site { in_log: true, offset: frame.offset });
        let stands = |(page, site): &(u32, Site)| self.image.site(*page) == Some(*site);
        let mut current: Vec<_> =
            wal.committed().filter(|frame| frame.verified).map(in_log).filter(|it| !stands(it)).collect();
        current.reverse();
        let mut beneath = if main { self.image.beneath() } else { Vec::new() };
        beneath.sort_unstable();
        // The log restarted only when all of it had been written back.
        let mut older: Vec<_> = wal.older().map(in_log).collect();
        older.reverse();
        [current, beneath, older].concat()
    }
}

impl PageImage<'_> {
    /// The newest images of pages in a transaction that never ended.
    pub(crate) fn uncommitted(&self) -> BTreeMap<u32, Site> {
        let frames = self.wal.iter().flat_map(Wal::uncommitted);
        frames.map(|frame| (frame.page, Site { in_log: true, offset: frame.offset })).collect()
    }

    /// Puts the pages of a transaction that never ended over the others: as it would have them.
    pub(crate) fn lay_uncommitted(&mut self) {
        for frame in self.wal.iter().flat_map(Wal::uncommitted) {
            self.image.overlay(frame);
        }
    }
}

impl PageImage<'_> {
    /// Read pages from where they stand: at first whole pieces of the file, then single pages in which rows of `tables` go on.
    /// False where none is known to stand elsewhere.
    pub(crate) fn put_displaced(&self, tables: &[Tree], is_first: bool) -> bool {
        let map = self.stores.map();
        // What stands around a break is no page of another place.
        if map.as_ref().is_some_and(|map| map.has_doubts()) {
            return false;
        }
        let pieces = (is_first && map.is_none())
            .then(|| grid::search(self.stores.raw_main(), Some(self.image.page_size())))
            .flatten()
            .filter(|map| map.size() >= u64::from(self.image.count()) * self.image.page_size() as u64);
        let moved = pieces.or_else(|| grid::displaced(&self.image, map.as_deref(), tables));
        let is_moved = moved.is_some();
        if let Some(map) = moved {
            self.stores.place(Places::Mapped(Arc::new(map)));
        }
        is_moved
    }

    /// How many pages of the main file are not whole, or were put where rows go on in them.
    pub(crate) fn displaced_count(&self) -> u64 {
        self.stores.map().map_or(0, |map| map.missing(self.image.page_size()) + map.moved_count() as u64)
    }

    /// True if the main file is not read as it lies there.
    pub(crate) fn is_mapped(&self) -> bool {
        self.stores.map().is_some()
    }

    /// How many pages are there: without those that neither the file nor its log has.
    pub(crate) fn there(&self) -> u64 {
        let missing = self.stores.map().map_or(0, |map| map.missing(self.image.page_size()));
        u64::from(self.image.count()).saturating_sub(missing)
    }
}

/// The pages in `stores`; `None` when there are none at all.
pub(crate) fn lay_out(stores: &OpenSource) -> Option<PageImage<'_>> {
    if matches!(stores.places(), Places::Unknown) {
        let map = grid::find(stores.raw_main(), page_size_of(stores.raw_main()), stores.wal().size() > 0);
        stores.place(map.map_or(Places::Own, |map| Places::Mapped(Arc::new(map))));
    }
    let main = stores.main();
    let by_trial = page_size_of(main);
    let wal = Wal::read(stores.wal(), by_trial);
    let page_size = by_trial
        .or_else(|| wal.as_ref().map(|wal| wal.page_size))
        .or_else(|| (main.size() > 0).then_some(USUAL_PAGE_SIZE))?;
    let mut wal = wal.filter(|wal| wal.page_size == page_size);
    if let Some(wal) = &mut wal {
        mend(wal, stores);
    }
    let mut image = Image::new(main, page_size, page_size).with_log(stores.wal());
    let mut laid = wal.as_ref().map(|wal| wal_overlay::lay_over(&mut image, wal, stores)).unwrap_or_default();
    laid.lost_frames += missing_frames(stores.index(), wal.as_ref()) + stores.lost_records();
    let header = image.page(1).as_deref().and_then(Header::read).filter(Header::is_credible);
    let reserved = header.map_or(0, |header| usize::from(header.reserved));
    let usable = sampled_usable(&image).unwrap_or(page_size.saturating_sub(reserved));
    image = image.with_usable(usable);
    let stated = header.and_then(|header| Encoding::from_field(header.encoding));
    let encoding = sampled_encoding(&image).or(stated).unwrap_or_default();
    image = image.with_encoding(encoding);
    let logged = wal.as_ref().is_some_and(|wal| wal.committed > 0);
    let wal_mode = header.map(|header| header.is_wal()).or(logged.then_some(true));
    Some(PageImage { image, header, wal_mode, laid, stores, wal })
}

/// The page size of `main`; `None` when no page of any size can be read.
fn page_size_of(main: &dyn Store) -> Option<usize> {
    let header = main.read(0, header::LEN).as_deref().and_then(Header::read);
    best_page_size(main, header.filter(|header| header.magic).and_then(|header| header.page_size))
}

/// Undoes the wounds of `wal` that its checksums tell of, with the pages of the main file where they help.
fn mend(wal: &mut Wal, stores: &OpenSource) {
    let size = wal.page_size;
    let older = |page: u32| {
        let offset = u64::from(page.checked_sub(1)?) * size as u64;
        stores.main().read(offset, size).map(Cow::into_owned)
    };
    let mends = wal.mend(stores.raw_wal(), &older);
    stores.mend(mends);
}

/// The stated page size if enough pages of that size can be read, else the one of which most bytes can; `None` when none can.
fn best_page_size(main: &dyn Store, stated: Option<usize>) -> Option<usize> {
    /// One sound page in so many of a file's does not come about by another size.
    const ENOUGH: u64 = 8;
    if let Some(size) = stated {
        let (sound, sampled) = sound_pages(main, size, SAMPLE);
        if sound > 0 && sound * ENOUGH >= sampled {
            return Some(size);
        }
    }
    let bytes = |size: usize| sound_pages(main, size, TRIAL_SAMPLE).0 * size as u64;
    let sizes = (9..=16).map(|bit| 1_usize << bit);
    let (bytes, _, size) = sizes.map(|size| (bytes(size), stated == Some(size), size)).max()?;
    if bytes > 0 { Some(size) } else { stated }
}

/// How many b-tree pages in a sample of the file cut into pages of `size` are sound, all with the same number of used bytes,
/// and how many were looked at.
fn sound_pages(main: &dyn Store, size: usize, sample: u64) -> (u64, u64) {
    let pages = main.size().div_ceil(size as u64);
    let step = pages.div_ceil(sample).max(1);
    let sampled = (0..pages).step_by(usize::try_from(step).unwrap_or(usize::MAX));
    let mut votes: HashMap<usize, u64> = HashMap::new();
    for index in sampled.clone() {
        let number = u32::try_from(index + 1).unwrap_or(u32::MAX);
        let bytes = main.read(index * size as u64, size).unwrap_or_default();
        if bytes.len() == size
            && let Some(usable) = geometry::usable(number, &bytes)
        {
            *votes.entry(usable).or_default() += 1;
        }
    }
    (votes.into_values().max().unwrap_or(0), sampled.count() as u64)
}

/// Numbers of pages from all over `image`.
fn sample(image: &Image<'_>) -> impl Iterator<Item = u32> + use<> {
    const PAGES: u32 = 64;
    let step = usize::try_from(image.count().div_ceil(PAGES)).unwrap_or(usize::MAX).max(1);
    (2..=image.count()).step_by(step)
}

/// How much of a page is used, as most sound pages have it.
fn sampled_usable(image: &Image<'_>) -> Option<usize> {
    let pages = sample(image).filter_map(|number| Some((number, image.page(number)?)));
    let pages: Vec<_> = pages.filter(|(_, page)| page.len() == image.page_size()).collect();
    geometry::usable_of(pages.iter().map(|(number, page)| (*number, &**page)))
}

/// The encoding that the texts in most rows are in.
fn sampled_encoding(image: &Image<'_>) -> Option<Encoding> {
    let pages: Vec<_> = sample(image).filter_map(|number| Some((number, image.page(number)?))).collect();
    let leaves = pages.iter().filter_map(|(number, page)| {
        Page::read(*number, page, image.usable()).ok().filter(|page| page.kind() == PageKind::TableLeaf)
    });
    let payloads = leaves.flat_map(|page| page.cells().flatten()).filter_map(|cell| cell.payload);
    Encoding::vote(
        payloads.filter_map(|payload| Record::read(payload.local).ok()).flat_map(|row| row.values()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A board all of whose pages are in its log: its bytes, and those of the log.
    fn all_in_log() -> (Vec<u8>, Vec<u8>) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("kanban.db");
        let connection = rusqlite::Connection::open(&path).unwrap();
        let rows = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) \
                    INSERT INTO task_comments(body) SELECT printf('%064d', i) FROM n";
        connection
            .execute_batch(&format!(
                "CREATE TABLE task_comments(id INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT); {rows}; \
                 PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0; VACUUM"
            ))
            .unwrap();
        let mut log = path.clone().into_os_string();
        log.push("-wal");
        let log = std::fs::read(log).unwrap();
        connection.close().unwrap();
        (std::fs::read(path).unwrap(), log)
    }

    #[test]
    fn a_log_without_its_header_is_the_board_beside_an_empty_file() {
        let (whole, mut log) = all_in_log();
        log[..crate::ondisk::wal::HEADER_LEN].fill(0);
        let stores = OpenSource::in_memory(Vec::new(), log);
        let layout = lay_out(&stores).unwrap();
        assert_eq!(layout.image.count() as usize * layout.image.page_size(), whole.len());
        let pages =
            (1..=layout.image.count()).flat_map(|number| layout.image.page(number).unwrap().into_owned());
        assert!(pages.eq(whole.iter().copied()));
        assert_eq!((layout.wal_mode, layout.laid.lost_frames), (Some(true), 0));
    }
}
