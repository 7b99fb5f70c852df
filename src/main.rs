//! The binary: completion hook, parse, run, exit. No logic.

use std::process::ExitCode;

use clap_complete::CompleteEnv;
use kanbanctl::cli;
use kanbanctl::process::signals::Signals;

fn main() -> ExitCode {
    CompleteEnv::with_factory(|| cli::completing(std::env::args_os(), std::env::vars_os()))
        .var("KANBANCTL_COMPLETE")
        .complete();
    let (exit, signal) = cli::invoke(std::env::args_os(), std::env::vars_os());
    if let Some(signal) = signal {
        Signals::raise(signal);
    }
    ExitCode::from(exit.code())
}
