//! The database header and the freelist that it names, for any bytes.
#![no_main]
use kanbanctl::ondisk::{freelist, header::Header, image::Image};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Some(header) = Header::read(bytes) {
        let _ = header.faults();
        let image = Image::new(&bytes, header.page_size.unwrap_or(512), 512);
        let _ = freelist::read(&image, header.freelist_trunk, header.freelist_count);
    }
});
