//! Pieces of a file and the numbers of their pages.
//!
//! An interior page names the number of each child and its highest rowid. The leaf with that rowid, wherever it stands, has
//! that number: that is one vote for how far the pages around it stand from their places.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use super::anchors::{Anchor, Claim, Cut};
use super::{breaks, extent};
use crate::ondisk::byte_map::{ByteMap, Extent};
use crate::ondisk::store::Store;

/// So many votes at least move pages that stand at the stride.
const ENOUGH: usize = 3;
/// Votes that are heard ahead before one piece ends within the stride.
const AHEAD: usize = 12;
/// Votes in a row that end one piece within the stride.
const IN_A_ROW: usize = 3;
/// Pages around the likeliest place in which one without votes is looked for.
const AROUND: i64 = 3;

/// Anchors that stand equally far from their places.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    pub(super) first: usize,
    pub(super) last: usize,
    /// How far on in the database its bytes belong.
    pub(super) shift: Option<i64>,
    pub(super) votes: usize,
}

/// What pages are named as, by their numbers.
pub(super) type Claims = HashMap<u32, Vec<Claim>>;

/// Number the pages of `file` by its `anchors`; `None` where they stand at their numbers already, or too little says where they
/// do. The database had `pages` pages, if that is known.
pub(super) fn number(file: &dyn Store, cut: Cut, anchors: &[Anchor], pages: Option<u32>) -> Option<ByteMap> {
    let size = i64::try_from(cut.size).ok()?;
    let mut claims = Claims::new();
    for (number, claim) in anchors.iter().flat_map(|anchor| &anchor.claims) {
        claims.entry(*number).or_default().push(*claim);
    }
    let votes = votes(anchors, size);
    let mut pieces = split(anchors, &votes, size);
    settle(&mut pieces, anchors, &claims, size);
    let moved = |piece: &&Piece| piece.shift != Some(0);
    let is_off_stride =
        |piece: &&Piece| anchors.get(piece.first).is_some_and(|first| first.at.rem_euclid(size) != 0);
    let strong: usize = pieces.iter().filter(moved).map(|piece| piece.votes).sum();
    let off: usize = pieces.iter().filter(is_off_stride).map(|piece| piece.last - piece.first + 1).sum();
    if strong < ENOUGH && off < 2 {
        return None;
    }
    let map = lay(file, cut, anchors, &pieces, &claims, pages);
    (map != ByteMap::identity(file.size())).then_some(map)
}

/// For each anchor how far on it may belong.
///
/// Leaves of two tables may end with one rowid, and then an interior page seems to name either. Of those the one counts that
/// stands as far from its place as most others do.
fn votes(anchors: &[Anchor], size: i64) -> Vec<Vec<i64>> {
    let mut by_last: HashMap<i64, Vec<(usize, &Anchor)>> = HashMap::new();
    for (at, anchor) in anchors.iter().enumerate() {
        if let Some(last) = anchor.last {
            by_last.entry(last).or_default().push((at, anchor));
        }
    }
    let claims = anchors.iter().flat_map(|anchor| &anchor.claims);
    let named = claims.filter_map(|(number, claim)| {
        let Claim::Table(Some(last)) = claim else { return None };
        let place = (i64::from(*number) - 1).saturating_mul(size);
        Some((place, by_last.get(last)?))
    });
    let named: Vec<_> = named.collect();
    let mut common: HashMap<i64, usize> = HashMap::new();
    for shift in named.iter().flat_map(|(place, found)| found.iter().map(|(_, anchor)| *place - anchor.at)) {
        *common.entry(shift).or_default() += 1;
    }
    let mut votes = vec![Vec::new(); anchors.len()];
    for (place, found) in named {
        let weight = |anchor: &Anchor| {
            let shift = place - anchor.at;
            (common.get(&shift).copied().unwrap_or(0), Reverse(shift.unsigned_abs()))
        };
        let Some((_, likeliest)) = found.iter().max_by_key(|(_, anchor)| weight(anchor)) else { continue };
        for (at, anchor) in found.iter().filter(|(_, anchor)| anchor.digest == likeliest.digest) {
            if let Some(votes) = votes.get_mut(*at) {
                votes.push(place - anchor.at);
            }
        }
    }
    for (votes, anchor) in votes.iter_mut().zip(anchors).filter(|(_, anchor)| anchor.is_first) {
        votes.push(-anchor.at);
    }
    votes
}

