//! The sources of one recovery, opened when they are needed and few of them at a time.
//!
//! Responsible for that a source that is opened again is still the same, and for the bytes of a row when it is written. A
//! source that changed meanwhile ends the work: nothing is pieced together from two moments.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::mapped::Places;
use super::open::OpenSource;
use super::wal_repairs::WalRepairs;
use super::{Fingerprint, Source, fingerprint, moving};
use crate::failure::{Failure, Outcome};
use crate::ondisk::image::Site;
use crate::ondisk::store::Store;
use crate::ondisk::text::Encoding;
use crate::salvage::rows::extras::RowExtras;
use crate::salvage::rows::row::{Odd, Row};
use crate::salvage::rows::set::MemoryBudget;

/// Sources that are kept open besides the copies, and what they may hold in memory, in bytes.
const OPEN: usize = 64;
const OPEN_BYTES: usize = 16 << 20;
/// Where the content of an overflow page begins.
const LINK: usize = 4;

/// All sources.
#[derive(Debug)]
pub(crate) struct SourceCache<'s> {
    pub(crate) sources: &'s [Source],
    scratch: PathBuf,
    /// Where rows are kept.
    room: Arc<MemoryBudget>,
    /// Whether a live board that rests is read where it lies.
    in_place: bool,
    state: Mutex<CacheState>,
}

#[derive(Debug, Default)]
struct CacheState {
    /// Copies, which stay: opened again they would be of another moment.
    copies: Vec<(u32, Arc<OpenSource>)>,
    /// The others, the last used last.
    open: VecDeque<(u32, Arc<OpenSource>)>,
    known: Vec<Known>,
}

/// What has to be known of a source to read a row of it again.
#[derive(Debug, Clone, Default)]
struct Known {
    seen: Option<Fingerprint>,
    cut: TruncatedImage,
    /// What was undone of the wounds of its log.
    mends: Option<WalRepairs>,
    /// Where the bytes of its main file belong.
    places: Places,
}

/// How the pages of a source are cut, and its text encoded.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct TruncatedImage {
    pub(crate) page_size: usize,
    pub(crate) usable: usize,
    pub(crate) encoding: Encoding,
}

impl<'s> SourceCache<'s> {
    /// Nothing opened yet. Copies that do not fit memory go to the directory `scratch`, and so do rows whose places take
    /// more than `memory` bytes.
    pub(crate) fn new(sources: &'s [Source], scratch: &Path, memory: usize) -> Self {
        let state = CacheState { known: vec![Known::default(); sources.len()], ..CacheState::default() };
        let (room, state) = (MemoryBudget::new(scratch, memory), Mutex::new(state));
        Self { sources, scratch: scratch.to_path_buf(), room, in_place: false, state }
    }

    /// The same, reading a live board that rests where it lies: it has to be asked in the end whether it is unchanged.
    pub(crate) fn in_place(self, in_place: bool) -> Self {
        Self { in_place, ..self }
    }

    /// The directory for what does not fit memory.
    pub(crate) fn scratch(&self) -> &Path {
        &self.scratch
    }

    /// Where rows are kept.
    pub(crate) fn room(&self) -> &Arc<MemoryBudget> {
        &self.room
    }

    fn state(&self) -> MutexGuard<'_, CacheState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The bytes of source `number`.
    ///
    /// # Errors
    /// As [`Source::open`]; exit 11 when it is not what it was the first time.
    pub(crate) fn stores(&self, number: u32) -> Outcome<Arc<OpenSource>> {
        {
            let mut state = self.state();
            if let Some((_, stores)) = state.copies.iter().find(|(copy, _)| *copy == number) {
                return Ok(Arc::clone(stores));
            }
            if let Some(at) = state.open.iter().position(|(open, _)| *open == number)
                && let Some(entry) = state.open.remove(at)
            {
                let stores = Arc::clone(&entry.1);
                state.open.push_back(entry);
                return Ok(stores);
            }
        }
        let source = self.source(number)?;
        let stores = Arc::new(source.open(&self.scratch, self.in_place)?);
        let mut state = self.state();
        if stores.is_copy() {
            state.copies.push((number, Arc::clone(&stores)));
            return Ok(stores);
        }
        if let Some(known) = state.known.get_mut(number as usize) {
            if known.seen.is_some() && known.seen != stores.seen() {
                return Err(moving(&source.path));
            }
            known.seen = stores.seen();
            if let Some(mends) = &known.mends {
                stores.mend_again(mends);
            }
            if !matches!(known.places, Places::Unknown) {
                stores.place(known.places.clone());
            }
        }
        state.open.push_back((number, Arc::clone(&stores)));
        let mut held: usize = state.open.iter().map(|(_, stores)| stores.in_memory_bytes()).sum();
        while state.open.len() > OPEN || (held > OPEN_BYTES && state.open.len() > 1) {
            held -= state.open.pop_front().map_or(0, |(_, stores)| stores.in_memory_bytes());
        }
        Ok(stores)
    }

    fn source(&self, number: u32) -> Outcome<&'s Source> {
        self.sources.get(number as usize).ok_or_else(|| Failure::failed("there is no such source."))
    }

    /// Notes how the pages of source `number` are cut, and what was undone of the wounds of its log in `stores`.
    pub(crate) fn note(&self, number: u32, cut: TruncatedImage, stores: &OpenSource) {
        if let Some(known) = self.state().known.get_mut(number as usize) {
            known.cut = cut;
            known.places = stores.places();
            known.mends = stores.mends().filter(|mends| !mends.is_empty()).cloned();
        }
    }

    fn cut(&self, number: u32) -> TruncatedImage {
        self.state().known.get(number as usize).map_or_else(TruncatedImage::default, |known| known.cut)
    }

    /// Fails unless every source that was read is still what it was.
    ///
    /// # Errors
    /// Exit 11 for one that is not; what a file says when it cannot be looked at.
    pub(crate) fn require_unchanged(&self) -> Outcome<()> {
        let known = self.state().known.clone();
        for (source, known) in self.sources.iter().zip(known) {
            let (main, wal) = source.files();
            if known.seen.is_some() && known.seen != Some(fingerprint(&main, &wal)?) {
                return Err(moving(&source.path));
            }
        }
        Ok(())
    }
}

