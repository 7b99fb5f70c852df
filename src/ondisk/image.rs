//! The pages of a database as of one moment: the main file with the committed frames of its WAL over it.

use super::wal::Frame;

/// Pages by number, borrowed from the bytes of main file and WAL.
#[derive(Debug, Clone)]
pub struct Image<'a> {
    pages: Vec<&'a [u8]>,
    page_size: usize,
    usable: usize,
}

/// No more pages than this are believed on the word of a page number (16 GiB of the usual 4096 bytes); it bounds
/// the memory that a hostile WAL frame can ask for to 64 MiB.
const MAX_PAGES: usize = 1 << 22;

impl<'a> Image<'a> {
    /// The pages of `main`, each of `page_size` bytes, of which `usable` are used. The last may be shorter.
    pub fn new(main: &'a [u8], page_size: usize, usable: usize) -> Self {
        let page_size = page_size.max(1);
        Self { pages: main.chunks(page_size).collect(), page_size, usable: usable.min(page_size) }
    }

    /// Puts the page of `frame` in the place of what was there. Frames for impossible page numbers are passed over.
    pub fn overlay(&mut self, frame: &Frame<'a>) {
        let Some(index) = (frame.page as usize).checked_sub(1) else { return };
        if index >= MAX_PAGES {
            return;
        }
        if index >= self.pages.len() {
            self.pages.resize(index + 1, &[]);
        }
        if let Some(page) = self.pages.get_mut(index) {
            *page = frame.bytes;
        }
    }

    /// Forgets the pages above `count`.
    pub fn truncate(&mut self, count: u32) {
        self.pages.truncate(count as usize);
    }

    /// Page `number`, from 1; `None` where there is none. May be shorter than the page size at the end of a file.
    pub fn page(&self, number: u32) -> Option<&'a [u8]> {
        let page = self.pages.get((number as usize).checked_sub(1)?)?;
        (!page.is_empty()).then_some(*page)
    }

    /// The highest page number.
    pub fn count(&self) -> u32 {
        u32::try_from(self.pages.len()).unwrap_or(u32::MAX)
    }

    /// Bytes per page.
    pub fn page_size(&self) -> usize {
        self.page_size
    }

    /// Bytes per page that SQLite uses.
    pub fn usable(&self) -> usize {
        self.usable
    }

    /// The same pages with another number of used bytes.
    #[must_use]
    pub fn with_usable(mut self, usable: usize) -> Self {
        self.usable = usable.min(self.page_size);
        self
    }
}
