//! `sqlite3 BAD.db .recover | sqlite3 NEW.db`, the peer, where there is a shell for it (`KANBANCTL_PEER_SQLITE3`).

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Score, beside, score_since};

/// The shell to compare with.
pub(crate) fn shell() -> Option<PathBuf> {
    std::env::var_os("KANBANCTL_PEER_SQLITE3").map(PathBuf::from)
}

/// What the shell makes of the board at `board`. It works on copies, because it writes to what it opens.
pub(crate) fn recover(shell: &Path, board: &Path, truth: &Path, earlier: &[PathBuf]) -> Score {
    let directory = tempfile::tempdir().unwrap();
    let (copy, new) = (directory.path().join("copy.db"), directory.path().join("new.db"));
    for suffix in ["", "-wal"] {
        let from = beside(board, suffix);
        if from.exists() {
            std::fs::copy(from, beside(&copy, suffix)).unwrap();
        }
    }
    let mut reader = Command::new(shell)
        .arg(&copy)
        .arg(".recover")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let script = reader.stdout.take().unwrap();
    Command::new(shell).arg(&new).stdin(script).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    reader.wait().unwrap();
    std::fs::OpenOptions::new().append(true).create(true).open(&new).unwrap();
    score_since(truth, earlier, &new)
}
