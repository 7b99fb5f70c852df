//! Every source looked at once, and put in order: the best first, whatever order they were found in.
//!
//! The live board comes first if it holds anything, then how far the history in a source has come decides (its newest
//! events and their highest number). Each is read once; what was read waits for its turn in a [`SalvageSpill`].

use std::cmp::Reverse;

use super::Merge;
use super::branch;
use super::spill::{Parked, SalvageSpill};
use crate::board::belonging::{self, Relation, SourceFacts};
use crate::failure::Outcome;
use crate::ondisk::header::Header;
use crate::ondisk::text::Encoding;
use crate::salvage;
use crate::salvage::image;
use crate::salvage::schema::{SchemaEntry, Schemas};
use crate::salvage::source::cache::{SourceCache, TruncatedImage};
use crate::salvage::source::open::OpenSource;
use crate::salvage::source::{Source, SourceKind};
use crate::salvage::{Orders, Salvage};
use crate::work::progress::{Stage, Watch};
use crate::work::threads::{cores, in_order};

/// A source with more bytes than this is read by every core; smaller ones by one each.
const BIG: u64 = 16 << 20;

/// Whether a source holds all that it ever held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SourceState {
    /// Every page of it is in order, its schema is whole, and its indexes name no row that is not there.
    Sound,
    /// Something may be lost.
    Damaged,
}

/// What is known of a source that has pages.
#[derive(Debug, Clone)]
pub(crate) struct ReadFacts {
    pub(crate) source: u32,
    pub(crate) rows: u64,
    pub(crate) damaged_pages: u64,
    /// Rows in which a text is stored as a BLOB.
    pub(crate) blob_texts: u64,
    /// Pages that the header counts and that are neither in the file nor in its log.
    pub(crate) missing_pages: u64,
    /// Frames of its log that are not what their checksum says, with no later one of the page, and what was in them is lost or
    /// may be altered.
    pub(crate) lost_frames: u64,
    pub(crate) has_schema: bool,
    /// How it was read where that is not as it lies there.
    pub(crate) read_as: Vec<String>,
    /// Whether it has one of Hermes' tables, or a row of one.
    pub(crate) is_of_board: bool,
    pub(crate) page_size: usize,
    pub(crate) encoding: Encoding,
    /// The header of page 1, if it is credible.
    pub(crate) header: Option<Header>,
    /// Whether the board is one in WAL mode, if that can be told.
    pub(crate) wal_mode: Option<bool>,
    pub(crate) state: SourceState,
    /// How it is related to the best source, where it was compared.
    pub(crate) relation: Relation,
    evidence: (i64, i64),
}

impl ReadFacts {
    /// The highest number that an event of it has or had.
    pub(crate) fn highest_event(&self) -> i64 {
        self.evidence.1
    }
}

impl ReadFacts {
    /// True if it is another board's and stays out of the result.
    pub(crate) fn is_foreign(&self) -> bool {
        self.relation == Relation::AnotherBoard
    }
}

/// Another board's rows come in where they are asked for, as those of another moment.
fn invited(relation: Relation, is_invited: bool) -> Relation {
    if is_invited && relation == Relation::AnotherBoard { Relation::OtherMoment } else { relation }
}

/// The sources in order, and what was read of them.
pub(crate) struct Ranking {
    /// Best first.
    pub(crate) ranked: Vec<ReadFacts>,
    kept: Vec<Parked>,
    hold: SalvageSpill,
}

impl Ranking {
    /// Take out the sources that are another board's.
    pub(crate) fn take_foreign(&mut self) -> Vec<ReadFacts> {
        self.ranked.extract_if(.., |facts| facts.is_foreign()).collect()
    }
}

/// What one look at a source gives.
enum ReadResult {
    /// It has no pages.
    Empty,
    /// It has lost its schema and waits for that of another.
    Waits,
    Read(Box<(ReadFacts, Salvage, Vec<SchemaEntry>)>),
}

/// Looks at every source of `shelf`, and for deleted rows if `deleted`.
///
/// # Errors
/// What a source says when it cannot be read, and whatever `watch` stops with.
pub(crate) fn rank(
    shelf: &SourceCache<'_>,
    schemas: &Schemas,
    deleted: bool,
    watch: &mut dyn Watch,
) -> Outcome<Ranking> {
    let sources = shelf.sources;
    let hold = SalvageSpill::new(shelf.scratch(), shelf.room());
    let mut looks = Looks { sources, read: Vec::new(), waiting: Vec::new(), sibling: None, best: None, hold };
    let all: Vec<u32> = (0..).take(sources.len()).collect();
    let crew = SourceReader { shelf, schemas, deleted };
    crew.look(&all, None, false, watch, &mut |source, look| looks.put(source, look))?;
    let waiting = std::mem::take(&mut looks.waiting);
    let sibling = looks.sibling.take();
    if !waiting.is_empty() {
        crew.look(&waiting, sibling.as_deref(), true, watch, &mut |source, look| looks.put(source, look))?;
    }
    looks.read.sort_by(|(one, _), (other, _)| order(one, sources).cmp(&order(other, sources)));
    let (ranked, kept) = looks.read.into_iter().unzip();
    Ok(Ranking { ranked, kept, hold: looks.hold })
}

