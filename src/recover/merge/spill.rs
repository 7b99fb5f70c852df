//! What was read of sources whose turn has not come: in memory while it is little, beyond that in a file without a name.
//!
//! So every source is read once, and ten thousand of them take no more memory than a few. The file is this process's own
//! and gone with it; its form is nobody else's business: numbers of eight bytes, rows as [`Row::to_bytes`] has them.

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::io::{self, BufReader, BufWriter, IntoInnerError, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::failure::{Failure, Outcome};
use crate::salvage::rows::extras::RowExtras;
use crate::salvage::rows::gaps::Gaps;
use crate::salvage::rows::row::Row;
use crate::salvage::rows::set::{MemoryBudget, RowSet, setting_aside};
use crate::salvage::schema::Catalog;
use crate::salvage::{Salvage, TableRows};
use crate::work::unnamed::nameless;

/// What is held in memory, in bytes.
const MEMORY: usize = 32 << 20;
/// What a source takes besides its rows, in bytes.
const EACH: usize = 4 << 10;
/// What is written or read at once, in bytes: in one piece, the rows would be in memory twice.
const PIECE: usize = 64 << 10;
/// So many schemas are compared with; copies of one board have the same.
const SCHEMAS: usize = 16;

/// Holds what was read.
#[derive(Debug)]
pub(crate) struct SalvageSpill {
    scratch: PathBuf,
    room: Arc<MemoryBudget>,
    file: Option<File>,
    /// Bytes written.
    end: u64,
    /// Bytes in memory.
    taken: usize,
    /// Schemas that several sources have.
    schemas: VecDeque<Arc<Catalog>>,
}

/// What was read of one source.
#[derive(Debug)]
pub(crate) enum Parked {
    Here(Box<Salvage>),
    /// From a place in the file, so many bytes.
    Away {
        catalog: Arc<Catalog>,
        start: u64,
        len: u64,
    },
}

impl SalvageSpill {
    /// Nothing held. What does not fit memory goes to the directory `scratch`, and rows that come back are kept in `room`.
    pub(crate) fn new(scratch: &Path, room: &Arc<MemoryBudget>) -> Self {
        let (scratch, room) = (scratch.to_path_buf(), Arc::clone(room));
        Self { scratch, room, file: None, end: 0, taken: 0, schemas: VecDeque::new() }
    }

    /// Holds `salvage`; in memory if it is little or `close`.
    ///
    /// # Errors
    /// Exit 12 when there is no room for the file.
    pub(crate) fn put(&mut self, mut salvage: Salvage, close: bool) -> Outcome<Parked> {
        salvage.catalog = self.shared(salvage.catalog);
        let size = salvage.size() + EACH;
        if close || self.taken + size <= MEMORY {
            self.taken += size;
            return Ok(Parked::Here(Box::new(salvage)));
        }
        let failed = |error| setting_aside(error, &self.scratch);
        let file = match self.file.take() {
            Some(file) => file,
            None => nameless(&self.scratch).map_err(failed)?,
        };
        let start = self.end;
        let written = {
            let mut pen = ParkWriter(BufWriter::with_capacity(PIECE, Stretch { file: &file, at: start }));
            pen.salvage(&salvage)
                .and_then(|()| pen.0.into_inner().map_err(IntoInnerError::into_error))
                .map(|end| end.at)
        };
        // What was half written is written over.
        self.file = Some(file);
        self.end = written.map_err(failed)?;
        Ok(Parked::Away { catalog: salvage.catalog, start, len: self.end - start })
    }

    /// `catalog`, or one like it that is known already.
    fn shared(&mut self, catalog: Arc<Catalog>) -> Arc<Catalog> {
        if let Some(known) = self.schemas.iter().find(|known| known.is_same(&catalog)) {
            return Arc::clone(known);
        }
        if self.schemas.len() == SCHEMAS {
            self.schemas.pop_front();
        }
        self.schemas.push_back(Arc::clone(&catalog));
        catalog
    }

    /// What was held.
    ///
    /// # Errors
    /// When the file can no longer be read.
    pub(crate) fn take(&mut self, kept: Parked) -> Outcome<Salvage> {
        let (catalog, start, len) = match kept {
            Parked::Here(salvage) => {
                self.taken = self.taken.saturating_sub(salvage.size() + EACH);
                return Ok(*salvage);
            }
            Parked::Away { catalog, start, len } => (catalog, start, len),
        };
        let lost = || Failure::failed("rows that were set aside have changed.").at(&self.scratch);
        let file = self.file.as_ref().ok_or_else(lost)?;
        let from = BufReader::with_capacity(PIECE, Stretch { file, at: start });
        let mut eye = ParkReader { from: from.take(len), room: &self.room, fault: None };
        let salvage = eye.salvage(catalog);
        match eye.fault.filter(|fault| fault.kind() != io::ErrorKind::UnexpectedEof) {
            Some(error) => Err(Failure::io(error, "reading rows that were set aside").at(&self.scratch)),
            None => salvage.ok_or_else(lost),
        }
    }
}

/// A file from a place on.
struct Stretch<'f> {
    file: &'f File,
    at: u64,
}

