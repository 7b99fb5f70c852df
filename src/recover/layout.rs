//! From bytes to pages: how large they are, and which version of each counts.
//!
//! Header fields are hints (recovery.md): the page size is believed when pages of that size can be read, otherwise it is
//! found by trying.

use super::sources::Bytes;
use crate::ondisk::header::Header;
use crate::ondisk::image::Image;
use crate::ondisk::page::Page;
use crate::ondisk::wal::{Frame, Wal};

/// What a new Hermes board has.
const USUAL_PAGE_SIZE: usize = 4096;
/// Pages that are looked at to judge a page size.
const SAMPLE: usize = 256;

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

/// The pages in `bytes`; `None` when there are none at all.
pub(crate) fn lay_out(bytes: &Bytes) -> Option<Layout<'_>> {
    let stated = Header::read(&bytes.main).filter(|header| header.magic).and_then(|header| header.page_size);
    let by_trial = best_page_size(&bytes.main, stated);
    let wal = Wal::read(&bytes.wal, by_trial);
    let page_size = by_trial
        .or_else(|| wal.as_ref().map(|wal| wal.page_size))
        .or_else(|| (!bytes.main.is_empty()).then_some(USUAL_PAGE_SIZE))?;
    let wal = wal.filter(|wal| wal.page_size == page_size);
    let mut image = Image::new(&bytes.main, page_size, page_size);
    let mut bad_frames = 0;
    if let Some(wal) = &wal {
        for frame in wal.committed() {
            if frame.verified || is_believable(frame, page_size) {
                image.overlay(frame);
            }
            bad_frames += u64::from(!frame.verified);
        }
        if let Some(count) = wal.page_count().filter(|_| wal.header.is_some()) {
            image.truncate(count);
        }
    }
    let header = image.page(1).and_then(Header::read).filter(Header::is_credible);
    let reserved = header.map_or(0, |header| usize::from(header.reserved));
    if reserved > 0 && believes_reserved(&image, page_size - reserved) {
        image = image.with_usable(page_size - reserved);
    }
    let logged = wal.is_some_and(|wal| wal.committed > 0);
    let wal_mode = header.map(|header| header.is_wal()).or(logged.then_some(true));
    Some(Layout { image, header, wal_mode, bad_frames })
}

/// A frame with a wrong checksum still counts when its page is whole.
fn is_believable(frame: &Frame<'_>, page_size: usize) -> bool {
    Page::read(frame.page, frame.bytes, page_size).is_ok_and(|page| page.is_sound())
}

/// The stated page size if pages of that size can be read, else the one of which most bytes can; `None` when none can.
fn best_page_size(main: &[u8], stated: Option<usize>) -> Option<usize> {
    if let Some(size) = stated
        && sound_bytes(main, size) > 0
    {
        return Some(size);
    }
    let (bytes, size) = (9..=16).map(|bit| (sound_bytes(main, 1 << bit), 1_usize << bit)).max()?;
    if bytes > 0 { Some(size) } else { stated }
}

/// Bytes of sound b-tree pages in a sample of the file cut into pages of `size`.
fn sound_bytes(main: &[u8], size: usize) -> usize {
    let pages = main.len().div_ceil(size);
    let step = pages.div_ceil(SAMPLE).max(1);
    let sound = main.chunks(size).enumerate().step_by(step).filter(|(index, bytes)| {
        let number = u32::try_from(index + 1).unwrap_or(u32::MAX);
        Page::read(number, bytes, size).is_ok_and(|page| page.cell_count() > 0 && page.is_sound())
    });
    sound.count() * size
}

/// Whether no sound page speaks against the stated number of used bytes.
fn believes_reserved(image: &Image<'_>, usable: usize) -> bool {
    let sound = |usable: usize| {
        (2..=image.count().min(64))
            .filter_map(|number| Page::read(number, image.page(number)?, usable).ok())
            .filter(Page::is_sound)
            .count()
    };
    sound(usable) >= sound(image.page_size())
}
