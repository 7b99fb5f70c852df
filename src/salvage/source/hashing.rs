//! SHA-256 of many files at once, on every core, in large pieces, stopped between two of them when told to.
//!
//! What equal hashes mean is [`super::grouping`]'s.

use std::fmt;
use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::discovery::Member;
use super::{moving, tries};
use crate::failure::{Failure, Outcome};
use crate::work::holes;
use crate::work::progress::{Stage, Watch};

/// How much of a file is read at a time: large enough to make system calls cheap, small enough to stay in the cache.
const PIECE: usize = 256 << 10;
/// More threads than this only make a disk seek.
const MAX_THREADS: usize = 8;
/// How often progress is shown and signals are heard while large files are read.
const BEAT: Duration = Duration::from_millis(100);

/// Bytes of holes from which on a file's zeros are not hashed.
const LARGE_HOLES: u64 = 256 << 20;

/// A SHA-256: of all bytes of a file, or, where large parts of it are holes, of its data and the places of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32], bool);

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        // No other program's sum of the file is this one.
        if self.1 { f.write_str("-sparse") } else { Ok(()) }
    }
}

/// What one copy's files contain, and the copy as it was while it was read.
#[derive(Debug)]
pub(crate) struct Hashed {
    pub(crate) main: Digest,
    /// The log's, if it is not empty.
    pub(crate) wal: Option<Digest>,
    pub(crate) member: Member,
}

/// Hashes `members`; the answers are in their order. `Ok(None)` is a copy that went away meanwhile.
///
/// # Errors
/// What `watch` stops with. What is wrong with a single copy is its own answer.
pub(crate) fn hash_all(members: &[&Member], watch: &mut dyn Watch) -> Outcome<Vec<Outcome<Option<Hashed>>>> {
    let total: u64 = members.iter().map(|member| member.bytes()).sum();
    let mut answers: Vec<Outcome<Option<Hashed>>> = members.iter().map(|_| Ok(None)).collect();
    let work =
        HashJob { members, next: AtomicUsize::new(0), done: AtomicU64::new(0), stop: AtomicBool::new(false) };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let (to, answered) = mpsc::channel();
        let mut running = 0;
        for _ in 0..cores.min(MAX_THREADS).min(members.len()) {
            let (to, work) = (to.clone(), &work);
            let spawned = std::thread::Builder::new().spawn_scoped(scope, move || work.run(&to));
            running += usize::from(spawned.is_ok());
        }
        if running == 0 {
            // The system gives no thread: the work is done on this one.
            work.run(&to);
        }
        drop(to);
        loop {
            let said = watch.step(Stage::Sources, work.done.load(Ordering::Relaxed).min(total), total);
            if said.is_err() {
                work.stop.store(true, Ordering::Relaxed);
                return said;
            }
            match answered.recv_timeout(BEAT) {
                Ok((index, answer)) => {
                    if let Some(place) = answers.get_mut(index) {
                        *place = answer;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
        }
    })?;
    Ok(answers)
}

struct HashJob<'a> {
    members: &'a [&'a Member],
    next: AtomicUsize,
    /// Bytes read so far.
    done: AtomicU64,
    stop: AtomicBool,
}

type Answer = (usize, Outcome<Option<Hashed>>);

impl HashJob<'_> {
    /// Takes one copy after the other until none is left.
    fn run(&self, to: &Sender<Answer>) {
        let mut piece = vec![0; PIECE];
        loop {
            let index = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(member) = self.members.get(index) else { return };
            let answer = self.hash_member(member, &mut piece);
            if self.stop.load(Ordering::Relaxed) || to.send((index, answer)).is_err() {
                return;
            }
        }
    }

    fn hash_member(&self, member: &Member, piece: &mut [u8]) -> Outcome<Option<Hashed>> {
        let mut member = member.clone();
        let wal = member.wal_path();
        for _ in tries() {
            let main = self.hash(&member.path, piece)?;
            let log = self.hash(&wal, piece)?;
            let after = member.looked_at_again()?;
            if after.is_same_as(&member) {
                let log = log.filter(|_| member.wal_size() > 0);
                let empty = Digest(Sha256::digest([]).into(), false);
                return Ok(Some(Hashed { main: main.unwrap_or(empty), wal: log, member }));
            }
            if !after.is_there() {
                return Ok(None);
            }
            member = after;
        }
        Err(moving(&member.path))
    }

    /// The hash of one file; `None` where there is none.
    fn hash(&self, path: &Path, piece: &mut [u8]) -> Outcome<Option<Digest>> {
        let reading = |error| Failure::io(error, "reading the file").at(path);
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Failure::io(error, "opening the file").at(path)),
        };
        let is_sparse = holes::hole_bytes(&file) >= LARGE_HOLES;
        let mut hasher = Sha256::new();
        let mut behind = 0;
        let pass_over = |hasher: &mut Sha256, from: u64, to: u64| {
            if is_sparse {
                hasher.update(to.to_be_bytes());
            } else {
                holes::zeros(to - from, |zeros| hasher.update(zeros));
            }
            self.done.fetch_add(to - from, Ordering::Relaxed);
        };
        let length = holes::each_piece(&file, piece, |at, bytes| {
            if self.stop.load(Ordering::Relaxed) {
                return Err(ErrorKind::Interrupted.into());
            }
            if at > behind {
                pass_over(&mut hasher, behind, at);
            }
            hasher.update(bytes);
            behind = at + bytes.len() as u64;
            self.done.fetch_add(bytes.len() as u64, Ordering::Relaxed);
            Ok(())
        });
        match length {
            Ok(length) if length > behind => pass_over(&mut hasher, behind, length),
            Ok(_) => {}
            // The answer of a stopped job is not looked at.
            Err(_) if self.stop.load(Ordering::Relaxed) => {}
            Err(error) => return Err(reading(error)),
        }
        Ok(Some(Digest(hasher.finalize().into(), is_sparse)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::work::progress::Unwatched;

    #[test]
    fn known_hashes_in_their_order() {
        let dir = tempfile::tempdir().unwrap();
        let long = vec![7; 3 * PIECE + 1];
        let members: Vec<Member> = [&b"abc"[..], b"", &long]
            .into_iter()
            .enumerate()
            .map(|(number, bytes)| {
                let path = dir.path().join(number.to_string());
                std::fs::write(&path, bytes).unwrap();
                Member::at(path).unwrap()
            })
            .collect();
        let gone = Member { path: dir.path().join("gone"), ..members[0].clone() };
        let members: Vec<&Member> = members.iter().chain([&gone]).collect();
        let answers = hash_all(&members, &mut Unwatched).unwrap();
        let digest = |at: usize| answers[at].as_ref().unwrap().as_ref().map(|hashed| hashed.main.to_string());
        assert_eq!(digest(0).unwrap(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(digest(1).unwrap(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        let long: [u8; 32] = Sha256::digest(long).into();
        assert_eq!(digest(2).unwrap(), Digest(long, false).to_string());
        assert_eq!(digest(3), None);
    }

    #[test]
    fn work_ends_when_it_is_told_to() {
        struct Never;
        impl Watch for Never {
            fn step(&mut self, _: Stage, _: u64, _: u64) -> Outcome<()> {
                Err(Failure::busy("no"))
            }
        }
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("one");
        std::fs::write(&path, b"abc").unwrap();
        let member = Member::at(path).unwrap();
        assert!(hash_all(&[&member], &mut Never).is_err());
    }
}
