//! Signs that the next write would destroy rows, found with a few plain reads before SQLite opens the board.
//!
//! ```text
//!   freelist    names a page that is not empty, or does not add up      the write takes that page
//!   header      counts fewer pages than the file has with content       the write takes those pages
//!   trees       a page on the way of new rows is another's              the write changes the other table
//! ```
//!
//! Hermes sets secure_delete, so that the free pages of a board are zero. A sign is no proof: another program may have
//! freed the page, and a writer may be at work. It leads to SQLite's own check. Small boards are looked at whole.
//!
//! Not here: sidecars that do not belong ([`super::belonging`]), and what is done about a sign (the pool).

use super::Inspection;
use super::log::LogBytes;
use super::trees::{WalkedExtent, walk};
use crate::failure::Outcome;
use crate::ondisk::freelist;
use crate::ondisk::header::Header;
use crate::ondisk::image::Image;
use crate::ondisk::wal::Wal;

/// Boards of up to so many pages are walked whole.
const MAX_PAGES_WALKED: u32 = 256;
/// Free pages, and pages behind the counted ones, that are looked at.
const MAX_PAGES_SEEN: usize = 64;

/// Look for signs that a write would destroy something. Each is a clause without a period.
///
/// # Errors
/// When the board cannot be read.
pub fn before_writing(inspection: &Inspection) -> Outcome<Vec<String>> {
    let Some(page_size) = inspection.header().and_then(|header| header.page_size) else {
        return Ok(Vec::new());
    };
    let main = LogBytes::at(&inspection.resolved)?;
    let log = match inspection.sidecars.wal.as_ref().filter(|wal| wal.stamp.len > 0) {
        Some(wal) => LogBytes::at(&wal.path)?,
        None => None,
    };
    let Some(main) = main else { return Ok(Vec::new()) };
    let reserved = inspection.header().map_or(0, |header| usize::from(header.reserved));
    let mut image = Image::new(&main, page_size, page_size.saturating_sub(reserved));
    let pages_in_file = image.count();
    let wal = log.as_ref().and_then(|log| Wal::read(log, Some(page_size)));
    if let (Some(wal), Some(log)) = (&wal, &log)
        && wal.page_size == page_size
    {
        image = image.with_log(log);
        let visible = wal.frames.get(..wal.visible()).unwrap_or_default();
        for frame in visible {
            image.overlay(frame);
        }
        if let Some(last) = visible.last() {
            image.truncate(last.commit);
        }
    }
    Ok(of_image(&image, pages_in_file))
}

/// The signs in `image`, whose file has `pages_in_file` pages.
fn of_image(image: &Image<'_>, pages_in_file: u32) -> Vec<String> {
    let mut signs = Vec::new();
    let Some(header) = image.page(1).as_deref().and_then(Header::read) else { return signs };
    if header.change_counter != header.valid_for {
        signs.push("the header's counters disagree".to_owned());
    }
    let counts = header.page_count != 0 && header.change_counter == header.valid_for;
    if counts && header.page_count < image.count() {
        let behind = header.page_count + 1..=image.count().min(pages_in_file);
        if behind.take(MAX_PAGES_SEEN).any(|number| !is_blank(image, number)) {
            signs.push("the header counts fewer pages than the file has".to_owned());
        }
    }
    // SQLite sees no page behind the counted ones.
    let mut image = image.clone();
    if counts {
        image.truncate(header.page_count);
    }
    let image = &image;
    let is_small = image.count() <= MAX_PAGES_WALKED;
    let extent = if is_small { WalkedExtent::WholeWithShapes } else { WalkedExtent::LastLeaf };
    let trees = walk(image, extent, |_, _| {});
    if trees.faults > 0 {
        signs.push("a page is not what its table or index says".to_owned());
    }
    let list = freelist::read(image, header.freelist_trunk, header.freelist_count);
    if !list.whole {
        signs.push("the list of free pages does not add up".to_owned());
    }
    let named = list.trunks.iter().chain(&list.leaves);
    let is_used = named.clone().any(|page| trees.used.contains(page));
    // SQLite takes the pages of the first trunk first.
    let is_written = list.leaves.iter().take(MAX_PAGES_SEEN).any(|&page| !is_blank(image, page));
    if is_used || is_written {
        signs.push("the list of free pages names a page that is not empty".to_owned());
    }
    signs
}

fn is_blank(image: &Image<'_>, number: u32) -> bool {
    image.page(number).is_none_or(|bytes| bytes.iter().all(|byte| *byte == 0))
}
