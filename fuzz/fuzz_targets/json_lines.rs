//! The lines of `create --from`, and the drafts that they become: a draft or a failure that names its line.
#![no_main]
use kanbanctl::commands::draft;
use kanbanctl::process::env::Env;
use kanbanctl::store::draft::Draft;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    match draft::parse(bytes, &Draft::default(), &Env::default()) {
        Ok(lines) => assert!(lines.len() <= bytes.split(|byte| *byte == b'\n').count()),
        Err(failure) => assert!(failure.to_string().contains("line "), "{failure}"),
    }
});