/// Reads rows again, best in the order in which they lie.
#[derive(Debug)]
pub(crate) struct PayloadReader<'r, 's> {
    shelf: &'r SourceCache<'s>,
    odds: &'r RowExtras,
    /// The source that was read last.
    current: Option<(u32, Arc<OpenSource>, TruncatedImage)>,
    /// The page that was read last.
    page: Option<(u32, Site, Vec<u8>)>,
}

impl<'r, 's> PayloadReader<'r, 's> {
    /// For rows of `shelf` whose oddities are `odds`.
    pub(crate) fn new(shelf: &'r SourceCache<'s>, odds: &'r RowExtras) -> Self {
        Self { shelf, odds, current: None, page: None }
    }

    /// Gives the whole payload of `row`, with its text in UTF-8, to `with`.
    ///
    /// # Errors
    /// When its source cannot be opened again, or no longer gives the bytes of the row.
    pub(crate) fn payload<T>(&mut self, row: &Row, with: impl FnOnce(&[u8]) -> T) -> Outcome<T> {
        self.read_row(row, true, with)
    }

    /// The same with no more of its payload than is in its cell, and its text as it is encoded there.
    ///
    /// # Errors
    /// As [`PayloadReader::payload`].
    pub(crate) fn beginning<T>(&mut self, row: &Row, with: impl FnOnce(&[u8]) -> T) -> Outcome<T> {
        self.read_row(row, false, with)
    }

    fn read_row<T>(&mut self, row: &Row, whole: bool, with: impl FnOnce(&[u8]) -> T) -> Outcome<T> {
        let gone = || Failure::failed(format!("page {} can no longer be read.", row.page));
        let odd = row.oddity(self.odds);
        if let Some(payload) = odd.as_ref().and_then(|odd| odd.payload.as_deref()) {
            return Ok(with(payload));
        }
        let TruncatedImage { page_size, usable, encoding } = self.turn_to(row.source)?;
        let here =
            self.page.as_ref().is_some_and(|(source, site, _)| *source == row.source && *site == row.site());
        if !here {
            let bytes = self.read(row.site(), page_size).ok_or_else(|| self.blame(row.source, gone()))?;
            self.page = Some((row.source, row.site(), bytes));
        }
        let page = self.page.take();
        let (_, _, held) = page.as_ref().ok_or_else(gone)?;
        let mut bytes = Cow::Borrowed(held.as_slice());
        let cell = row.cell_in(&mut bytes, odd.as_ref().and_then(|odd| odd.flip), usable);
        let payload = cell.and_then(|cell| cell.payload).ok_or_else(|| self.blame(row.source, gone()))?;
        let result = match odd.filter(|odd| !odd.chain.is_empty()) {
            _ if !whole => with(payload.local),
            None if payload.overflow.is_none() => with(&in_utf8(payload.local, encoding)),
            None => return Err(self.blame(row.source, gone())),
            Some(odd) => {
                let len = usize::try_from(payload.len).map_err(|_| gone())?;
                let mut whole = Vec::with_capacity(len);
                whole.extend_from_slice(payload.local);
                self.append_chain(&odd, len, &mut whole).ok_or_else(|| self.blame(row.source, gone()))?;
                with(&in_utf8(&whole, encoding))
            }
        };
        self.page = page;
        Ok(result)
    }

    fn append_chain(&mut self, odd: &Odd, len: usize, whole: &mut Vec<u8>) -> Option<()> {
        for run in &odd.chain {
            let TruncatedImage { page_size, usable, .. } = self.turn_to(run.source).ok()?;
            for index in 0..run.pages {
                let bytes = self.read(run.site_of(index, page_size), page_size)?;
                let take = (len - whole.len()).min(usable.checked_sub(LINK)?);
                whole.extend_from_slice(bytes.get(LINK..LINK + take)?);
            }
        }
        (whole.len() == len).then_some(())
    }

    /// Makes `source` the current one and says how its pages are cut.
    fn turn_to(&mut self, source: u32) -> Outcome<TruncatedImage> {
        if let Some((current, _, cut)) = &self.current
            && *current == source
        {
            return Ok(*cut);
        }
        let cut = self.shelf.cut(source);
        self.current = Some((source, self.shelf.stores(source)?, cut));
        Ok(cut)
    }

    fn read(&self, site: Site, len: usize) -> Option<Vec<u8>> {
        let (_, stores, _) = self.current.as_ref()?;
        let store: &dyn Store = if site.in_log { stores.wal() } else { stores.main() };
        store.read(site.offset, len).map(Cow::into_owned)
    }

    fn blame(&self, source: u32, failure: Failure) -> Failure {
        match self.shelf.sources.get(source as usize) {
            Some(source) => failure.at(&source.path),
            None => failure,
        }
    }
}

/// `payload` with its text in UTF-8; one that is no record stays as it is.
fn in_utf8(payload: &[u8], encoding: Encoding) -> Cow<'_, [u8]> {
    encoding.transcode(payload).unwrap_or(Cow::Borrowed(payload))
}
