//! The pages of a database as of one moment: the main file with the committed frames of its WAL over it.

use std::borrow::Cow;
use std::collections::HashMap;

use super::store::Store;
use super::text::Encoding;
use super::wal::Frame;
use super::{MAX_PAGES, header, page};

/// Pages by number, read from main file and WAL when they are asked for.
#[derive(Debug, Clone)]
pub struct Image<'a> {
    main: &'a dyn Store,
    log: &'a dyn Store,
    /// Where in the log the page images lie that stand over the main file's.
    overlay: HashMap<u32, u64>,
    page_size: usize,
    usable: usize,
    encoding: Encoding,
    count: u32,
}

/// Where the bytes of a page lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Site {
    /// In the WAL, not in the main file.
    pub in_log: bool,
    /// From the start of that file, in bytes.
    pub offset: u64,
}

impl<'a> Image<'a> {
    /// The pages of `main`, each of `page_size` bytes, of which `usable` are used. The last may be shorter.
    pub fn new(main: &'a dyn Store, page_size: usize, usable: usize) -> Self {
        let page_size = page_size.max(1);
        let count = u32::try_from(main.size().div_ceil(page_size as u64)).unwrap_or(u32::MAX);
        Self {
            main,
            log: main,
            overlay: HashMap::new(),
            page_size,
            usable: usable.min(page_size),
            encoding: Encoding::default(),
            count,
        }
    }

    /// The same pages with those of `log`, once they are laid over them by [`Image::overlay`].
    #[must_use]
    pub fn with_log(mut self, log: &'a dyn Store) -> Self {
        self.log = log;
        self
    }

    /// Puts the page of `frame`, which lies in the log, in the place of what was there. Frames for impossible page numbers
    /// are passed over.
    pub fn overlay(&mut self, frame: &Frame) {
        self.lay(frame.page, frame.offset);
    }

    /// Put the page image at `offset` of the log or journal in the place of page `number`. Impossible numbers are ignored.
    pub fn lay(&mut self, number: u32, offset: u64) {
        if is_page(number) {
            self.overlay.insert(number, offset);
            self.count = self.count.max(number);
        }
    }

    /// Forgets the pages above `count`.
    pub fn truncate(&mut self, count: u32) {
        self.count = self.count.min(count);
    }

    /// Page `number`, from 1; `None` where there is none or it cannot be read. May be shorter than the page size at the end
    /// of a file.
    pub fn page(&self, number: u32) -> Option<Cow<'a, [u8]>> {
        self.page_at(self.site(number)?)
    }

    /// The beginning of page `number`, as far as the header of a b-tree page goes.
    pub fn head(&self, number: u32) -> Option<Cow<'a, [u8]>> {
        let site = self.site(number)?;
        let store = if site.in_log { self.log } else { self.main };
        let len = if number == 1 { header::LEN + page::HEADER } else { page::HEADER };
        store.read(site.offset, len.min(self.page_size))
    }

    /// The page at `site`, which may be another than the image's.
    pub fn page_at(&self, site: Site) -> Option<Cow<'a, [u8]>> {
        let store = if site.in_log { self.log } else { self.main };
        store.read(site.offset, self.page_size).filter(|page| !page.is_empty())
    }

    /// True if the `len` bytes from `at` of the page at `site` are known to be those that were written there.
    pub fn is_whole(&self, site: Site, at: usize, len: usize) -> bool {
        let store = if site.in_log { self.log } else { self.main };
        store.is_whole(site.offset + at as u64, len)
    }

    /// True if the page at `site` was put there because of what rows say that go on in it.
    pub fn is_moved(&self, site: Site) -> bool {
        !site.in_log && self.main.is_moved(site.offset, self.page_size)
    }

    /// Where page `number` lies.
    pub fn site(&self, number: u32) -> Option<Site> {
        if number == 0 || number > self.count {
            return None;
        }
        if let Some(&offset) = self.overlay.get(&number) {
            return Some(Site { in_log: true, offset });
        }
        Some(self.main_site(number))
    }

    /// The pages of the main file that the log lies over, by number.
    pub fn beneath(&self) -> Vec<(u32, Site)> {
        let there = self.main.size().div_ceil(self.page_size as u64);
        let beneath = self.overlay.keys().filter(|number| u64::from(**number) <= there);
        beneath.map(|&number| (number, self.main_site(number))).collect()
    }

    fn main_site(&self, number: u32) -> Site {
        Site { in_log: false, offset: u64::from(number.saturating_sub(1)) * self.page_size as u64 }
    }

    /// The pages from `first` on, `count` of them, with one read of the main file.
    pub fn piece(&self, first: u32, count: u32) -> ImagePiece<'_, 'a> {
        // A child pointer of zeros names page 0, which there is not.
        let first = first.max(1);
        let offset = u64::from(first - 1) * self.page_size as u64;
        let len = self.page_size.saturating_mul(count as usize);
        let bytes = self.main.read(offset, len);
        ImagePiece { image: self, first, bytes }
    }

    /// True if the pages from `first` on, `count` of them, are known to be zeros that were never written.
    pub fn is_hole(&self, first: u32, count: u32) -> bool {
        let offset = u64::from(first.max(1) - 1) * self.page_size as u64;
        let len = self.page_size.saturating_mul(count as usize);
        let numbers = first..first.saturating_add(count);
        self.main.is_hole(offset, len) && !self.overlay.keys().any(|number| numbers.contains(number))
    }

    /// The highest page number.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Bytes per page.
    pub fn page_size(&self) -> usize {
        self.page_size
    }

    /// Bytes per page that SQLite uses.
    pub fn usable(&self) -> usize {
        self.usable
    }

    /// How text is encoded.
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// The same pages with text in another encoding.
    #[must_use]
    pub fn with_encoding(mut self, encoding: Encoding) -> Self {
        self.encoding = encoding;
        self
    }

    /// The same pages with another number of used bytes.
    #[must_use]
    pub fn with_usable(mut self, usable: usize) -> Self {
        self.usable = usable.min(self.page_size);
        self
    }
}

/// Whether `number` can be that of a page.
pub fn is_page(number: u32) -> bool {
    (1..=MAX_PAGES).contains(&number)
}

/// Pages that follow one another.
#[derive(Debug)]
pub struct ImagePiece<'i, 'a> {
    image: &'i Image<'a>,
    first: u32,
    /// None where the main file cannot be read in one go: then its pages are read one by one.
    bytes: Option<Cow<'a, [u8]>>,
}

impl ImagePiece<'_, '_> {
    /// Page `number`, as [`Image::page`] has it.
    pub fn page(&self, number: u32) -> Option<Cow<'_, [u8]>> {
        let site = self.image.site(number)?;
        let (Some(bytes), false) = (&self.bytes, site.in_log) else { return self.image.page(number) };
        let start = (number.checked_sub(self.first)? as usize).checked_mul(self.image.page_size)?;
        let page = bytes.get(start..start.saturating_add(self.image.page_size).min(bytes.len()))?;
        (!page.is_empty()).then_some(Cow::Borrowed(page))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_has_the_pages_of_its_image() {
        let main: Vec<u8> = (1..=6).flat_map(|number| [number; 8]).collect();
        let image = Image::new(&main, 8, 8);
        for first in 0..=6 {
            let piece = image.piece(first, 3);
            for number in first.max(1)..=(first + 2).min(6) {
                assert_eq!(piece.page(number), image.page(number), "page {number} in a piece from {first}");
            }
        }
    }
}
