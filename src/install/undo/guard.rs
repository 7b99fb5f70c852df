//! The rollback journal that covers an undo: every page of the file as it was, in SQLite's own format.

use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::{PIECE, Ready};
use crate::board::files::with_suffix;
use crate::failure::{Failure, Outcome};
use crate::install::evidence::Evidence;
use crate::install::installer::remove_if_there;
use crate::install::target;
use crate::ondisk::header::{self, Header, LOCK_BYTES_AT};
use crate::ondisk::journal::{self, MAGIC};

/// The unit in which the journal's header is written.
const SECTOR: u32 = 512;

/// A rollback journal with every page of the file: while it lies there, the file is what it was.
pub(super) struct JournalGuard {
    path: PathBuf,
}

impl JournalGuard {
    /// Writes it and has it on the disk.
    pub(super) fn write(file: &File, live: &Path) -> Outcome<Self> {
        let path = with_suffix(live, "-journal");
        let written = fill(file, &path)
            .map_err(|error| Failure::io(error, format!("writing {}", path.display())).at(&path))
            .and_then(|()| target::sync_directory(&path));
        if let Err(failure) = written {
            // Nothing was overwritten yet.
            let _ = fs::remove_file(&path);
            return Err(failure);
        }
        Ok(Self { path })
    }

    /// Ends the transaction: the guard's name goes, or the set's own journal takes it.
    pub(super) fn lift(self, set: &Evidence, live: &Path) -> Outcome<()> {
        match Ready::copy(set, "-journal", live)? {
            Some(journal) => journal.publish(&self.path),
            None => remove_if_there(&self.path),
        }
    }
}

/// Writes the journal ([`crate::ondisk::journal`]) and waits until the disk has it.
fn fill(file: &File, path: &Path) -> std::io::Result<()> {
    let meta = file.metadata()?;
    let page_size = page_size(file)?;
    let number = |number: u64| u32::try_from(number).map_err(std::io::Error::other);
    let pages = number(meta.len().div_ceil(page_size))?;
    let unused = number(LOCK_BYTES_AT / page_size + 1)?;
    let nonce = std::process::id();
    let journal = OpenOptions::new().write(true).create_new(true).mode(meta.mode() & 0o777).open(path)?;
    // Only root can, and for anybody else it is their own already.
    let _ = std::os::unix::fs::fchown(&journal, Some(meta.uid()), Some(meta.gid()));
    let mut journal = BufWriter::with_capacity(PIECE, journal);
    let records = pages - u32::from(pages >= unused);
    let mut header = MAGIC.to_vec();
    for field in [records, nonce, pages, SECTOR, number(page_size)?] {
        header.extend(field.to_be_bytes());
    }
    header.resize(SECTOR as usize, 0);
    journal.write_all(&header)?;
    let mut image = vec![0; usize::try_from(page_size).map_err(std::io::Error::other)?];
    for page in (1..=pages).filter(|&page| page != unused) {
        read_page(file, u64::from(page - 1) * page_size, &mut image)?;
        journal.write_all(&page.to_be_bytes())?;
        journal.write_all(&image)?;
        journal.write_all(&journal::checksum(nonce, &image).to_be_bytes())?;
    }
    journal.into_inner()?.sync_all()
}

/// The page size in the file's header, else SQLite's default: the journal states it, so any will do.
fn page_size(file: &File) -> std::io::Result<u64> {
    let mut head = vec![0; header::LEN];
    let length = file.read_at(&mut head, 0)?;
    head.truncate(length);
    Ok(Header::read(&head).filter(|header| header.magic).and_then(|header| header.page_size).unwrap_or(4096)
        as u64)
}

/// Reads one page; what is behind the end of the file is zeros.
fn read_page(file: &File, at: u64, image: &mut [u8]) -> std::io::Result<()> {
    image.fill(0);
    let mut done = 0;
    while let Some(rest) = image.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, at + done as u64)? {
            0 => break,
            read => done += read,
        }
    }
    Ok(())
}
