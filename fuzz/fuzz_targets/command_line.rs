//! Words as a shell hands them over, parted by NUL: whatever they are, parsing ends in a command line or in a message.
#![no_main]
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use clap::FromArgMatches;
use kanbanctl::cli::{self, Cli};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let given = bytes.split(|byte| *byte == 0).map(|word| OsStr::from_bytes(word).to_owned());
    let words: Vec<OsString> = std::iter::once(OsString::from("kanbanctl")).chain(given).collect();
    match cli::command().try_get_matches_from(&words) {
        Ok(matches) => drop(Cli::from_arg_matches(&matches)),
        Err(error) => drop(error.render().to_string()),
    }
});
