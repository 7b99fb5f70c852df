//! A log that contains every page of a board. While it lies beside the database file, no reader uses that file.
//!
//! An undo exchanges two files, database and log, and no process may see one of them with the other's predecessor. Where
//! SQLite sees frames in the log that goes back, a third log covers the exchange: it has every page of the set as one commit.
//! Its rename is the moment of the exchange. The file is then overwritten beneath it, and the set's own log takes its name.
//!
//! There can be such a log only when SQLite accepts its first page. Otherwise the board could not be opened during the work.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::board::log::LogBytes;
use crate::failure::{Failure, Outcome};
use crate::ondisk::header::{self, Header, LOCK_BYTES_AT};
use crate::ondisk::store::Store;
use crate::ondisk::wal::{self, Checksum, Wal};

/// The magic number of a log whose checksums read words little-endian, and the only format ("WAL-mode file format").
const MAGIC: u32 = 0x377f_0682;
const FORMAT: u32 = 3_007_000;
const PIECE: usize = 1 << 20;

/// What a covering log is made of.
#[derive(Debug)]
pub(crate) struct Cover {
    database: LogBytes,
    log: LogBytes,
    page_size: usize,
    /// Pages of the board after the log's last commit.
    pages: u32,
    /// Where the log has the last image of a page.
    logged: HashMap<u32, u64>,
    salts: [u32; 2],
}

impl Cover {
    /// That of the set of `database` and `log`; nothing where SQLite sees nothing in the log, would not read the first page,
    /// or takes the log away.
    ///
    /// # Errors
    /// When they cannot be read.
    pub(crate) fn of(database: &Path, log: &Path) -> Outcome<Option<Self>> {
        let (database, log) = (open(database)?, open(log)?);
        let Some(seen) = Wal::read(&log, None) else { return Ok(None) };
        let visible = seen.frames.get(..seen.visible()).unwrap_or_default();
        let Some(last) = visible.last() else { return Ok(None) };
        let cover = Self {
            page_size: seen.page_size,
            pages: last.commit,
            logged: visible.iter().map(|frame| (frame.page, frame.offset)).collect(),
            // Any but the set's own, so that no index of its takes this log for that one.
            salts: seen.salts.map(|salt| !salt),
            database,
            log,
        };
        Ok(cover.can_stand_in(visible.len()).then_some(cover))
    }

    fn can_stand_in(&self, frames: usize) -> bool {
        let there = self.database.size() / self.page_size as u64 + frames as u64 + 1;
        let first = self.page(1).as_deref().and_then(|page| Header::read(page.get(..header::LEN)?));
        let fits = first.is_some_and(|header| header.magic && header.page_size == Some(self.page_size));
        fits && self.database.size() >= self.page_size as u64 && u64::from(self.pages) <= there
    }

    /// Writes it to the new file `path` and waits until the disk has it.
    ///
    /// # Errors
    /// When a page cannot be read or the log not be written.
    pub(crate) fn write(&self, path: &Path) -> Outcome<()> {
        let writing = |error| Failure::making(error, format!("writing {}", path.display())).at(path);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(writing)?;
        let mut file = BufWriter::with_capacity(PIECE, file);
        let mut header = Vec::with_capacity(wal::HEADER_LEN);
        let page_size = u32::try_from(self.page_size).unwrap_or_default();
        for field in [MAGIC, FORMAT, page_size, 0, self.salts[0], self.salts[1]] {
            header.extend(field.to_be_bytes());
        }
        let mut sum = wal::checksum(false, [0, 0], &header);
        header.extend(sum.iter().flat_map(|half| half.to_be_bytes()));
        file.write_all(&header).map_err(writing)?;
        let unused = LOCK_BYTES_AT / self.page_size as u64 + 1;
        let last = if u64::from(self.pages) == unused { self.pages - 1 } else { self.pages };
        for number in (1..=last).filter(|&number| u64::from(number) != unused) {
            let Some(page) = self.page(number) else {
                return Err(Failure::failed(format!("page {number} of the set cannot be read.")).at(path));
            };
            let commit = if number == last { self.pages } else { 0 };
            let frame = self.frame(number, commit, &page, &mut sum);
            file.write_all(&frame).and_then(|()| file.write_all(&page)).map_err(writing)?;
        }
        file.into_inner().map_err(|error| writing(error.into_error()))?.sync_all().map_err(writing)
    }