/// The best has the lowest.
fn order<'s>(facts: &ReadFacts, sources: &'s [Source]) -> impl Ord + use<'s> {
    let source = sources.get(facts.source as usize);
    let live = facts.rows > 0 && source.is_some_and(|source| source.kind == SourceKind::Live);
    let path = source.map(|source| &source.path);
    (facts.is_foreign(), !live, Reverse(facts.evidence), facts.damaged_pages, Reverse(facts.rows), path)
}

struct Looks<'s> {
    sources: &'s [Source],
    read: Vec<(ReadFacts, Parked)>,
    waiting: Vec<u32>,
    /// The schema of the best source that has one.
    sibling: Option<Vec<SchemaEntry>>,
    best: Option<ReadFacts>,
    hold: SalvageSpill,
}

impl Looks<'_> {
    fn put(&mut self, source: u32, look: ReadResult) -> Outcome<()> {
        let (facts, salvage, entries) = match look {
            ReadResult::Empty => return Ok(()),
            ReadResult::Waits => {
                self.waiting.push(source);
                return Ok(());
            }
            ReadResult::Read(read) => *read,
        };
        let better = |best: &ReadFacts| order(&facts, self.sources) < order(best, self.sources);
        if facts.has_schema && self.best.as_ref().is_none_or(better) {
            self.best = Some(facts.clone());
            self.sibling = Some(entries);
        }
        let live = self.sources.get(source as usize).is_some_and(|source| source.kind == SourceKind::Live);
        let kept = self.hold.put(salvage, live || self.sources.len() == 1)?;
        self.read.push((facts, kept));
        Ok(())
    }
}

/// Folds every source of `ranking` into `merge`, best first.
///
/// # Errors
/// As [`rank`].
pub(crate) fn fold(
    ranking: &mut Ranking,
    merge: &mut Merge,
    shelf: &SourceCache<'_>,
    watch: &mut dyn Watch,
) -> Outcome<()> {
    let total = ranking.ranked.len() as u64;
    let kept = std::mem::take(&mut ranking.kept);
    let main = ranking.ranked.first().map(|facts| facts.source);
    let mut ours = None;
    for ((facts, kept), done) in ranking.ranked.iter_mut().zip(kept).zip(0..) {
        watch.step(Stage::Merge, done, total)?;
        let salvage = ranking.hold.take(kept)?;
        if facts.is_foreign() {
            continue;
        }
        let history = branch::history(merge, facts.source, &salvage, shelf)?;
        if history.is_some() && main != Some(facts.source) {
            let is_invited = shelf.sources.get(facts.source as usize).is_some_and(|source| source.is_invited);
            facts.relation = invited(relation_to(&mut ours, main, facts.source, shelf)?, is_invited);
            if facts.is_foreign() {
                continue;
            }
        }
        let kind = shelf.sources.get(facts.source as usize).map(|source| source.kind);
        merge.fold(facts.source, salvage, history);
        if done == 0 && facts.state == SourceState::Sound && kind == Some(SourceKind::Live) {
            merge.hold_sound();
        }
        shelf.room().require_whole()?;
    }
    watch.step(Stage::Merge, total, total)
}

/// How `source`, which has a history of its own, is related to the best one, whose facts are kept in `ours`.
fn relation_to(
    ours: &mut Option<SourceFacts>,
    main: Option<u32>,
    source: u32,
    shelf: &SourceCache<'_>,
) -> Outcome<Relation> {
    let facts = |number: u32| -> Outcome<SourceFacts> {
        let stores = shelf.stores(number)?;
        Ok(image::lay_out(&stores).map(|layout| SourceFacts::of_image(&layout.image)).unwrap_or_default())
    };
    if let (None, Some(main)) = (&ours, main) {
        *ours = Some(facts(main)?);
    }
    let theirs = facts(source)?;
    Ok(ours.as_ref().map_or_else(Relation::default, |ours| belonging::relation(ours, &theirs, None)))
}

/// What it takes to read sources.
struct SourceReader<'c, 's> {
    shelf: &'c SourceCache<'s>,
    schemas: &'c Schemas,
    deleted: bool,
}

impl SourceReader<'_, '_> {
    fn is_big(&self, source: u32) -> bool {
        let size = |source: &Source| source.size + source.wal_size;
        self.shelf.sources.get(source as usize).is_some_and(|source| size(source) > BIG)
    }

