//! Pages that stand in each other's place: written to the wrong offsets, or put together in the wrong order.
//!
//! Leaves of tables need no help, their rows say where they belong. The rest of a long row says nothing: it is found by its
//! number or not at all. So every page is asked what it names others as (`wants`), and the rows that do not go on where
//! they should are followed through the pages that are not what they are named as (`threads`). What is found counts only as
//! part of a round: each of its pages fits the place that it is given, and none the one where it stands.

mod threads;
mod wants;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use self::wants::{NamedFit, Wants};
use crate::ondisk::image::Image;
use crate::salvage::schema::Tree;

/// More pages than this do not stand in each other's place: that is other damage.
const MOST: usize = 512;

/// For each page that stands in the place of another, in a source with rows of `tables`: its number, and that of the place where it is.
pub(crate) fn find(image: &Image<'_>, tables: &[Tree]) -> Option<HashMap<u32, u32>> {
    let wants = wants::gather(image, tables, MOST)?;
    let is_movable = |number: &u32| *number > 1 && image.site(*number).is_some_and(|site| !site.in_log);
    let displaced: BTreeSet<u32> =
        wants.misfits.keys().chain(&wants.doubtful).copied().filter(is_movable).collect();
    let mut moves = threads::follow(image, tables, &wants, &displaced);
    close(image, &wants, &displaced, &mut moves);
    (!moves.is_empty()).then(|| moves.into_iter().collect())
}

/// Makes rounds of `moves`, which say what page is to be read where; what is part of none is forgotten.
fn close(image: &Image<'_>, wants: &Wants, displaced: &BTreeSet<u32>, moves: &mut BTreeMap<u32, u32>) {
    let mut refused = BTreeSet::new();
    loop {
        let placed: BTreeSet<u32> = moves.values().copied().collect();
        let Some(homeless) = moves.keys().copied().find(|number| !placed.contains(number)) else { return };
        let is_open = |number: u32| {
            displaced.contains(&number) && !moves.contains_key(&number) && !refused.contains(&number)
        };
        let fits =
            |place: &u32| wants.misfits.get(place).is_some_and(|want| want.fit(image, homeless).is_some());
        let exchange = moves.get(&homeless).copied().filter(|place| is_open(*place) && fits(place));
        let home = exchange.or_else(|| home_of(image, wants, homeless, is_open));
        if let Some(home) = home {
            moves.insert(home, homeless);
        } else {
            refused.insert(homeless);
            moves.remove(&homeless);
        }
    }
}

/// The one place among those that are `open` that the page which stands at `number` fits best.
fn home_of(image: &Image<'_>, wants: &Wants, number: u32, open: impl Fn(u32) -> bool) -> Option<u32> {
    let places = wants.misfits.iter().filter(|(place, _)| **place != number && open(**place));
    let mut fits: Vec<(NamedFit, u32)> =
        places.filter_map(|(place, want)| Some((want.fit(image, number)?, *place))).collect();
    fits.sort_unstable();
    match *fits.as_slice() {
        [(_, home)] => Some(home),
        [(best, home), (next, _), ..] if best < next => Some(home),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ondisk::store::Store;
    use crate::salvage::schema::Schemas;

    const SIZE: usize = 1024;

    /// A table whose rows go on in one to three pages each, as it lies in a file.
    fn long_rows() -> Vec<u8> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("kanban.db");
        let connection = rusqlite::Connection::open(&path).unwrap();
        connection
            .execute_batch(&format!(
                "PRAGMA page_size={SIZE}; PRAGMA secure_delete=ON; \
                 CREATE TABLE task_comments(id INTEGER PRIMARY KEY, body TEXT); \
                 WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30) \
                 INSERT INTO task_comments(body) SELECT substr(replace(hex(zeroblob(2000)), '00', i || ' '), 1, \
                 1100 + 83 * i) FROM n"
            ))
            .unwrap();
        connection.close().unwrap();
        std::fs::read(path).unwrap()
    }

    fn found(bytes: &Vec<u8>) -> Option<BTreeMap<u32, u32>> {
        let store: &dyn Store = bytes;
        let image = Image::new(store, SIZE, SIZE);
        let schemas = Schemas::new().unwrap();
        let catalog = schemas.catalog(&[]);
        find(&image, &catalog.tables).map(|moves| moves.into_iter().collect())
    }

    fn put(bytes: &[u8], moves: &BTreeMap<u32, u32>) -> Vec<u8> {
        let place = |number: u32| (number as usize - 1) * SIZE..number as usize * SIZE;
        let mut put = bytes.to_vec();
        for (number, at) in moves {
            put[place(*at)].copy_from_slice(&bytes[place(*number)]);
        }
        put
    }

    /// The pages that rows go on in.
    fn links(bytes: &[u8]) -> Vec<u32> {
        let numbers = 1..=u32::try_from(bytes.len() / SIZE).unwrap();
        numbers.filter(|number| bytes[(*number as usize - 1) * SIZE] == 0).collect()
    }

    /// One of the leaves.
    fn leaf(bytes: &[u8]) -> u32 {
        (3..99).find(|number| bytes[(*number as usize - 1) * SIZE] == 13).unwrap()
    }

    #[test]
    fn pages_at_their_numbers_stay() {
        assert_eq!(found(&long_rows()), None);
    }

    #[test]
    fn two_pages_that_changed_places_are_told() {
        let bytes = long_rows();
        let links = links(&bytes);
        let (some, other) = (links[3], links[links.len() / 2]);
        for (one, two) in [(some, leaf(&bytes)), (some, other)] {
            let moves = BTreeMap::from([(one, two), (two, one)]);
            assert_eq!(found(&put(&bytes, &moves)), Some(moves));
        }
    }

    #[test]
    fn three_pages_in_a_round_are_told() {
        let bytes = long_rows();
        let links = links(&bytes);
        let (one, two, three) = (links[3], links[links.len() / 2], leaf(&bytes));
        let moves = BTreeMap::from([(one, two), (two, three), (three, one)]);
        assert_eq!(found(&put(&bytes, &moves)), Some(moves));
    }

    #[test]
    fn what_only_one_page_says_is_not_believed() {
        // Its page was written over with another's, and nothing else fits there.
        let mut bytes = long_rows();
        let links = links(&bytes);
        let (one, other) = (links[4] as usize - 1, links[9] as usize - 1);
        bytes.copy_within(other * SIZE..(other + 1) * SIZE, one * SIZE);
        assert_eq!(found(&bytes), None);
    }
}
