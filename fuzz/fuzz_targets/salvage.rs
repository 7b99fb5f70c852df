//! The whole of a recovery, up to the rows. The first two bytes say how long the main file is; the rest is the WAL.
#![no_main]
use kanbanctl::recover::{self, store::Stores};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let [a, b, rest @ ..] = bytes else { return };
    let split = usize::from(u16::from_be_bytes([*a, *b])).min(rest.len());
    let (main, wal) = rest.split_at(split);
    let _ = recover::holdings(&Stores::in_memory(main.to_vec(), wal.to_vec()));
});