/// Cut the anchors into pieces.
fn split(anchors: &[Anchor], votes: &[Vec<i64>], size: i64) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let phase = |at: usize| anchors.get(at).map(|anchor| anchor.at.rem_euclid(size));
    let empty = Vec::new();
    let of = |at: usize| votes.get(at).unwrap_or(&empty);
    for at in 0..anchors.len() {
        // The votes of the next anchors at the same stride.
        let ahead = || {
            (at..anchors.len())
                .take_while(|next| phase(*next) == phase(at))
                .filter(|next| !of(*next).is_empty())
        };
        let most = |from: &[i64]| {
            let counted = from
                .iter()
                .map(|shift| (ahead().take(AHEAD).filter(|next| of(*next).contains(shift)).count(), shift));
            counted.max().map(|(count, shift)| (*shift, count))
        };
        let current = pieces.last_mut().filter(|piece| phase(piece.last) == phase(at));
        let starts = match current.as_deref().map(|piece| piece.shift) {
            None => true,
            Some(None) => false,
            Some(Some(shift)) if of(at).is_empty() || of(at).contains(&shift) => false,
            Some(Some(shift)) => {
                let own = ahead().take(AHEAD).filter(|next| of(*next).contains(&shift)).count();
                // Leaves of two tables may end with one number; a few in a row that agree hardly do.
                let agree =
                    |other: &&i64| ahead().take(IN_A_ROW).filter(|next| of(*next).contains(*other)).count();
                let is_first = anchors.get(at).is_some_and(|anchor| anchor.is_first);
                is_first
                    || of(at).iter().any(|other| agree(&other) == IN_A_ROW)
                        && most(of(at)).is_some_and(|(_, count)| count > own)
            }
        };
        if starts {
            let first = ahead().next();
            let all: Vec<i64> = ahead().take(AHEAD).flat_map(|next| of(next).iter().copied()).collect();
            let shift = first
                .and_then(|_| most(if of(at).is_empty() { &all } else { of(at) }))
                .map(|(shift, _)| shift);
            pieces.push(Piece { first: at, last: at, shift, votes: 0 });
        }
        if let Some(piece) = pieces.last_mut() {
            piece.last = at;
            if piece.shift.is_none()
                && let Some((shift, _)) = most(of(at))
            {
                piece.shift = Some(shift);
            }
            piece.votes += usize::from(piece.shift.is_some_and(|shift| of(at).contains(&shift)));
        }
    }
    pieces
}

/// Give those of `pieces` a place that have no vote: near their neighbours', where what pages are named as fits best.
fn settle(pieces: &mut Vec<Piece>, anchors: &[Anchor], claims: &Claims, size: i64) {
    for at in 0..pieces.len() {
        let Some(piece) = pieces.get(at).filter(|piece| piece.shift.is_none()) else { continue };
        let before = at.checked_sub(1).and_then(|before| pieces.get(before)?.shift);
        let behind = || pieces.iter().skip(at).find_map(|piece| piece.shift);
        let near = before.or_else(behind).unwrap_or(0);
        let Some(first) = anchors.get(piece.first) else { continue };
        let off = (first.at + near).rem_euclid(size);
        let nearest = near - off + if off * 2 > size { size } else { 0 };
        let score = |shift: i64| -> i64 {
            let of = anchors.get(piece.first..=piece.last).unwrap_or_default().iter();
            of.map(|anchor| fit(anchor, shift, claims, size)).sum()
        };
        let shifts = (-AROUND..=AROUND).map(|pages| nearest + pages * size);
        let best = shifts.max_by_key(|shift| (score(*shift), -(shift - near).abs()));
        if let Some(piece) = pieces.get_mut(at) {
            piece.shift = best;
        }
    }
    // A page of another database in what a row holds stands alone between pages that stand alike.
    let alone = |at: usize| {
        let shift = |at: Option<usize>| at.and_then(|at| pieces.get(at)).and_then(|piece| piece.shift);
        let piece = pieces.get(at);
        piece.is_some_and(|piece| piece.first == piece.last && piece.votes == 0)
            && shift(at.checked_sub(1)).is_some()
            && shift(at.checked_sub(1)) == shift(Some(at + 1))
    };
    let kept: Vec<Piece> =
        pieces.iter().enumerate().filter(|(at, _)| !alone(*at)).map(|(_, piece)| piece.clone()).collect();
    *pieces = kept;
}

