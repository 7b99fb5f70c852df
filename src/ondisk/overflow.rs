//! Overflow chains ("Database File Format", section 1.5): the rest of a payload that does not fit its cell.
//!
//! ```text
//!   0  next overflow page, 0 on the last
//!   4  content, to the end of the usable bytes or of the payload
//! ```

use std::borrow::Cow;

use super::Corrupt;
use super::field::u32_at;

/// Where the content of a page begins.
pub const CONTENT: usize = 4;

/// Follows the chain from page `first` until `need` bytes are appended to `out`, and returns the pages it took.
///
/// `fetch` gives the bytes of a page, or none if it must not belong to a chain. It gets the payload up to that page, the
/// page's number, and whether it has to be the last; it judges what the last one names. The chain is as long as the payload says and not a page longer, so it ends
/// whatever the pages say.
///
/// # Errors
/// [`Corrupt`] with `out` as far as it came: a page is missing, comes twice, is cut off, or the chain is too short.
pub fn follow<'a>(
    first: u32,
    need: u64,
    usable: usize,
    out: &mut Vec<u8>,
    mut fetch: impl FnMut(&[u8], u32, bool) -> Option<Cow<'a, [u8]>>,
) -> Result<Vec<u32>, Corrupt> {
    let content = usable.saturating_sub(CONTENT).max(1);
    let mut need = usize::try_from(need).map_err(|_| Corrupt::new("a payload longer than memory", 0))?;
    let mut pages = Vec::new();
    let mut seen = std::collections::HashSet::new();
    let mut next = first;
    while need > 0 {
        if next == 0 {
            return Err(Corrupt::new("an overflow chain is too short", pages.len()));
        }
        if !seen.insert(next) {
            return Err(Corrupt::new("an overflow chain comes back to itself", pages.len()));
        }
        let take = need.min(content);
        let page = fetch(out, next, need <= content)
            .ok_or(Corrupt::new("a page of an overflow chain is missing", pages.len()))?;
        let chunk = page
            .get(CONTENT..CONTENT + take)
            .ok_or(Corrupt::new("a page of an overflow chain is cut off", pages.len()))?;
        out.extend_from_slice(chunk);
        pages.push(next);
        need -= take;
        next = next_page(&page).unwrap_or(0);
    }
    Ok(pages)
}

/// True if `page` can be one of a chain in a file of `count` pages: the `last` one names no page, any other one that exists,
/// and it is not all zeros unless its part of the payload may be.
pub fn is_link(page: &[u8], last: bool, count: u32, may_be_zeros: bool) -> bool {
    let Some(next) = next_page(page) else { return false };
    let in_place = if last { next == 0 } else { (2..=count.max(2)).contains(&next) };
    in_place && (may_be_zeros || page.iter().any(|&byte| byte != 0))
}

/// Return how many pages a rest of `need` bytes takes.
pub fn page_count(need: u64, usable: usize) -> u64 {
    need.div_ceil(usable.saturating_sub(CONTENT).max(1) as u64)
}

/// The page that follows in the chain, 0 for none.
pub fn next_page(page: &[u8]) -> Option<u32> {
    u32_at(page, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cycle_ends() {
        let page = [0, 0, 0, 7, 1, 2, 3, 4];
        let mut out = Vec::new();
        assert!(follow(7, 100, 8, &mut out, |_, _, _| Some(Cow::Borrowed(&page[..]))).is_err());
        assert_eq!(out, [1, 2, 3, 4]);
    }

    #[test]
    fn what_the_last_page_names_is_for_who_fetches() {
        let last = [0, 0, 0, 9, 1, 2, 3, 4];
        for fits in [true, false] {
            let mut out = Vec::new();
            let pages = follow(7, 3, 8, &mut out, |_, _, last_one| {
                assert!(last_one);
                fits.then_some(Cow::Borrowed(&last[..]))
            });
            assert_eq!(pages.ok(), fits.then(|| vec![7]));
        }
    }
}