impl Write for Stretch<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write_at(bytes, self.at)?;
        self.at += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for Stretch<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(bytes, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

/// Writes numbers.
struct ParkWriter<W>(W);

impl<W: Write> ParkWriter<W> {
    fn number(&mut self, number: u64) -> io::Result<()> {
        self.0.write_all(&number.to_le_bytes())
    }

    fn signed(&mut self, number: i64) -> io::Result<()> {
        self.number(number.cast_unsigned())
    }

    fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.number(bytes.len() as u64)?;
        self.0.write_all(bytes)
    }

    fn list<T>(
        &mut self,
        list: &[T],
        mut each: impl FnMut(&mut Self, &T) -> io::Result<()>,
    ) -> io::Result<()> {
        self.number(list.len() as u64)?;
        list.iter().try_for_each(|item| each(self, item))
    }

    fn rows(&mut self, count: usize, mut rows: impl Iterator<Item = Row>) -> io::Result<()> {
        self.number(count as u64)?;
        rows.try_for_each(|row| self.0.write_all(&row.to_bytes()))
    }

    fn salvage(&mut self, salvage: &Salvage) -> io::Result<()> {
        self.list(&salvage.tables, |pen, table| {
            pen.rows(table.whole.len(), table.whole.iter())?;
            pen.rows(table.partial.len(), table.partial.iter().copied())?;
            pen.rows(table.uncommitted.len(), table.uncommitted.iter().copied())?;
            pen.rows(table.older.len(), table.older.iter().copied())?;
            let ranges: Vec<(i64, i64)> = table.gaps.ranges().collect();
            pen.list(&ranges, |pen, (low, high)| pen.signed(*low).and_then(|()| pen.signed(*high)))?;
            pen.number(table.unread)?;
            pen.number(table.stray)?;
            pen.list(&table.indexed, |pen, rowid| pen.signed(*rowid))?;
            pen.list(&table.named, |pen, (rowid, task)| pen.signed(*rowid).and_then(|()| pen.bytes(task)))?;
            pen.list(table.highest_indexed.as_slice(), |pen, rowid| pen.signed(*rowid))?;
            pen.number(u64::from(table.is_indexed))
        })?;
        self.bytes(salvage.odds.as_bytes())?;
        let sequences: Vec<_> = salvage.sequences.iter().collect();
        self.list(&sequences, |pen, (name, last)| {
            pen.bytes(name.as_bytes())?;
            pen.signed(**last)
        })?;
        self.number(salvage.damaged_pages)?;
        self.number(salvage.blob_texts)?;
        self.number(salvage.doubted_frames)?;
        self.number(u64::from(salvage.has_schema))?;
        self.number(u64::from(salvage.schema_is_whole))?;
        self.signed(salvage.evidence.0)?;
        self.signed(salvage.evidence.1)
    }
}

/// Reads what [`ParkWriter`] wrote.
struct ParkReader<'e, R> {
    from: io::Take<R>,
    room: &'e Arc<MemoryBudget>,
    /// Why it ended.
    fault: Option<io::Error>,
}

