//! Makes an evidence folder: whole, under its name, or not at all.

use std::fs;
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::{About, Evidence, EvidenceFile, MANIFEST, MARK, Manifest, PIECE, open, write_json};
use crate::board::Inspection;
use crate::board::files::with_suffix;
use crate::board::folder::OpenFolder;
use crate::failure::{Failure, Outcome};
use crate::install::target;
use crate::newfile::{has_acl, hex, temporary_name};
use crate::process::clock;
use crate::process::clock::Clock;
use crate::work::holes;

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
        files.extend(copy(&with_suffix(&seen.resolved, suffix), &draft.folder, suffix)?);
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
    let owner = stamp.map(|stamp| (stamp.uid, group(&seen.resolved)));
    write_json(&draft.folder, MANIFEST, &manifest, owner)?;
    if let Some((uid, gid)) = owner {
        draft.folder.give(uid, gid);
    }
    let folder = draft.publish(&with_suffix(&seen.resolved, MARK), &clock::compact(now))?;
    Ok(Evidence { folder, manifest, finished: false, carried_out: false })
}

/// A folder under a temporary name; gone when dropped.
struct EvidenceDraft {
    folder: OpenFolder,
    published: bool,
}

impl EvidenceDraft {
    fn create(path: &Path) -> Outcome<Self> {
        let folder = OpenFolder::create(path).map_err(|error| {
            Failure::making(error, format!("making the folder {}", path.display())).at(path)
        })?;
        // Its `flock` says that somebody is at work here.
        let _ = folder.file().try_lock();
        Ok(Self { folder, published: false })
    }

    /// Syncs the folder and gives it the first free name of `prefix`, `moment` and a number.
    fn publish(mut self, prefix: &Path, moment: &str) -> Outcome<PathBuf> {
        let naming = |error, path: &Path| Failure::io(error, format!("naming {}", path.display())).at(path);
        self.folder.file().sync_all().map_err(|error| naming(error, self.folder.path()))?;
        for number in 0..1000 {
            let suffix = if number == 0 { moment.to_owned() } else { format!("{moment}.{number}") };
            let path = with_suffix(prefix, &suffix);
            match self.folder.rename(&path) {
                Ok(()) => {}
                Err(rustix::io::Errno::EXIST) => continue,
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
            self.folder.remove();
        }
    }
}

fn copy(from: &Path, folder: &OpenFolder, suffix: &str) -> Outcome<Option<EvidenceFile>> {
    let reading = |error| Failure::io(error, format!("reading {}", from.display())).at(from);
    let Some(source) = open(from)? else { return Ok(None) };
    let meta = source.metadata().map_err(reading)?;
    let name = from.file_name().unwrap_or_default();
    let to = folder.path().join(name);
    let writing =
        |error| Failure::io(error, format!("copying {} to {}", from.display(), to.display())).at(from);
    let target = folder.create_file(name).map_err(writing)?;
    let (mut hash, mut behind, mut written) = (Sha256::new(), 0, Ok(()));
    let copied = holes::each_piece(&source, &mut vec![0; PIECE], |at, part| {
        holes::zeros(at - behind, |zeros| hash.update(zeros));
        hash.update(part);
        behind = at + part.len() as u64;
        written = target.write_all_at(part, at);
        if written.is_ok() { Ok(()) } else { Err(std::io::ErrorKind::WriteZero.into()) }
    });
    written.map_err(writing)?;
    let bytes = copied.map_err(reading)?;
    holes::zeros(bytes - behind, |zeros| hash.update(zeros));
    target.set_len(bytes).map_err(writing)?;
    let mode = meta.mode() & 0o7777;
    // Only root may give it away; bits that were another group's are then not ours to give to our own.
    let is_given = fchown(&target, Some(meta.uid()), Some(meta.gid())).is_ok();
    let bits = if is_given && !has_acl(from) { mode } else { mode & 0o700 };
    target.set_permissions(fs::Permissions::from_mode(bits)).map_err(writing)?;
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

fn group(path: &Path) -> u32 {
    fs::metadata(path).map_or_else(|_| rustix::process::getegid().as_raw(), |meta| meta.gid())
}
