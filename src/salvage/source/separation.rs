//! Logs and journals that do not belong to the file beside them: sources of their own.
//!
//! [`Source::open`] leaves such a file out; here it becomes a source, so that its rows are not lost. Not here: whether
//! the rows of another board come in, which the merge decides.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::discovery::Member;
use super::{Discovered, Source, SourceKind, SourcePart};
use crate::board::belonging::{self, Relation};
use crate::board::files::with_suffix;
use crate::failure::Outcome;
use crate::ondisk::journal;
use crate::ondisk::wal::{HEADER_LEN, WalHeader};

/// Make sources of the logs and journals that do not belong, and of those that were named themselves.
///
/// # Errors
/// When a file cannot be read.
pub fn separate(found: &mut Discovered) -> Outcome<()> {
    let mut all: Vec<Source> = Vec::with_capacity(found.sources.len());
    let mut whole = Vec::new();
    for mut source in std::mem::take(&mut found.sources) {
        let part = if source.kind == SourceKind::Named { part_in(&source.path) } else { SourcePart::Whole };
        if source.kind == SourceKind::Replica {
            all.push(source);
        } else if part == SourcePart::Whole {
            whole.push(source);
        } else {
            source.part = part;
            source.relation = Relation::OtherMoment;
            all.push(source);
        }
    }
    for source in whole {
        // Nothing lies beside what a process holds or a restored replica.
        let is_alone = source.kind == SourceKind::Held || source.base.is_some();
        let apart = if is_alone { Vec::new() } else { apart(&source)? };
        all.push(source);
        for source in apart {
            // One that was named is there already, and comes in.
            if !all.iter().any(|known| is_same_file(&known.path, &source.path)) {
                all.push(source);
            }
        }
    }
    all.sort_by_key(|source| source.kind != SourceKind::Live);
    found.sources = all;
    Ok(())
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    real(one) == real(other)
}

/// The log and the journal beside `source` that do not belong to it.
fn apart(source: &Source) -> Outcome<Vec<Source>> {
    let mut relations = belonging::beside(&source.path)?;
    let (main, wal) = source.files();
    if source.log.is_some() {
        relations.wal = belonging::of_log_at(&main, &wal)?;
    }
    let journal = with_suffix(&main, "-journal");
    let sidecars = [(wal, SourcePart::Log, relations.wal), (journal, SourcePart::Journal, relations.journal)];
    let mut apart = Vec::new();
    for (path, part, relation) in sidecars.into_iter().filter(|(.., it)| !it.is_same_moment()) {
        let member = Member::at(path)?;
        apart.push(Source {
            range: None,
            path: member.path.clone(),
            kind: source.kind,
            base: None,
            log: None,
            digest: None,
            wal_digest: None,
            size: member.main_size(),
            wal_size: 0,
            copies: vec![member],
            part,
            relation,
            is_invited: source.kind == SourceKind::Named,
        });
    }
    Ok(apart)
}

/// What the file at `path` is by its first bytes.
fn part_in(path: &Path) -> SourcePart {
    let mut first = Vec::with_capacity(HEADER_LEN);
    let read = File::open(path).and_then(|file| file.take(HEADER_LEN as u64).read_to_end(&mut first));
    if read.is_err() {
        return SourcePart::Whole;
    }
    if WalHeader::read(&first).is_some() {
        SourcePart::Log
    } else if first.starts_with(&journal::MAGIC) {
        SourcePart::Journal
    } else {
        SourcePart::Whole
    }
}