impl<R: Read> ParkReader<'_, R> {
    fn fill(&mut self, bytes: &mut [u8]) -> Option<()> {
        self.from.read_exact(bytes).map_err(|error| self.fault = Some(error)).ok()
    }

    fn number(&mut self) -> Option<u64> {
        let mut bytes = [0; 8];
        self.fill(&mut bytes)?;
        Some(u64::from_le_bytes(bytes))
    }

    fn signed(&mut self) -> Option<i64> {
        self.number().map(u64::cast_signed)
    }

    fn flag(&mut self) -> Option<bool> {
        self.number().map(|number| number != 0)
    }

    /// How many items follow, of which each takes a byte at least.
    fn len(&mut self) -> Option<usize> {
        let len = self.number()?;
        usize::try_from(len).ok().filter(|_| len <= self.from.limit())
    }

    fn list<T>(&mut self, mut each: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let len = self.len()?;
        let mut list = Vec::with_capacity(len);
        for _ in 0..len {
            list.push(each(self)?);
        }
        Some(list)
    }

    fn bytes(&mut self) -> Option<Vec<u8>> {
        let mut bytes = vec![0; self.len()?];
        self.fill(&mut bytes)?;
        Some(bytes)
    }

    fn rows(&mut self) -> Option<Vec<Row>> {
        self.list(|eye| {
            let mut row = [0; 32];
            eye.fill(&mut row)?;
            Some(Row::from_bytes(&row))
        })
    }

    fn table(&mut self) -> Option<TableRows> {
        Some(TableRows {
            whole: RowSet::of(self.room, self.rows()?),
            partial: self.rows()?,
            uncommitted: self.rows()?,
            older: self.rows()?,
            gaps: Gaps::of(self.list(|eye| Some((eye.signed()?, eye.signed()?)))?),
            unread: self.number()?,
            stray: self.number()?,
            indexed: self.list(Self::signed)?,
            named: self.list(|eye| Some((eye.signed()?, eye.bytes()?)))?,
            highest_indexed: self.list(Self::signed)?.pop(),
            is_indexed: self.flag()?,
        })
    }

    fn salvage(&mut self, catalog: Arc<Catalog>) -> Option<Salvage> {
        let tables = self.list(Self::table)?;
        let odds = RowExtras::of(self.bytes()?);
        let sequences = self.list(|eye| Some((String::from_utf8(eye.bytes()?).ok()?, eye.signed()?)))?;
        Some(Salvage {
            catalog,
            tables,
            odds,
            sequences: sequences.into_iter().collect::<HashMap<_, _>>(),
            damaged_pages: self.number()?,
            blob_texts: self.number()?,
            doubted_frames: self.number()?,
            has_schema: self.flag()?,
            schema_is_whole: self.flag()?,
            evidence: (self.signed()?, self.signed()?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ondisk::image::Site;
    use crate::salvage::rows::row::{ByteRun, Flip, Odd};

    #[test]
    fn what_is_set_aside_comes_back() {
        let dir = tempfile::tempdir().unwrap();
        let room = MemoryBudget::new(dir.path(), usize::MAX);
        let site = Site { in_log: true, offset: 4152 };
        let mut row = Row::new(-7, 3, 9, site, 4000);
        let run = ByteRun { source: 3, site, pages: 2 };
        let odd = Odd { flip: Some(Flip { at: 4001, mask: 64 }), chain: vec![run], payload: None };
        let mut odds = RowExtras::default();
        row.odd = odds.push(&odd);
        row.flags = 129;
        row.parity = 77;
        let rows = TableRows {
            whole: RowSet::of(&room, vec![row]),
            gaps: Gaps::of(vec![(i64::MIN, 5), (9, i64::MAX)]),
            indexed: vec![-7, 1],
            named: vec![(1, b"t_1".to_vec())],
            highest_indexed: Some(9),
            is_indexed: true,
            unread: 2,
            uncommitted: vec![row],
            older: vec![row],
            ..TableRows::new(&room, false)
        };
        let salvage = Salvage {
            catalog: Arc::new(Catalog::default()),
            tables: vec![rows, TableRows::new(&room, false)],
            odds,
            sequences: [("task_events".to_owned(), 12)].into(),
            damaged_pages: 4,
            blob_texts: 3,
            doubted_frames: 1,
            has_schema: true,
            schema_is_whole: false,
            evidence: (1_780_000_000, 12),
        };
        let before = format!("{salvage:?}");
        let mut hold = SalvageSpill::new(dir.path(), &room);
        hold.taken = MEMORY;
        let kept = hold.put(salvage, false).unwrap();
        assert!(matches!(kept, Parked::Away { .. }));
        assert_eq!(format!("{:?}", hold.take(kept).unwrap()), before);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
