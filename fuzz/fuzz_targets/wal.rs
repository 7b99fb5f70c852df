//! A write-ahead log, over any main file.
#![no_main]
use kanbanctl::ondisk::{image::Image, wal::Wal};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some(wal) = Wal::read(&bytes, None) else { return };
    assert!(wal.committed <= wal.frames.len());
    let mut image = Image::new(&bytes, wal.page_size, wal.page_size);
    for frame in wal.committed().chain(wal.uncommitted()).chain(wal.older()) {
        image.overlay(frame);
    }
});
