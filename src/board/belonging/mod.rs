//! Whether two sources are of one board and one moment: what a log, a journal or a copy says against a main file.
//!
//! ```text
//!   main file + -wal        [`of_log`]       the same moment: the log may be laid over the file
//!   main file + -journal    [`of_journal`]   the same moment: the journal may be played back
//!   board     + copy        [`relation`]     never asked for the moment; only whether it is one board
//! ```
//!
//! Reads bytes and decides on values. A pair that is not proven to differ is of the same moment: a lawful log called
//! foreign would keep its rows from everybody. What is always true, and what the proofs rest on:
//!
//! * An AUTOINCREMENT number (events, comments, attachments) never names two rows of one board.
//! * `sqlite_sequence` never goes back, unless a migration makes a table again.
//! * A main file with its log is a whole set of trees. A main file alone need not be: a checkpoint may be under way.
//! * In rollback mode every transaction counts in the header. A journal has the file's counter or one less.
//!
//! Not here: what is done about a pair (the pool refuses, health reports, recovery reads the two apart).

mod facts;
mod sidecars;

use std::collections::{BTreeMap, HashSet};

pub use self::facts::SourceFacts;
use self::facts::{FREE, LeafRow, rows_of};
pub use self::sidecars::{SidecarRelations, beside, of_log_at};
use crate::board::trees::{WalkedExtent, walk};
use crate::ondisk::header::{self, Header, LOCK_BYTES_AT};
use crate::ondisk::image::Image;
use crate::ondisk::journal::Journal;
use crate::ondisk::page::{Page, PageKind};
use crate::ondisk::store::Store;
use crate::ondisk::text::Encoding;
use crate::ondisk::wal::{Frame, Wal};

/// Children of an interior page that are looked at before a pair is taken for lawful.
const MAX_CHILDREN_SEEN: usize = 16;
/// One shared task id in so many is no proof: ids have 32 random bits.
const MIN_SHARE: usize = 50;

/// How a source is related to a board.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Relation {
    #[default]
    /// The same board at the same moment, or not proven to be anything else.
    SameMoment,
    /// An earlier or later moment of the same board.
    OtherMoment,
    /// The board that was at this place before, or the one that was made there since: no id is shared, and one began
    /// after the other had ended.
    Recreated,
    /// Another board.
    AnotherBoard,
}

impl Relation {
    /// What a person calls it, as the rest of a sentence about the source.
    pub fn words(self) -> &'static str {
        match self {
            Self::SameMoment => "belongs to it",
            Self::OtherMoment => "is of another moment of this board",
            Self::Recreated => "is of the board that was here before or after it",
            Self::AnotherBoard => "is another board's",
        }
    }

    /// True if the source may be combined with the main file, page by page.
    pub fn is_same_moment(self) -> bool {
        self == Self::SameMoment
    }
}

/// How a log or a journal goes together with its main file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Combination {
    /// Faults in the trees of the main file alone.
    pub alone: u64,
    /// Faults in the trees of both together.
    pub together: u64,
    /// True if counters or lengths prove that the two are of different moments.
    pub is_impossible: bool,
}

impl Combination {
    /// True if the two are of different moments: the main file is whole, and not with the other over it.
    fn differs(self) -> bool {
        self.is_impossible || (self.alone == 0 && self.together > 0)
    }
}

/// Decide how `theirs` is related to `ours`. `combined` tells how they go together, where theirs is a log or journal that
/// would be laid over ours; a copy has none, and of one board it is always of another moment.
pub fn relation(ours: &SourceFacts, theirs: &SourceFacts, combined: Option<Combination>) -> Relation {
    let differs = combined.is_none_or(Combination::differs);
    let of_one_board = if differs { Relation::OtherMoment } else { Relation::SameMoment };
    if ours.is_bare() || theirs.is_bare() {
        return of_one_board;
    }
    let common = ours.compare(theirs);
    let is_shared = common.agreeing > 0
        || (common.tasks > 0
            && common.tasks.saturating_mul(MIN_SHARE) >= ours.task_count().min(theirs.task_count()));
    // Without a number that both use, two boards are told apart only where their pages contradict each other.
    let proven = common.differing > 0 || (combined.is_some() && differs && !theirs.names_own_tasks_alone());
    if is_shared || !proven {
        return of_one_board;
    }
    // A log shows only the end of its board, so that its first row says nothing about when the board began.
    let is_after = combined.is_none() && theirs.begins_after(ours);
    if ours.begins_after(theirs) || is_after { Relation::Recreated } else { Relation::AnotherBoard }
}

