//! Which frames of a WAL stand over the main file.
//!
//! A WAL belongs to a main file as of a moment, and is found beside others: a copy that was put back, a sidecar that Hermes
//! had copied before. One that is older than its main file is not laid over it; what it holds then are earlier images.

use std::collections::{BTreeMap, HashMap};

use crate::board::belonging;
use crate::ondisk::geometry;
use crate::ondisk::header::Header;
use crate::ondisk::image::{self, Image};
use crate::ondisk::page::{Page, PageKind};
use crate::ondisk::record::Record;
use crate::ondisk::store::Store;
use crate::ondisk::wal::{Frame, Wal};
use crate::salvage::source::open::OpenSource;

/// What became of the frames.
#[derive(Debug, Clone, Default)]
pub(crate) struct Laid {
    /// Frames whose checksum was wrong, or that never were committed.
    pub(crate) bad_frames: u64,
    /// Committed frames that are no whole page and that no later frame stands for: those pages are as they were before. Also
    /// frames at the end of which nothing says whether they were committed, and those that only the log's index names.
    pub(crate) lost_frames: u64,
    /// Leaves that stand though their checksum is wrong: the page, and where in the log its image begins.
    pub(crate) unsure: Vec<(u32, u64)>,
}

/// Puts the frames of `wal` over `image`, which is the main file of `stores` alone.
pub(crate) fn lay_over(image: &mut Image<'_>, wal: &Wal, stores: &OpenSource) -> Laid {
    let mut laid = Laid::default();
    let frames = Frames { log: stores.wal(), page_size: image.page_size() };
    let newest: BTreeMap<u32, &Frame> = wal.committed().map(|frame| (frame.page, frame)).collect();
    if !stores.log_counts() && frames.are_older(image, &newest) {
        return laid;
    }
    let (mut taken, mut lost, mut unsure) = (HashMap::new(), HashMap::new(), BTreeMap::new());
    for frame in wal.committed() {
        if image::is_page(frame.page) && (frame.verified || frames.is_believable(frame)) {
            image.overlay(frame);
            taken.insert(frame.page, frame.index);
            lost.remove(&frame.page);
            unsure.remove(&frame.page);
            if !frame.verified && frames.is_leaf(frame) {
                unsure.insert(frame.page, frame.offset);
            }
        } else {
            lost.insert(frame.page, frame.index);
        }
        laid.bad_frames += u64::from(!frame.verified);
    }
    laid.lost_frames = (lost.len() + wal.nameless().count() + wal.torn_commits()) as u64;
    laid.bad_frames += stores.mends().map_or(0, |mends| mends.len() as u64);
    laid.unsure = unsure.into_iter().collect();
    frames.place_nameless(image, wal, &taken);
    if let Some(count) = wal.page_count().filter(|_| wal.header.is_some()) {
        image.truncate(count);
    }
    frames.lay_checkpointed(image, wal, &taken);
    laid
}

struct Frames<'f> {
    log: &'f dyn Store,
    page_size: usize,
}

impl Frames<'_> {
    /// A frame with a wrong checksum still counts when its page is whole.
    fn is_believable(&self, frame: &Frame) -> bool {
        let bytes = self.log.read(frame.offset, self.page_size).unwrap_or_default();
        bytes.len() == self.page_size && geometry::usable(frame.page, &bytes).is_some()
    }

    fn is_leaf(&self, frame: &Frame) -> bool {
        let head = self.log.read(frame.offset, self.page_size).unwrap_or_default();
        Page::read(frame.page, &head, self.page_size).is_ok_and(|page| page.kind() == PageKind::TableLeaf)
    }

    /// Whether the pages in `newest` are older than those of the main file: by the counter of changes on page 1, and where
    /// that tells nothing, by which of them the tables go on further in.
    fn are_older(&self, image: &Image<'_>, newest: &BTreeMap<u32, &Frame>) -> bool {
        let counter = |bytes: &[u8]| {
            // It is stated twice, and a flipped bit is in one of them.
            let agrees = |header: &Header| header.is_credible() && header.change_counter == header.valid_for;
            Header::read(bytes).filter(agrees).map(|header| header.change_counter)
        };
        let ours = image.page(1).as_deref().and_then(counter);
        let theirs = newest.get(&1).and_then(|frame| counter(&self.log.read(frame.offset, self.page_size)?));
        match (ours, theirs) {
            (Some(ours), Some(theirs)) if ours != theirs => return theirs < ours,
            _ => {}
        }
        // Tables grow at their end, and the log of a board that has gone on has the pages where they do. Deleting the last rows
        // of a table makes it end earlier too, but hardly of two.
        let mut ends: BTreeMap<usize, (i64, i64)> = BTreeMap::new();
        for (number, frame) in newest {
            let ours = image.page(*number).as_deref().and_then(FrameLeaf::read);
            let theirs = self.log.read(frame.offset, self.page_size).as_deref().and_then(FrameLeaf::read);
            if let Some(theirs) = theirs {
                let (_, end) = ends.entry(theirs.columns).or_insert((i64::MIN, i64::MIN));
                *end = theirs.high.max(*end);
                // Leaves that begin alike are versions of one; a page that was given up and used again is not.
                if let Some(ours) = ours
                    && (ours.columns, ours.rowids.first()) == (theirs.columns, theirs.rowids.first())
                {
                    let (end, _) = ends.entry(ours.columns).or_insert((i64::MIN, i64::MIN));
                    *end = ours.high.max(*end);
                }
            }
        }
        let grown = ends.values().any(|(ours, theirs)| ours < theirs);
        !grown && ends.values().filter(|(ours, theirs)| ours > theirs).count() > 1
    }

    /// Put the frames of the generation before over pages of the main file that are others: they were written there before the log
    /// restarted, so that the file is from before that, in part. Only where the trees are better with them.
    fn lay_checkpointed(&self, image: &mut Image<'_>, wal: &Wal, taken: &HashMap<u32, usize>) {
        let is_other = |frame: &&Frame| {
            let written = self.log.read(frame.offset, self.page_size);
            written.is_some() && image.page(frame.page) != written
        };
        let checkpointed = wal.checkpointed();
        let within = |frame: &&Frame| frame.page <= image.count() && !taken.contains_key(&frame.page);
        let others: Vec<Frame> =
            checkpointed.into_values().filter(within).filter(is_other).copied().collect();
        if others.is_empty() {
            return;
        }
        let mut with = image.clone();
        for frame in &others {
            with.overlay(frame);
        }
        if belonging::disorder(&with) < belonging::disorder(image) {
            *image = with;
        }
    }

    /// Frames whose own header is spoilt, and with it their page number: a leaf that shares most of its rows with a page is a
    /// newer version of that page, unless a later frame is.
    fn place_nameless(&self, image: &mut Image<'_>, wal: &Wal, taken: &HashMap<u32, usize>) {
        let nameless: Vec<_> = wal
            .nameless()
            .filter_map(|frame| {
                let bytes = self.log.read(frame.offset, self.page_size)?;
                geometry::usable(2, &bytes).and_then(|_| FrameLeaf::read(&bytes)).map(|leaf| (frame, leaf))
            })
            .collect();
        if nameless.is_empty() {
            return;
        }
        let known: Vec<_> = (2..=image.count())
            .filter_map(|number| Some((number, FrameLeaf::read(&image.page(number)?)?)))
            .collect();
        let mut free = image.count();
        for (frame, leaf) in nameless {
            let of = known.iter().filter(|(_, known)| known.columns == leaf.columns);
            let best = of
                .max_by_key(|(_, known)| known.shared(&leaf))
                .filter(|(_, known)| 2 * known.shared(&leaf) >= known.rowids.len().min(leaf.rowids.len()));
            let page = match best {
                Some((number, _)) if taken.get(number).is_some_and(|index| *index > frame.index) => continue,
                Some((number, _)) => *number,
                None => {
                    // Of no page that is there: it is read as one that no tree reaches.
                    free = free.saturating_add(1);
                    free
                }
            };
            image.overlay(&Frame { page, ..*frame });
        }
    }
}

