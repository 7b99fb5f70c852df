//! Commits that only a living process has: a deleted log, read through `/proc/PID/fd` (tests/incidents.md F13).
//!
//! ```text
//!   the board's file now  +  the pages of the held log over it   =  the second history, as near as can be known
//! ```
//!
//! The file has gone on since the log was unlinked, so pages of both histories meet in that picture; `merge` keeps the rows
//! of both apart. Responsible for making sources of the generations that [`crate::board::generation`] finds. Reading opens
//! the board's file, so nothing here may run while this process has the board open through SQLite.

use std::path::Path;

use super::SourcePart;
use super::{Member, Source, SourceKind, Unread};
use crate::board::belonging::Relation;
use crate::board::generation::Generation;
use crate::failure::{Failure, Outcome};

/// What living processes have, as sources, and what of it may not be read.
#[derive(Debug, Default)]
pub struct DeletedWal {
    /// One for each log or lost database file.
    pub sources: Vec<Source>,
    /// Those that this user may not read, or whose process has ended meanwhile.
    pub unread: Vec<Unread>,
}

/// Sources of `generations` for the board whose file is `board`. The same log in several processes is one source.
pub fn sources(generations: &[Generation], board: &Path) -> DeletedWal {
    let mut held = DeletedWal::default();
    let mut known = Vec::new();
    for generation in generations {
        let Some(place) = generation.wal.as_deref().or(generation.database.as_deref()) else { continue };
        match source(generation, place, board) {
            Ok(source) => {
                let files = source.copies.first().map(|member| (file(member.main), file(member.wal)));
                if !known.contains(&files) {
                    known.push(files);
                    held.sources.push(source);
                }
            }
            Err(failure) => held.unread.push(Unread::new(place.to_path_buf(), &failure)),
        }
    }
    held
}

fn file(stamp: Option<crate::board::Stamp>) -> Option<(u64, u64)> {
    stamp.map(|stamp| (stamp.dev, stamp.ino))
}

fn source(generation: &Generation, place: &Path, board: &Path) -> Outcome<Source> {
    let reading =
        |error| Failure::io(error, format!("reading what pid {} has open", generation.pid)).at(place);
    std::fs::File::open(place).map_err(reading)?;
    let base = generation.database.as_deref().unwrap_or(board);
    let member = Member::held(place, base, generation.wal.as_deref())?;
    Ok(Source {
        range: None,
        path: member.path.clone(),
        kind: SourceKind::Held,
        base: generation.wal.as_ref().map(|_| base.to_path_buf()),
        log: None,
        digest: None,
        wal_digest: None,
        size: member.main_size(),
        wal_size: member.wal_size(),
        copies: vec![member],
        part: SourcePart::Whole,
        relation: Relation::SameMoment,
        is_invited: true,
    })
}