/// Decide whether the committed frames of `log` belong over `main`. Reads the log and the pages that it has versions of;
/// all of both only where those leave a doubt.
pub fn of_log(main: &dyn Store, log: &dyn Store) -> Relation {
    let header = main.read(0, header::LEN).as_deref().and_then(Header::read).filter(Header::is_credible);
    let Some(wal) = Wal::read(log, header.and_then(|header| header.page_size)) else {
        return Relation::SameMoment;
    };
    // What SQLite sees decides. Frames that only recovery would restore prove nothing about where the log belongs.
    let visible = wal.visible();
    let is_seen = |frame: &&Frame| frame.verified && (visible == 0 || frame.index < visible);
    let newest: BTreeMap<u32, Frame> =
        wal.committed().filter(is_seen).map(|frame| (frame.page, *frame)).collect();
    if newest.is_empty() || main.size() == 0 {
        return Relation::SameMoment;
    }
    let page_size = header.and_then(|header| header.page_size).unwrap_or(wal.page_size);
    if page_size != wal.page_size {
        return of_other_sizes(main, log, &newest, page_size, wal.page_size);
    }
    let pair = LogPair::new(main, log, header, newest, &wal);
    if pair.is_plainly_lawful() { Relation::SameMoment } else { pair.decide() }
}

/// A log whose pages have another size than the main file's cannot be laid over it.
fn of_other_sizes(
    main: &dyn Store,
    log: &dyn Store,
    newest: &BTreeMap<u32, Frame>,
    main_size: usize,
    log_size: usize,
) -> Relation {
    let ours = SourceFacts::of_image(&Image::new(main, main_size, main_size));
    let mut pages = Image::new(&NO_BYTES, log_size, log_size).with_log(log);
    for frame in newest.values() {
        pages.overlay(frame);
    }
    let theirs = SourceFacts::of_image(&pages);
    relation(&ours, &theirs, Some(Combination { is_impossible: true, ..Combination::default() }))
}

static NO_BYTES: &[u8] = &[];

/// A main file and a log whose pages have one size.
struct LogPair<'a> {
    /// The main file alone.
    main: Image<'a>,
    /// With the log over it.
    both: Image<'a>,
    newest: BTreeMap<u32, Frame>,
    header: Option<Header>,
}

impl<'a> LogPair<'a> {
    fn new(
        main: &'a dyn Store,
        log: &'a dyn Store,
        header: Option<Header>,
        newest: BTreeMap<u32, Frame>,
        wal: &Wal,
    ) -> Self {
        let reserved = header.map_or(0, |header| usize::from(header.reserved));
        let usable = wal.page_size.saturating_sub(reserved);
        let encoding = header.and_then(|header| Encoding::from_field(header.encoding)).unwrap_or_default();
        let main = Image::new(main, wal.page_size, usable).with_encoding(encoding);
        let mut both = main.clone().with_log(log);
        for frame in newest.values() {
            both.overlay(frame);
        }
        let visible = wal.visible();
        let seen = wal.committed().find(|frame| visible > 0 && frame.index + 1 == visible);
        if let Some(count) = seen.map(|frame| frame.commit).or_else(|| wal.page_count()) {
            both.truncate(count);
        }
        Self { main, both, newest, header }
    }

    /// True if what the log has versions of leaves no doubt.
    fn is_plainly_lawful(&self) -> bool {
        let (mut ours, mut theirs) = (SourceFacts::default(), SourceFacts::default());
        let mut our_rows: HashSet<LeafRow> = HashSet::new();
        let mut leaves = Vec::new();
        for &number in self.newest.keys() {
            if let Some(bytes) = self.main.page(number) {
                ours.add_page(number, &bytes, &self.main);
                our_rows.extend(rows_of(number, &bytes, self.main.usable()));
            }
            let Some(bytes) = self.both.page(number) else { continue };
            theirs.add_page(number, &bytes, &self.both);
            let rows = rows_of(number, &bytes, self.both.usable());
            if !rows.is_empty() {
                leaves.push((number, rows));
            }
        }
        let common = ours.compare(&theirs);
        let is_known = common.agreeing > 0 || common.tasks > 0;
        is_known
            && common.differing == 0
            && !theirs.is_behind(&ours)
            && !self.lacks_pages()
            && leaves.iter().all(|(number, rows)| {
                rows.iter().any(|row| our_rows.contains(row)) || self.was_unused(*number)
            })
            && self.newest.keys().all(|number| self.has_likely_children(*number))
    }