/// A leaf of a table, as far as it tells one version from another.
struct FrameLeaf {
    rowids: Vec<i64>,
    high: i64,
    columns: usize,
}

impl FrameLeaf {
    fn read(bytes: &[u8]) -> Option<Self> {
        let page =
            Page::read(2, bytes, bytes.len()).ok().filter(|page| page.kind() == PageKind::TableLeaf)?;
        let mut rowids = Vec::new();
        let mut columns = 0;
        for cell in page.cells() {
            let cell = cell.ok()?;
            rowids.push(cell.rowid);
            columns = columns.max(Record::prefix(cell.payload?.local).ok()?.columns());
        }
        let high = rowids.iter().copied().max()?;
        rowids.sort_unstable();
        Some(Self { rowids, high, columns })
    }

    fn shared(&self, other: &Self) -> usize {
        self.rowids.iter().filter(|rowid| other.rowids.binary_search(rowid).is_ok()).count()
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::super::lay_out;
    use super::*;

    /// A main file from before a checkpoint, the same after it, and the log that has restarted since.
    fn checkpointed() -> [Vec<u8>; 3] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("kanban.db");
        let connection = Connection::open(&path).unwrap();
        let more = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400) \
                    INSERT INTO task_comments(body) SELECT printf('%064d', i) FROM n";
        let checkpoint =
            |mode| connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |_| Ok(())).unwrap();
        connection
            .execute_batch(&format!(
                "CREATE TABLE task_comments(id INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT); \
                 PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0; {more}"
            ))
            .unwrap();
        checkpoint("TRUNCATE");
        let before = std::fs::read(&path).unwrap();
        connection
            .execute_batch(&format!("{more}; UPDATE task_comments SET body = 'new' WHERE id > 350"))
            .unwrap();
        checkpoint("RESTART");
        let after = std::fs::read(&path).unwrap();
        connection.execute_batch("UPDATE task_comments SET body = 'newest' WHERE id = 1").unwrap();
        let log = std::fs::read(dir.path().join("kanban.db-wal")).unwrap();
        [before, after, log]
    }

    fn disorder(main: Vec<u8>, log: Vec<u8>) -> u64 {
        let stores = OpenSource::in_memory(main, log);
        belonging::disorder(&lay_out(&stores).unwrap().image)
    }

    #[test]
    fn file_in_part_from_before_a_checkpoint_is_read_with_its_frames() {
        let [before, after, log] = checkpointed();
        // Page 1, whose frame was written over, is as it is now.
        let half = before.len() / 2;
        let mixed = [&after[..4096], &before[4096..half], &after[half..]].concat();
        assert!(
            belonging::disorder(&Image::new(&mixed, 4096, 4096)) > 0,
            "the scene needs pages out of order"
        );
        assert_eq!(disorder(mixed, log), 0);
    }

    #[test]
    fn file_from_after_the_checkpoint_stays_as_it_is() {
        let [_, mut after, log] = checkpointed();
        let wal = Wal::read(&log, Some(4096)).unwrap();
        let number = *wal.checkpointed().keys().max().unwrap();
        // The file has gone on with a page, and its trees are whole.
        let last = (number as usize - 1) * 4096 + 4095;
        after[last] ^= 1;
        let stores = OpenSource::in_memory(after.clone(), log);
        let layout = lay_out(&stores).unwrap();
        assert_eq!(layout.image.page(number).as_deref(), Some(&after[last - 4095..=last]));
    }
}