/// How well `anchor` fits what the page is named as whose place it has with `shift`.
fn fit(anchor: &Anchor, shift: i64, claims: &Claims, size: i64) -> i64 {
    let Some(number) = number_at(anchor.at + shift, size) else { return -8 };
    let of = claims.get(&number).into_iter().flatten();
    of.map(|claim| {
        if anchor.is_exactly(*claim) {
            4
        } else if anchor.is(*claim) {
            1
        } else {
            -2
        }
    })
    .sum()
}

/// The number of the page at `place` in the database.
pub(super) fn number_at(place: i64, size: i64) -> Option<u32> {
    u32::try_from(place.div_euclid(size) + 1).ok().filter(|number| *number > 0 && place >= -size)
}

/// Make a map of the `pieces`.
fn lay(
    file: &dyn Store,
    cut: Cut,
    anchors: &[Anchor],
    pieces: &[Piece],
    claims: &Claims,
    pages: Option<u32>,
) -> ByteMap {
    let size = i64::try_from(cut.size).unwrap_or(i64::MAX);
    let end = i64::try_from(file.size()).unwrap_or(i64::MAX);
    let mut extents: Vec<(usize, Extent)> = Vec::new();
    let mut doubts = Vec::new();
    let mut from = 0;
    for (at, piece) in pieces.iter().enumerate() {
        let shift = piece.shift.unwrap_or(0);
        let next = pieces.get(at + 1).and_then(|next| Some((next, next.shift?)));
        let seam = next.and_then(|(next, next_shift)| {
            let (one, other) = (anchors.get(piece.last)?, anchors.get(next.first)?);
            Some(breaks::between(file, cut, (one.at + size, shift), (other.at, next_shift), claims))
        });
        let (until, start) = seam.as_ref().map_or((end, end), |seam| (seam.end, seam.start));
        extents.extend(extent(from, until, shift).map(|extent| (piece.votes, extent)));
        doubts.extend(seam.and_then(|seam| seam.doubtful));
        from = start;
    }
    // What more pages vouch for comes first where two pieces want one place.
    extents.sort_by_key(|(votes, _)| Reverse(*votes));
    let mut map = ByteMap::new(pages.map_or(0, |pages| u64::from(pages) * cut.size as u64));
    let mut homeless = Vec::new();
    for (_, extent) in extents {
        homeless.extend(map.refused(&extent));
        map.add(extent);
    }
    for doubt in doubts {
        map.doubt(doubt);
    }
    append(file, cut, &mut map, &homeless);
    map
}

/// Put the pages of `extents`, whose places are taken, behind the end of `map`, unless the same stands in their places.
fn append(file: &dyn Store, cut: Cut, map: &mut ByteMap, extents: &[Extent]) {
    let size = cut.size as u64;
    let mut seen: BTreeMap<u64, Extent> = BTreeMap::new();
    for extent in extents {
        for page in (extent.to.div_ceil(size)..(extent.to + extent.len) / size).map(|page| page * size) {
            seen.insert(
                extent.from + (page - extent.to),
                Extent { to: page, from: extent.from + (page - extent.to), len: size },
            );
        }
    }
    for page in seen.values() {
        let theirs = file.read(page.from, cut.size);
        if theirs.is_some() && theirs != map.read(file, page.to, cut.size) {
            map.add(Extent { to: map.size().next_multiple_of(size), ..*page });
        }
    }
}
