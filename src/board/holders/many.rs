//! Tests whether any of many files is open in another process. Thousands of copies are asked about at once.

use std::collections::HashSet;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;

use super::process;
use crate::failure::{Failure, Outcome};

/// Who has one of the files open.
#[derive(Clone, Debug, Default)]
pub struct Openers {
    /// Process ids with their command lines: untrusted text.
    pub found: Vec<(u32, String)>,
    /// How many processes could not be looked at.
    pub unseen: usize,
}

/// Looks for other processes with one of `files` (device and inode) open. Nothing is opened by it.
///
/// # Errors
/// When `/proc` cannot be listed.
pub fn openers(files: impl IntoIterator<Item = (u64, u64)>) -> Outcome<Openers> {
    let files: HashSet<(u64, u64)> = files.into_iter().collect();
    let entries = std::fs::read_dir("/proc").map_err(|error| Failure::io(error, "listing /proc"))?;
    let mut openers = Openers::default();
    for entry in entries.flatten() {
        let pid = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok());
        let Some(pid) = pid.filter(|pid| Some(*pid) != process::me()) else { continue };
        match std::fs::read_dir(entry.path().join("fd")) {
            Ok(table) => {
                let mut open = table.flatten().filter_map(|fd| std::fs::metadata(fd.path()).ok());
                if open.any(|meta| files.contains(&(meta.dev(), meta.ino()))) {
                    openers.found.push((pid, process::command(pid)));
                }
            }
            Err(error) if error.kind() == ErrorKind::PermissionDenied => openers.unseen += 1,
            // The process has ended meanwhile.
            Err(_) => {}
        }
    }
    openers.found.sort_unstable();
    Ok(openers)
}