    /// True if the main file had nothing on page `number`.
    fn was_unused(&self, number: u32) -> bool {
        self.main.page(number).is_none_or(|bytes| bytes.iter().all(|byte| *byte == FREE))
    }

    /// True if the log's last commit counts pages that neither the file nor the log has, though the file has all that its
    /// own header counts. (A file that has fewer was cut, and its log may still belong.)
    fn lacks_pages(&self) -> bool {
        let there = self.main.count();
        let lock_page = u32::try_from(LOCK_BYTES_AT / self.main.page_size() as u64 + 1).unwrap_or(u32::MAX);
        let lacking = (there.saturating_add(1)..=self.both.count())
            .any(|number| number != lock_page && !self.newest.contains_key(&number));
        lacking && self.header.is_some_and(|header| header.page_count <= there)
    }

    /// True if no child of page `number` that the log has no version of is a page of another kind.
    fn has_likely_children(&self, number: u32) -> bool {
        let Some(bytes) = self.both.page(number) else { return true };
        let Ok(page) = Page::read(number, &bytes, self.both.usable()) else { return true };
        if page.kind() != PageKind::TableInterior {
            return true;
        }
        let mut children: Vec<u32> = page.cells().flatten().filter_map(|cell| cell.left).collect();
        children.extend(page.right_child());
        children.iter().rev().take(MAX_CHILDREN_SEEN).filter(|child| !self.newest.contains_key(child)).all(
            |&child| {
                self.main
                    .head(child)
                    .and_then(|head| {
                        Page::read(child, &head, self.main.usable()).ok().map(|page| page.kind())
                    })
                    .is_some_and(PageKind::is_table)
            },
        )
    }

    fn decide(&self) -> Relation {
        let (alone, ours) = faults_and_facts(&self.main);
        let together = walk(&self.both, WalkedExtent::Whole, |_, _| {}).faults;
        let mut theirs = SourceFacts::default();
        for &number in self.newest.keys() {
            if let Some(bytes) = self.both.page(number) {
                theirs.add_page(number, &bytes, &self.both);
            }
        }
        let is_behind = theirs.is_behind(&ours) && !self.changes_schema();
        let is_impossible = is_behind || self.lacks_pages();
        relation(&ours, &theirs, Some(Combination { alone, together, is_impossible }))
    }

    /// True if the log has another schema than the main file: then tables may have been made again.
    fn changes_schema(&self) -> bool {
        let cookie = |image: &Image<'_>| {
            let bytes = image.page(1)?;
            Header::read(&bytes).filter(Header::is_credible).map(|header| header.schema_cookie)
        };
        cookie(&self.main) != cookie(&self.both)
    }
}

/// Faults in trees that one torn record of a journal can leave: its page keeps what the transaction made of it, and so may
/// pages that it names.
const FAULTS_OF_A_TORN_RECORD: u64 = 4;

/// Decide whether `journal` belongs to `main`. One that is not hot is no claim on the file.
pub fn of_journal(main: &dyn Store, journal: &dyn Store) -> Relation {
    let Some(records) = Journal::read(journal) else { return Relation::SameMoment };
    let Some(header) =
        main.read(0, header::LEN).as_deref().and_then(Header::read).filter(Header::is_credible)
    else {
        return Relation::SameMoment;
    };
    let reserved = usize::from(header.reserved);
    let page_size = header.page_size.unwrap_or(records.page_size);
    let encoding = Encoding::from_field(header.encoding).unwrap_or_default();
    let alone = Image::new(main, page_size, page_size.saturating_sub(reserved)).with_encoding(encoding);
    let mut theirs = SourceFacts::default();
    let mut before: Option<Header> = None;
    let mut rolled_back = alone.clone().with_log(journal);
    for (number, offset) in records.images() {
        let Some(bytes) = journal.read(offset, records.page_size) else { continue };
        theirs.add_page(number, &bytes, &alone);
        if number == 1 {
            before = Header::read(&bytes).filter(Header::is_credible);
        }
        rolled_back.lay(number, offset);
    }
    rolled_back.truncate(records.pages_before);
    let is_apart = before.is_some_and(|before| {
        let step = header.change_counter.wrapping_sub(before.change_counter);
        !before.is_wal() && !header.is_wal() && step > 1
    });
    let is_impossible = is_apart || page_size != records.page_size;
    let (faults, ours) = faults_and_facts(&alone);
    let is_alike = page_size == records.page_size;
    let found = if is_alike { walk(&rolled_back, WalkedExtent::Whole, |_, _| {}).faults } else { 0 };
    // The change counters tell more than trees of which pages are missing.
    let torn = records.torn().count() as u64;
    let is_explained =
        torn > 0 && (before.is_some() || found <= torn.saturating_mul(FAULTS_OF_A_TORN_RECORD));
    let together = if is_explained { 0 } else { found };
    relation(&ours, &theirs, Some(Combination { alone: faults, together, is_impossible }))
}

