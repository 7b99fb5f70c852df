//! Where the pages of a file stand: for files that lost or gained bytes, or whose parts stand in another order.
//!
//! ```text
//!   anchors     sound b-tree pages, at any offset
//!   pieces      anchors that follow one another at one distance from their places; the pointers into them say which
//!   breaks      where one piece ends and the next begins, down to the cell
//!   displaced   single pages, by the rows that go on in them
//! ```
//!
//! All of it ends in one [`ByteMap`], through which the file is read. A file whose pages stand at their numbers is not
//! searched: a few signs that cost nothing come first.
//!
//! Not here: what the rows on the pages say ([`crate::salvage::passes`]).

mod anchors;
mod breaks;
mod displaced;
mod pieces;

use std::collections::HashMap;

use self::anchors::{Anchor, Cut};
use crate::ondisk::byte_map::{ByteMap, Extent};
use crate::ondisk::header::{self, Header};
use crate::ondisk::image::Image;
use crate::ondisk::page::Page;
use crate::ondisk::store::Store;
use crate::salvage::schema::Tree;

/// Pages that are looked at for signs.
const SAMPLE: u64 = 64;
/// One page in so many that is none is a sign.
const SHARE: u64 = 8;
/// The header of a database is looked for in so many bytes.
const HEAD: usize = 1 << 16;
const USUAL_PAGE_SIZE: usize = 4096;

/// Return the map of `file`, whose pages may be cut as `size` says; `None` where they stand at their numbers, or nothing
/// tells where they do. `has_log` says that a log may hold pages that the file has not.
pub(crate) fn find(file: &dyn Store, size: Option<usize>, has_log: bool) -> Option<ByteMap> {
    let header = file.read(0, header::LEN).as_deref().and_then(Header::read).filter(Header::is_credible);
    if file.size() == 0 || !is_displaced(file, header, size, has_log) {
        return None;
    }
    search(file, size)
}

/// The same without a look for signs.
pub(crate) fn search(file: &dyn Store, size: Option<usize>) -> Option<ByteMap> {
    let (cut, anchors) = cut_of(file, size)?;
    let pages = anchors.iter().find(|anchor| anchor.is_first).and_then(|first| stated_pages(file, first));
    pieces::number(file, cut, &anchors, pages)
}

/// The pages that page 1 at `first` states, if it does so twice.
fn stated_pages(file: &dyn Store, first: &Anchor) -> Option<u32> {
    let at = u64::try_from(first.at).ok()?;
    let header = Header::read(&file.read(at, header::LEN)?)?;
    Some(header.page_count).filter(|count| *count > 0 && header.change_counter == header.valid_for)
}

/// True if the pages of `file` may stand elsewhere than at their numbers.
fn is_displaced(file: &dyn Store, header: Option<Header>, size: Option<usize>, has_log: bool) -> bool {
    let Some((header, size)) = header.zip(size) else { return true };
    let (pages, rest) = (file.size() / size as u64, file.size() % size as u64);
    let is_counted = header.change_counter == header.valid_for;
    if header.page_size != Some(size)
        || rest != 0
        || is_counted && !has_log && pages != u64::from(header.page_count)
    {
        return true;
    }
    let step = usize::try_from(pages.div_ceil(SAMPLE)).unwrap_or(usize::MAX).max(1);
    let (mut odd, mut all) = (0, 0);
    for index in (1..pages).step_by(step) {
        let head = file.read(index * size as u64, 12).unwrap_or_default();
        let is_tree = Page::read(2, &head, size).is_ok();
        let is_link = anchors::link(&head).is_none_or(|next| u64::from(next) <= pages);
        odd += u64::from(!is_tree && !is_link);
        all += 1;
    }
    odd * SHARE > all
}

/// How the pages of `file` are cut, and the sound ones among them.
fn cut_of(file: &dyn Store, size: Option<usize>) -> Option<(Cut, Vec<Anchor>)> {
    let head = file.read(0, HEAD)?;
    let stated = head.windows(header::LEN).filter(|bytes| bytes.get(21..24) == Some(&[64, 32, 32]));
    let stated =
        stated.filter_map(Header::read).find_map(|header| Some((header.page_size?, header.reserved)));
    let by_trial = size.map(|size| (size, 0));
    let mut sizes: Vec<(usize, usize)> =
        stated.map(|(size, reserved)| (size, usize::from(reserved))).into_iter().collect();
    if sizes.is_empty() {
        sizes.extend([USUAL_PAGE_SIZE].into_iter().chain((9..=16).map(|bit| 1 << bit)).map(|size| (size, 0)));
    }
    sizes.extend(by_trial.filter(|one| !sizes.contains(one)));
    let mut best: Option<(Cut, Vec<Anchor>)> = None;
    for (size, reserved) in sizes {
        let cut = Cut { size, usable: size - reserved };
        let anchors = anchors::find(file, cut);
        let weight = |cut: Cut, anchors: &[Anchor]| anchors.len() * cut.size;
        if best.as_ref().is_none_or(|(known, found)| weight(cut, &anchors) > weight(*known, found)) {
            best = Some((cut, anchors));
        }
    }
    best.filter(|(_, anchors)| !anchors.is_empty())
}

/// Return `map` (every byte in its place if there is none) with single pages of `image` moved to where rows of `tables` go on
/// in them; `None` where none is known to stand elsewhere.
pub(crate) fn displaced(image: &Image<'_>, map: Option<&ByteMap>, tables: &[Tree]) -> Option<ByteMap> {
    let moves: HashMap<u32, u32> = displaced::find(image, tables)?;
    let size = image.page_size();
    let offset = |number: u32| u64::from(number - 1) * size as u64;
    let moves: Vec<(u64, u64)> = moves.iter().map(|(number, at)| (offset(*number), offset(*at))).collect();
    let own = ByteMap::identity(u64::from(image.count()) * size as u64);
    let map = map.unwrap_or(&own);
    Some(map.moved(&moves, size as u64))
}

/// The bytes from `from` on as an extent that belongs `shift` bytes further on; what would come before the beginning is left
/// out.
fn extent(from: i64, end: i64, shift: i64) -> Option<Extent> {
    let from = from.max(0).max(-shift);
    (from < end).then(|| Extent {
        to: u64::try_from(from + shift).unwrap_or(0),
        from: u64::try_from(from).unwrap_or(0),
        len: u64::try_from(end - from).unwrap_or(0),
    })
}