    fn orders<'o>(
        &'o self,
        source: u32,
        sibling: Option<&'o [SchemaEntry]>,
        threads: usize,
        waits: bool,
    ) -> Orders<'o> {
        let kind = self.shelf.sources.get(source as usize).map(|source| source.kind);
        Orders {
            source,
            sibling,
            threads,
            waits,
            log_counts: kind == Some(SourceKind::Held),
            deleted: self.deleted,
            room: self.shelf.room(),
        }
    }

    fn look(
        &self,
        sources: &[u32],
        sibling: Option<&[SchemaEntry]>,
        last: bool,
        watch: &mut dyn Watch,
        take: &mut dyn FnMut(u32, ReadResult) -> Outcome<()>,
    ) -> Outcome<()> {
        let total = sources.len() as u64;
        let (big, small): (Vec<u32>, Vec<u32>) = sources.iter().partition(|source| self.is_big(**source));
        let mut done = 0;
        for &source in &big {
            let orders = self.orders(source, sibling, cores(), !last);
            let look = if total > 1 {
                self.read(&orders, &mut Within { watch: &mut *watch, stage: Stage::Salvage, done, total })?
            } else {
                self.read(&orders, watch)?
            };
            take(source, look)?;
            done += 1;
        }
        let read = |at: usize| -> Outcome<(u32, ReadResult)> {
            let source = small.get(at).copied().unwrap_or(u32::MAX);
            let orders = self.orders(source, sibling, 1, !last);
            Ok((source, self.read(&orders, &mut crate::work::progress::Unwatched)?))
        };
        in_order(small.len(), cores(), read, |at, look| {
            watch.step(Stage::Salvage, done + at as u64, total)?;
            let (source, look) = look?;
            take(source, look)
        })?;
        watch.step(Stage::Salvage, total, total)
    }

    fn read(&self, orders: &Orders<'_>, watch: &mut dyn Watch) -> Outcome<ReadResult> {
        let stores = self.shelf.stores(orders.source)?;
        let Some(layout) = image::lay_out(&stores) else { return Ok(ReadResult::Empty) };
        let cut = TruncatedImage {
            page_size: layout.image.page_size(),
            usable: layout.image.usable(),
            encoding: layout.image.encoding(),
        };
        self.shelf.note(orders.source, cut, &stores);
        let Some((salvage, entries)) = salvage::salvage(&layout, self.schemas, orders, watch)? else {
            return Ok(ReadResult::Waits);
        };
        let origin = self.shelf.sources.get(orders.source as usize);
        let relation = origin.map_or_else(Relation::default, |source| source.relation);
        let is_invited = origin.is_some_and(|source| source.is_invited);
        let (missing_pages, lost_frames) =
            (missing_pages(&layout), layout.laid.lost_frames + salvage.doubted_frames);
        // Where its pages stand is known only now.
        self.shelf.note(orders.source, cut, &stores);
        let facts = ReadFacts {
            state: if salvage.is_sound() && missing_pages == 0 && lost_frames == 0 {
                SourceState::Sound
            } else {
                SourceState::Damaged
            },
            source: orders.source,
            rows: salvage.row_count(),
            damaged_pages: salvage.damaged_pages,
            blob_texts: salvage.blob_texts,
            missing_pages,
            lost_frames,
            has_schema: salvage.has_schema,
            read_as: read_as(self.shelf.sources.get(orders.source as usize), &stores),
            is_of_board: salvage.is_of_board(),
            page_size: layout.image.page_size(),
            encoding: layout.image.encoding(),
            header: layout.header,
            wal_mode: layout.wal_mode,
            relation: invited(relation, is_invited),
            evidence: salvage.evidence,
        };
        Ok(ReadResult::Read(Box::new((facts, salvage, entries))))
    }
}

/// Say how `source`, whose bytes are `stores`, was read where that is not as it lies there.
fn read_as(source: Option<&Source>, stores: &OpenSource) -> Vec<String> {
    let part = source.and_then(|source| source.range.as_ref()).map(|part| match part.start {
        0 => format!("the file goes on behind this board, from byte {} on", part.end),
        start => format!("a board behind another one in this file, from byte {start} on"),
    });
    let transfer = stores.transfer().map(|transfer| transfer.note().to_owned());
    let moved = part.is_none() && stores.map().is_some();
    let moved =
        moved.then(|| "pages do not stand at their numbers, and were found by what they are".to_owned());
    [part, transfer, moved].into_iter().flatten().collect()
}

/// What the header counts beyond what is there. In WAL mode it may lag behind, but it never counts more.
fn missing_pages(layout: &image::PageImage<'_>) -> u64 {
    let counted = layout.header.filter(|header| header.change_counter == header.valid_for);
    let counted = counted.map_or(0, |header| header.page_count);
    u64::from(counted).saturating_sub(layout.there())
}

/// A part of the work whose own progress is not shown; it can be stopped all the same.
struct Within<'w> {
    watch: &'w mut dyn Watch,
    stage: Stage,
    done: u64,
    total: u64,
}

impl Watch for Within<'_> {
    fn step(&mut self, _: Stage, _: u64, _: u64) -> Outcome<()> {
        self.watch.step(self.stage, self.done, self.total)
    }
}
