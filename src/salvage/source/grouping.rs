//! Equal contents are one source: told by length where that is enough, by SHA-256 of main file and log where it is not.

use std::collections::HashMap;
use std::fs::File;
use std::io::ErrorKind;

use super::discovery::Member;
use super::hashing::{self, Digest, Hashed};
use super::{Discovered, Source, SourceKind, SourcePart, Unread};
use crate::board::belonging::Relation;
use crate::failure::{Failure, Outcome};
use crate::work::progress::Watch;

/// Which contents are hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Digests {
    /// Those that could be equal to another: files of lengths that no other has are different without being read.
    WhereNeeded,
    /// All: where contents are called by their hash.
    All,
}

/// Device and inode of a copy's files: hard links are equal without being read.
type Identity = (Option<(u64, u64)>, Option<(u64, u64)>);

fn identity(member: &Member) -> Identity {
    let of = |stamp: crate::board::Stamp| (stamp.dev, stamp.ino);
    (member.main.map(of), member.wal.map(of))
}

/// The given copies, each content once, in their order. A copy that went away meanwhile is left out; what is wrong with a
/// copy that Hermes or we made is told in the result, what is wrong with the board itself or a named file is an error.
///
/// # Errors
/// What `watch` stops with, and the reading error of the live board or of a named file.
pub(crate) fn group(
    files: Vec<(SourceKind, Member)>,
    digests: Digests,
    watch: &mut dyn Watch,
) -> Outcome<Discovered> {
    let mut alike: HashMap<(u64, u64), usize> = HashMap::new();
    for (_, member) in &files {
        *alike.entry((member.main_size(), member.wal_size())).or_default() += 1;
    }
    let is_alone = |member: &Member| alike.get(&(member.main_size(), member.wal_size())) == Some(&1);
    let mut firsts: HashMap<Identity, usize> = HashMap::new();
    let mut jobs: Vec<&Member> = Vec::new();
    // For each file the job that hashes it.
    let hashed_by: Vec<Option<usize>> = files
        .iter()
        .map(|(_, member)| {
            if digests == Digests::WhereNeeded && is_alone(member) {
                return None;
            }
            Some(*firsts.entry(identity(member)).or_insert_with(|| {
                jobs.push(member);
                jobs.len() - 1
            }))
        })
        .collect();
    let mut answers = hashing::hash_all(&jobs, watch)?;
    let mut groups = Groups::default();
    for ((kind, member), job) in files.into_iter().zip(hashed_by) {
        let answer = job.and_then(|job| answers.get_mut(job));
        match answer {
            None => match readable(&member) {
                Ok(true) => groups.add(kind, member, None),
                Ok(false) => {}
                Err(failure) if is_copy(kind) => groups.found.unread.push(Unread::new(member.path, &failure)),
                Err(failure) => return Err(failure),
            },
            Some(Ok(Some(hashed))) => {
                // Another name of the same files keeps its own name.
                let member = Member {
                    path: member.path,
                    is_linked: member.is_linked,
                    log: member.log,
                    ..hashed.member.clone()
                };
                groups.add(kind, member, Some(hashed));
            }
            Some(Ok(None)) => {}
            Some(Err(failure)) if is_copy(kind) => {
                groups.found.unread.push(Unread::new(member.path, failure));
            }
            Some(answer) => std::mem::replace(answer, Ok(None)).map(drop)?,
        }
    }
    Ok(groups.found)
}

/// Whether it is one of many: what is wrong with it is told, and hides nothing else.
fn is_copy(kind: SourceKind) -> bool {
    matches!(kind, SourceKind::Backup | SourceKind::Own | SourceKind::Namesake)
}

/// Whether what was not hashed can be opened; false when it went away meanwhile.
fn readable(member: &Member) -> Outcome<bool> {
    let mut there = false;
    for path in [member.path.clone(), member.wal_path()] {
        match File::open(&path) {
            Ok(_) => there = true,
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(Failure::io(error, "opening the file").at(&path)),
        }
    }
    Ok(there)
}

#[derive(Default)]
struct Groups {
    found: Discovered,
    known: HashMap<(Digest, Option<Digest>), usize>,
}

impl Groups {
    fn add(&mut self, kind: SourceKind, member: Member, hashed: Option<&Hashed>) {
        let key = hashed.map(|hashed| (hashed.main, hashed.wal));
        let known = key.and_then(|key| self.known.get(&key)).copied();
        if let Some(equal) = known.and_then(|index| self.found.sources.get_mut(index)) {
            equal.copies.push(member);
            return;
        }
        if let Some(key) = key {
            self.known.insert(key, self.found.sources.len());
        }
        self.found.sources.push(Source {
            range: None,
            path: member.path.clone(),
            kind,
            base: None,
            log: member.log.clone(),
            digest: key.map(|(main, _)| main),
            wal_digest: key.and_then(|(_, wal)| wal),
            size: member.main_size(),
            wal_size: member.wal_size(),
            copies: vec![member],
            part: SourcePart::Whole,
            relation: Relation::SameMoment,
            is_invited: kind == SourceKind::Named,
        });
    }
}