/// Count the pages of `image` that are not what their tree says, and the leaves with rows that no tree reaches.
pub fn disorder(image: &Image<'_>) -> u64 {
    let found = walk(image, WalkedExtent::Whole, |_, _| {});
    let is_loose = |number: &u32| {
        !found.used.contains(number)
            && image.page(*number).is_some_and(|bytes| !rows_of(*number, &bytes, image.usable()).is_empty())
    };
    found.faults + (2..=image.count()).filter(is_loose).count() as u64
}

/// The faults in the trees of `image`, and what their rows say.
fn faults_and_facts(image: &Image<'_>) -> (u64, SourceFacts) {
    let mut facts = SourceFacts::default();
    let found = walk(image, WalkedExtent::Whole, |number, bytes| facts.add_page(number, bytes, image));
    (found.faults, facts)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAWFUL: Combination = Combination { alone: 0, together: 0, is_impossible: false };
    const TORN: Combination = Combination { alone: 2, together: 5, is_impossible: false };
    const WRONG: Combination = Combination { alone: 0, together: 5, is_impossible: false };

    fn board() -> SourceFacts {
        SourceFacts::made(&["t_a", "t_b"], &[(1, "t_a", 100), (2, "t_b", 200), (3, "t_b", 300)])
    }

    #[test]
    fn shared_rows_are_one_board_at_the_moment_that_the_pages_tell() {
        let log = SourceFacts::made(&["t_c"], &[(3, "t_b", 300), (4, "t_c", 400)]);
        for (combined, expected) in [
            (Some(LAWFUL), Relation::SameMoment),
            (Some(TORN), Relation::SameMoment),
            (Some(WRONG), Relation::OtherMoment),
            (Some(Combination { is_impossible: true, ..TORN }), Relation::OtherMoment),
            (None, Relation::OtherMoment),
        ] {
            assert_eq!(relation(&board(), &log, combined), expected, "{combined:?}");
        }
    }

    #[test]
    fn new_rows_alone_are_no_proof() {
        let log = SourceFacts::made(&["t_c"], &[(4, "t_c", 400)]);
        assert_eq!(relation(&board(), &log, Some(LAWFUL)), Relation::SameMoment);
        assert_eq!(relation(&board(), &log, Some(WRONG)), Relation::OtherMoment);
        assert_eq!(relation(&board(), &SourceFacts::default(), Some(LAWFUL)), Relation::SameMoment);
        assert_eq!(relation(&SourceFacts::default(), &board(), None), Relation::OtherMoment);
    }

    #[test]
    fn one_number_for_two_rows_is_another_board() {
        let other = SourceFacts::made(&["t_x"], &[(1, "t_x", 150), (2, "t_x", 250)]);
        assert_eq!(relation(&board(), &other, None), Relation::AnotherBoard);
        assert_eq!(relation(&board(), &other, Some(LAWFUL)), Relation::AnotherBoard);
        assert_eq!(relation(&other, &board(), None), Relation::AnotherBoard);
    }

    #[test]
    fn a_board_that_began_when_the_other_had_ended_is_re_created() {
        let later = SourceFacts::made(&["t_x"], &[(1, "t_x", 400), (2, "t_x", 500)]);
        assert_eq!(relation(&later, &board(), None), Relation::Recreated);
        assert_eq!(relation(&board(), &later, None), Relation::Recreated);
        assert_eq!(relation(&later, &board(), Some(WRONG)), Relation::Recreated);
    }

    #[test]
    fn a_branch_of_one_board_is_no_other_board() {
        let branch = SourceFacts::made(&["t_a", "t_b", "t_c"], &[(1, "t_a", 100), (3, "t_c", 310)]);
        assert_eq!(relation(&board(), &branch, None), Relation::OtherMoment);
    }
}
