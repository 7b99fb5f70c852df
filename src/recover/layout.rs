//! From bytes to pages: how large they are, and which version of each counts.
//!
//! Header fields are hints (recovery.md): the page size is believed when pages of that size can be read, otherwise it is
//! found by trying.

use super::store::Stores;
use crate::ondisk::header::{self, Header};
use crate::ondisk::image::Image;
use crate::ondisk::page::Page;
use crate::ondisk::store::Store;
use crate::ondisk::wal::{Frame, Wal};

/// What a new Hermes board has.
const USUAL_PAGE_SIZE: usize = 4096;
/// Pages that are looked at to judge a page size.
const SAMPLE: u64 = 256;

/// The pages of one source and what its headers say.
#[derive(Debug)]
pub(crate) struct Layout<'a> {
    /// Main file with the committed frames over it.
    pub(crate) image: Image<'a>,
    /// The header of page 1, if it is credible.
    pub(crate) header: Option<Header>,
    /// Whether the board is one in WAL mode, if that can be told.
    pub(crate) wal_mode: Option<bool>,
    /// Frames whose checksum was wrong, or that never were committed.
    pub(crate) bad_frames: u64,
}

/// The pages in `stores`; `None` when there are none at all.
pub(crate) fn lay_out(stores: &Stores) -> Option<Layout<'_>> {
    let main = stores.main();
    let header = main.read(0, header::LEN).as_deref().and_then(Header::read);
    let stated = header.filter(|header| header.magic).and_then(|header| header.page_size);
    let by_trial = best_page_size(main, stated);
    let wal = Wal::read(stores.wal(), by_trial);
    let page_size = by_trial
        .or_else(|| wal.as_ref().map(|wal| wal.page_size))
        .or_else(|| (main.size() > 0).then_some(USUAL_PAGE_SIZE))?;
    let wal = wal.filter(|wal| wal.page_size == page_size);
    let mut image = Image::new(main, page_size, page_size).with_log(stores.wal());
    let mut bad_frames = 0;
    if let Some(wal) = &wal {
        for frame in wal.committed() {
            if frame.verified || is_believable(frame, stores.wal(), page_size) {
                image.overlay(frame);
            }
            bad_frames += u64::from(!frame.verified);
        }
        if let Some(count) = wal.page_count().filter(|_| wal.header.is_some()) {
            image.truncate(count);
        }
    }
    let header = image.page(1).as_deref().and_then(Header::read).filter(Header::is_credible);
    let reserved = header.map_or(0, |header| usize::from(header.reserved));
    if reserved > 0 && believes_reserved(&image, page_size - reserved) {
        image = image.with_usable(page_size - reserved);
    }
    let logged = wal.is_some_and(|wal| wal.committed > 0);
    let wal_mode = header.map(|header| header.is_wal()).or(logged.then_some(true));
    Some(Layout { image, header, wal_mode, bad_frames })
}

/// A frame with a wrong checksum still counts when its page is whole.
fn is_believable(frame: &Frame, log: &dyn Store, page_size: usize) -> bool {
    let bytes = log.read(frame.offset, page_size).unwrap_or_default();
    Page::read(frame.page, &bytes, page_size).is_ok_and(|page| page.is_sound())
}

/// The stated page size if pages of that size can be read, else the one of which most bytes can; `None` when none can.
fn best_page_size(main: &dyn Store, stated: Option<usize>) -> Option<usize> {
    if let Some(size) = stated
        && sound_bytes(main, size) > 0
    {
        return Some(size);
    }
    let (bytes, size) = (9..=16).map(|bit| (sound_bytes(main, 1 << bit), 1_usize << bit)).max()?;
    if bytes > 0 { Some(size) } else { stated }
}

/// Bytes of sound b-tree pages in a sample of the file cut into pages of `size`.
fn sound_bytes(main: &dyn Store, size: usize) -> usize {
    let pages = main.size().div_ceil(size as u64);
    let step = pages.div_ceil(SAMPLE).max(1);
    let sampled = (0..pages).step_by(usize::try_from(step).unwrap_or(usize::MAX));
    let sound = sampled.filter(|index| {
        let number = u32::try_from(index + 1).unwrap_or(u32::MAX);
        let bytes = main.read(index * size as u64, size).unwrap_or_default();
        Page::read(number, &bytes, size).is_ok_and(|page| page.cell_count() > 0 && page.is_sound())
    });
    sound.count() * size
}

/// Whether no sound page speaks against the stated number of used bytes.
fn believes_reserved(image: &Image<'_>, usable: usize) -> bool {
    let is_sound = |number: u32, usable: usize| {
        let bytes = image.page(number).unwrap_or_default();
        Page::read(number, &bytes, usable).is_ok_and(|page| page.is_sound())
    };
    let sound =
        |usable: usize| (2..=image.count().min(64)).filter(|&number| is_sound(number, usable)).count();
    sound(usable) >= sound(image.page_size())
}
