//! Makes an evidence folder: whole, under its name, or not at all.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use sha2::{Digest, Sha256};

use super::{About, Evidence, EvidenceFile, MANIFEST, MARK, Manifest, PIECE, open, write_json};
use crate::board::Inspection;
use crate::board::files::with_suffix;
use crate::failure::{Failure, Outcome};
use crate::install::target;
use crate::newfile::{hex, temporary_name};
use crate::process::clock;
use crate::process::clock::Clock;

/// Puts aside what was `seen`: copies beside the board, hashed, on the disk.
///
/// # Errors
/// Exit 11 when somebody writes to the board meanwhile, 12 when there is no room or no permission. No folder is left.
pub fn take(seen: &Inspection, about: About, clock: Clock) -> Outcome<Evidence> {
    let name = with_suffix(&seen.resolved, MARK.trim_end_matches('.'));
    let draft = EvidenceDraft::create(&temporary_name(&name)?)?;
    let stamp = seen.stamp.as_ref();
    let mut files = Vec::new();
    for suffix in ["", "-wal", "-shm", "-journal"] {
        files.extend(copy(&with_suffix(&seen.resolved, suffix), &draft.path, suffix)?);
    }
    if !target::is_unchanged(seen)? {
        return Err(Failure::busy("the board changed while it was copied; nothing was installed.")
            .hint("Stop the processes that write to it, then run this again.")
            .at(&seen.resolved));
    }
    let now = clock.epoch();
    let manifest = Manifest {
        schema_version: 1,
        board: seen.resolved.clone(),
        taken_at: clock::rfc3339(now).unwrap_or_else(|| now.to_string()),
        kanbanctl: env!("CARGO_PKG_VERSION").to_owned(),
        about,
        files,
    };
    write_json(&draft.path.join(MANIFEST), &manifest)?;
    if let Some(stamp) = stamp {
        give(&draft.path, stamp.uid, group(&seen.resolved));
    }
    let folder = draft.publish(&with_suffix(&seen.resolved, MARK), &clock::compact(now))?;
    Ok(Evidence { folder, manifest, finished: false, carried_out: false })
}

/// A folder under a temporary name; gone when dropped.
struct EvidenceDraft {
    path: PathBuf,
    published: bool,
    /// Its `flock` says that somebody is at work here.
    _at_work: Option<File>,
}

impl EvidenceDraft {
    fn create(path: &Path) -> Outcome<Self> {
        DirBuilder::new().mode(0o700).create(path).map_err(|error| {
            Failure::making(error, format!("making the folder {}", path.display())).at(path)
        })?;
        let at_work = File::open(path).ok();
        if let Some(folder) = &at_work {
            let _ = folder.try_lock();
        }
        Ok(Self { path: path.to_path_buf(), published: false, _at_work: at_work })
    }

    /// Syncs the folder and gives it the first free name of `prefix`, `moment` and a number.
    fn publish(mut self, prefix: &Path, moment: &str) -> Outcome<PathBuf> {
        let naming = |error, path: &Path| Failure::io(error, format!("naming {}", path.display())).at(path);
        File::open(&self.path)
            .and_then(|folder| folder.sync_all())
            .map_err(|error| naming(error, &self.path))?;
        for number in 0..1000 {
            let suffix = if number == 0 { moment.to_owned() } else { format!("{moment}.{number}") };
            let path = with_suffix(prefix, &suffix);
            match renameat_with(CWD, &self.path, CWD, &path, RenameFlags::NOREPLACE) {
                Ok(()) => {}
                Err(rustix::io::Errno::EXIST) => continue,
                // Without such a rename: one that fails on anything but an empty folder.
                Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS)
                    if fs::symlink_metadata(&path).is_err() =>
                {
                    fs::rename(&self.path, &path).map_err(|error| naming(error, &path))?;
                }
                Err(error) => return Err(naming(error.into(), &path)),
            }
            self.published = true;
            target::sync_directory(&path)?;
            return Ok(path);
        }
        Err(Failure::refused(format!("there is no free name for a folder like {}.", prefix.display()))
            .at(prefix))
    }
}

impl Drop for EvidenceDraft {
    fn drop(&mut self) {
        if !self.published {
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

fn copy(from: &Path, folder: &Path, suffix: &str) -> Outcome<Option<EvidenceFile>> {
    let reading = |error| Failure::io(error, format!("reading {}", from.display())).at(from);
    let Some(mut source) = open(from)? else { return Ok(None) };
    let meta = source.metadata().map_err(reading)?;
    let to = folder.join(from.file_name().map(OsString::from).unwrap_or_default());
    let writing =
        |error| Failure::io(error, format!("copying {} to {}", from.display(), to.display())).at(from);
    let mut target =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&to).map_err(writing)?;
    let (mut hash, mut bytes, mut piece) = (Sha256::new(), 0, vec![0; PIECE]);
    loop {
        let read = source.read(&mut piece).map_err(reading)?;
        let Some(part) = piece.get(..read).filter(|part| !part.is_empty()) else { break };
        hash.update(part);
        target.write_all(part).map_err(writing)?;
        bytes += u64::try_from(read).unwrap_or_default();
    }
    let mode = meta.mode() & 0o7777;
    target.set_permissions(fs::Permissions::from_mode(mode)).map_err(writing)?;
    give(&to, meta.uid(), meta.gid());
    if let Ok(modified) = meta.modified() {
        target.set_modified(modified).map_err(writing)?;
    }
    target.sync_all().map_err(writing)?;
    Ok(Some(EvidenceFile {
        suffix: suffix.to_owned(),
        bytes,
        sha256: hex(&hash.finalize()),
        mode: format!("{mode:04o}"),
        uid: meta.uid(),
        gid: meta.gid(),
        modified_ns: i128::from(meta.mtime()) * 1_000_000_000 + i128::from(meta.mtime_nsec()),
    }))
}

/// Gives a copy its original's owner, where this process may: only root can, and for anybody else it is the same.
fn give(path: &Path, uid: u32, gid: u32) {
    let _ = std::os::unix::fs::lchown(path, Some(uid), Some(gid));
}

fn group(path: &Path) -> u32 {
    fs::metadata(path).map_or_else(|_| rustix::process::getegid().as_raw(), |meta| meta.gid())
}
