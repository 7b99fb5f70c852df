//! One invocation, from arguments to exit code: environment, colour, parsing, streams, signals, verb, failure.

use std::ffi::{OsStr, OsString};
use std::io::IsTerminal;

use clap::FromArgMatches;

use super::{Cli, suggest};
use crate::commands::globals::Globals;
use crate::commands::{self, Context};
use crate::failure::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::pool::Lines;
use crate::process::clock::Clock;
use crate::process::env::Env;
use crate::process::signals::Signals;
use crate::ui::{self, ColorWhen, Surroundings, Ui, UiRequest};

/// Runs one invocation; the second value is the signal that the process must end with.
pub fn invoke(
    args: impl IntoIterator<Item = OsString>,
    vars: impl IntoIterator<Item = (OsString, OsString)>,
) -> (Exit, Option<i32>) {
    let args: Vec<OsString> = args.into_iter().collect();
    let env = Env::from_vars(vars);
    let around = surroundings(&env);
    let cli = match parse(&args, &around) {
        Ok(cli) => cli,
        Err(error) => return (usage(&error, &args, &around), None),
    };
    let mut ui = Ui::new(ui::settings(request(&cli.globals), &around));
    let mut heard = Signals::default();
    let outcome = Signals::install()
        .map_err(|error| Failure::io(error, "installing the signal handlers"))
        .and_then(|signals| {
            heard = signals.clone();
            ui.attend(signals.clone());
            let clock = clock(&env)?;
            let mut context = Context {
                command: super::command,
                ui: &mut ui,
                globals: &cli.globals,
                env: &env,
                clock,
                signals,
                budget: commands::budget(&cli.globals, &env),
                statements: Lines::default(),
                details: Lines::default(),
                notes: Lines::default(),
                chosen: None,
            };
            commands::run(&mut context, cli.verb.as_ref())
        })
        .and_then(|exit| ui.finish().map(|()| exit));
    match outcome {
        Ok(exit) => match heard.received() {
            // Shells and supervisors stop what comes next only for a process that the signal has ended.
            Some(signal) => {
                ui.status("The signal came when the work was done; it stays done.");
                (Exit::Interrupted(signal), Some(signal))
            }
            None => (exit, None),
        },
        Err(failure) if failure.is_broken_pipe() => (Exit::Ok, None),
        Err(failure) => {
            ui.failure(&failure);
            // Whatever the signal made fail, the process ends by the signal.
            (failure.exit(), heard.received())
        }
    }
}

fn parse(args: &[OsString], around: &Surroundings<'_>) -> Result<Cli, clap::Error> {
    // Help and errors need the texts that `command` adds to every verb; building them takes longer than most verbs run.
    if let Ok(matches) = super::bare_command(args).try_get_matches_from(args) {
        return Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut super::command()));
    }
    let color = ui::clap_color(wanted_color(args), around);
    let by_sense = |error| suggest::by_sense(error, &super::command());
    let matches = super::command().color(color).try_get_matches_from(args).map_err(by_sense)?;
    Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut super::command()))
}

/// `--color` as typed, read before clap does, because clap's own messages obey it.
fn wanted_color(args: &[OsString]) -> ColorWhen {
    let mut words = args.iter().skip(1).filter_map(|word| word.to_str());
    let mut found = ColorWhen::Auto;
    while let Some(word) = words.next() {
        let value = if word == "--color" { words.next() } else { word.strip_prefix("--color=") };
        if let Some(value) = value {
            found = clap::ValueEnum::from_str(value, true).unwrap_or(found);
        }
    }
    found
}

/// Prints clap's answer: help and version are data, everything else is a usage error.
fn usage(error: &clap::Error, args: &[OsString], around: &Surroundings<'_>) -> Exit {
    let is_help = !error.use_stderr();
    let json =
        args.iter().any(|word| word == "--json" || word == "--format=json" || word == "--format=jsonl");
    if json && !is_help {
        let request = UiRequest { format: Some(ui::Format::Json), ..UiRequest::default() };
        let text = error.render().to_string();
        let message = text.trim().trim_start_matches("error: ").to_owned();
        Ui::new(ui::settings(request, around)).failure(&Failure::usage(message));
        return Exit::Usage;
    }
    // A closed pipe is the reader's choice.
    let _ = error.print();
    if is_help { Exit::Ok } else { Exit::Usage }
}

/// The clock: stopped where `KANBANCTL_NOW` says at which Unix second.
fn clock(env: &Env) -> Outcome<Clock> {
    let Some(given) = env.get("KANBANCTL_NOW").filter(|given| !given.is_empty()) else {
        return Ok(Clock::Real);
    };
    let second = given.to_str().and_then(|text| text.trim().parse().ok());
    second.map(Clock::Frozen).ok_or_else(|| {
        let shown = given.to_string_lossy();
        Failure::usage(format!("the variable KANBANCTL_NOW is \"{shown}\", which is no Unix second."))
            .hint("Unset it, or give it a number such as 1780000000.")
    })
}

fn request(globals: &Globals) -> UiRequest {
    UiRequest {
        format: globals.wanted_format(),
        color: globals.color,
        ascii: globals.ascii,
        quiet: globals.quiet,
        verbose: globals.verbose,
        output: globals.output_file.clone(),
        yes: globals.yes,
        no_input: globals.no_input,
        dry_run: globals.dry_run,
    }
}

fn surroundings(env: &Env) -> Surroundings<'_> {
    let get = |name: &str| -> Option<&OsStr> { env.get(name) };
    Surroundings {
        no_color: get("NO_COLOR"),
        clicolor: get("CLICOLOR"),
        clicolor_force: get("CLICOLOR_FORCE"),
        term: get("TERM"),
        locale: ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().filter_map(get).find(|name| !name.is_empty()),
        columns: get("COLUMNS"),
        stdin_terminal: std::io::stdin().is_terminal(),
        stdout_terminal: std::io::stdout().is_terminal(),
        stderr_terminal: std::io::stderr().is_terminal(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn colour_is_found_before_parsing() {
        let words = |text: &str| text.split(' ').map(OsString::from).collect::<Vec<_>>();
        assert_eq!(wanted_color(&words("kanbanctl list --color never")), ColorWhen::Never);
        assert_eq!(wanted_color(&words("kanbanctl --color=always list")), ColorWhen::Always);
        assert_eq!(wanted_color(&words("kanbanctl list")), ColorWhen::Auto);
    }
}