    /// The header of a frame whose checksum goes on from `sum`.
    fn frame(&self, number: u32, commit: u32, page: &[u8], sum: &mut Checksum) -> Vec<u8> {
        let mut frame: Vec<u8> = [number, commit].iter().flat_map(|field| field.to_be_bytes()).collect();
        *sum = wal::checksum(false, wal::checksum(false, *sum, &frame), page);
        frame.extend(self.salts.iter().chain(sum.iter()).flat_map(|field| field.to_be_bytes()));
        frame
    }

    /// The page as SQLite reads it: of the log, else of the file, with zeros behind the file's end.
    fn page(&self, number: u32) -> Option<Vec<u8>> {
        let mut page = match self.logged.get(&number) {
            Some(&offset) => self.log.read(offset, self.page_size)?,
            None => self.database.read(u64::from(number - 1) * self.page_size as u64, self.page_size)?,
        }
        .into_owned();
        page.resize(self.page_size, 0);
        Some(page)
    }
}

fn open(path: &Path) -> Outcome<LogBytes> {
    let reading = |error| Failure::io(error, format!("reading {}", path.display())).at(path);
    let file = File::open(path).map_err(reading)?;
    let size = file.metadata().map_err(reading)?.len();
    Ok(LogBytes::of(file, size))
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;
    use rusqlite::config::DbConfig;

    use super::*;

    fn rows(path: &Path) -> Vec<String> {
        let connection = Connection::open(path).unwrap();
        let check: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(check, "ok");
        let mut statement = connection.prepare("SELECT a FROM t ORDER BY a").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    /// What makes a file grow, so that its log has the first page too.
    const GROWTH: &str = "INSERT INTO t VALUES('logged'); INSERT INTO t SELECT hex(randomblob(3000)) FROM t";

    /// A database with rows in its log, closed without writing them back.
    fn set(path: &Path, page_size: u32, last: &str) {
        let connection = Connection::open(path).unwrap();
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap();
        connection
            .execute_batch(&format!(
                "PRAGMA page_size={page_size}; PRAGMA journal_mode=WAL; CREATE TABLE t(a);
                 INSERT INTO t VALUES('filed'); PRAGMA wal_checkpoint(TRUNCATE); PRAGMA wal_autocheckpoint=0;
                 {last};"
            ))
            .unwrap();
    }

    #[test]
    fn whatever_lies_beneath_the_cover_the_set_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name);
        for (page_size, other_size) in [(4096, 4096), (1024, 8192), (8192, 512)] {
            let (one, log) = (place(&format!("{page_size}.db")), place(&format!("{page_size}.db-wal")));
            set(&one, page_size, GROWTH);
            let cover = Cover::of(&one, &log).unwrap().unwrap();
            let beneath = Connection::open(place(&format!("{page_size}-beneath.db"))).unwrap();
            beneath
                .execute_batch(&format!(
                    "PRAGMA page_size={other_size}; CREATE TABLE t(a); INSERT INTO t VALUES(hex(randomblob(40000)))"
                ))
                .unwrap();
            drop(beneath);
            cover.write(&place(&format!("{page_size}-beneath.db-wal"))).unwrap();
            assert_eq!(rows(&place(&format!("{page_size}-beneath.db"))), rows(&one));
        }
    }

    #[test]
    fn a_log_without_frames_or_a_file_without_pages_has_no_cover() {
        let folder = tempfile::tempdir().unwrap();
        let (one, log) = (folder.path().join("x.db"), folder.path().join("x.db-wal"));
        set(&one, 4096, "UPDATE t SET a = 'later'");
        let (file, frames) = (std::fs::read(&one).unwrap(), std::fs::read(&log).unwrap());
        assert!(Cover::of(&one, &log).unwrap().is_some());
        std::fs::write(&log, &frames[..2000]).unwrap();
        assert!(Cover::of(&one, &log).unwrap().is_none());
        std::fs::write(&log, &frames).unwrap();
        std::fs::write(&one, b"").unwrap();
        assert!(Cover::of(&one, &log).unwrap().is_none());
        std::fs::write(&one, [&[7; 4096][..], &file[4096..]].concat()).unwrap();
        assert!(Cover::of(&one, &log).unwrap().is_none());
    }
}
