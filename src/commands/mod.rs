//! The verbs, one file each: what it accepts (`Args`) and what it does (`run`).
//!
//! This file has the list of verbs and the dispatch. `context` has what every verb shares, [`globals`] the global
//! options. A verb asks the library layers for values and hands them to [`crate::ui`].
//!
//! Not here: SQL ([`crate::store`]) and drawing ([`crate::ui`]).

pub(crate) mod after_install;
pub mod archive;
pub mod assign;
pub mod assignees;
pub mod attach;
pub mod attach_rm;
pub mod attachments;
pub mod backup;
pub mod backups;
pub mod block;
pub mod board;
pub mod boards;
pub mod bulk;
pub mod checkpoint;
pub mod claim;
pub mod comment;
pub mod complete;
pub mod completions;
mod context;
pub mod create;
pub mod delete;
pub mod diagnostics;
pub mod draft;
pub mod edit;
pub mod events;
mod explain;
pub mod export;
pub mod gc;
pub mod globals;
pub mod health;
pub mod heartbeat;
pub mod help;
pub mod import;
pub mod init;
pub mod journal_mode;
pub mod link;
pub mod list;
pub mod log;
pub mod man;
mod manual;
mod overview;
pub(crate) mod page_map;
mod progress;
mod projects;
pub mod promote;
pub mod ready;
pub mod reassign;
pub mod reclaim;
pub mod recover;
pub mod reopen_review;
pub mod repair;
mod replicated;
pub mod report;
pub mod request_changes;
pub mod request_review;
pub mod restore;
mod retention;
pub mod runs;
pub mod schedule;
pub mod search;
pub mod set_model;
pub mod show;
pub mod stats;
pub mod stress;
pub mod subscriptions;
mod times;
pub mod tree;
pub mod unblock;
pub mod unlink;
pub mod values;
pub mod version;
pub mod watch;
pub mod worker_context;

use crate::failure::exit::Exit;
use crate::failure::{Failure, Outcome};

pub use self::context::{Context, budget};
use self::globals::IfBusy;

/// What kanbanctl can be told to do.
#[derive(Debug, clap::Subcommand)]
#[expect(missing_docs, reason = "a comment here would replace the help text that stands at each verb's Args")]
pub enum Verb {
    Assignees(assignees::Args),
    Attach(attach::Args),
    Attachments(attachments::Args),
    AttachRm(attach_rm::Args),
    Archive(archive::Args),
    Assign(assign::Args),
    Block(block::Args),
    Claim(claim::Args),
    Delete(delete::Args),
    Heartbeat(heartbeat::Args),
    Promote(promote::Args),
    Reassign(reassign::Args),
    Reclaim(reclaim::Args),
    ReopenReview(reopen_review::Args),
    RequestChanges(request_changes::Args),
    RequestReview(request_review::Args),
    Schedule(schedule::Args),
    SetModel(set_model::Args),
    Unblock(unblock::Args),
    Backup(backup::Args),
    Backups(backups::Args),
    Board(board::Args),
    Boards(boards::Args),
    Checkpoint(checkpoint::Args),
    Comment(comment::Args),
    Complete(complete::Args),
    Context(worker_context::Args),
    Create(Box<create::Args>),
    #[command(visible_alias = "diag")]
    Diagnostics(diagnostics::Args),
    Edit(edit::Args),
    Events(events::Args),
    Export(export::Args),
    Gc(gc::Args),
    Import(import::Args),
    Init(init::Args),
    #[command(visible_alias = "ls")]
    List(list::Args),
    Link(link::Args),
    Log(log::Args),
    #[command(hide = true)]
    NotifyList(subscriptions::ListArgs),
    #[command(hide = true)]
    NotifySubscribe(subscriptions::AddArgs),
    #[command(hide = true)]
    NotifyUnsubscribe(subscriptions::RemoveArgs),
    Ready(ready::Args),
    Runs(runs::Args),
    Search(search::Args),
    Show(show::Args),
    Stats(stats::Args),
    Stress(stress::Args),
    Subscriptions(subscriptions::Args),
    Tree(tree::Args),
    Unlink(unlink::Args),
    #[command(visible_alias = "tail")]
    Watch(watch::Args),
    Completions(completions::Args),
    Health(health::Args),
    Help(help::Args),
    JournalMode(journal_mode::Args),
    Man(man::Args),
    Recover(recover::Args),
    Repair(repair::Args),
    Report(report::Args),
    Restore(restore::Args),
    Version(version::Args),
}

/// Runs the chosen verb.
///
/// # Errors
/// What the verb says; with `--if-busy skip` a lock that was not had is a success.
pub fn run(context: &mut Context<'_>, verb: Option<&Verb>) -> Outcome<Exit> {
    let outcome = dispatch(context, verb).map_err(|failure| match &context.chosen {
        Some(board) => board.blame(failure),
        None => failure,
    });
    for detail in context.details.take() {
        context.ui.detail(detail);
    }
    for note in context.notes.take() {
        context.ui.warning(note);
    }
    for statement in context.statements.take() {
        context.ui.trace(format_args!("SQL: {statement}"));
    }
    match outcome {
        Err(failure) if failure.exit() == Exit::Busy && context.globals.if_busy == IfBusy::Skip => {
            context.ui.status(format_args!("Skipped: {failure}"));
            Ok(Exit::Ok)
        }
        other => other,
    }
}

fn dispatch(context: &mut Context<'_>, verb: Option<&Verb>) -> Outcome<Exit> {
    if let Some(file) = context.globals.output_file.as_ref().filter(|_| context.globals.create_dirs) {
        crate::newfile::create_directory_of(file)?;
    }
    require_fitting_options(context, verb)?;
    match verb {
        Some(Verb::Archive(args)) => archive::run(context, args),
        Some(Verb::Assign(args)) => assign::run(context, args),
        Some(Verb::Block(args)) => block::run(context, args),
        Some(Verb::Claim(args)) => claim::run(context, args),
        Some(Verb::Delete(args)) => delete::run(context, args),
        Some(Verb::Heartbeat(args)) => heartbeat::run(context, args),
        Some(Verb::Promote(args)) => promote::run(context, args),
        Some(Verb::Reassign(args)) => reassign::run(context, args),
        Some(Verb::Reclaim(args)) => reclaim::run(context, args),
        Some(Verb::ReopenReview(args)) => reopen_review::run(context, args),
        Some(Verb::RequestChanges(args)) => request_changes::run(context, args),
        Some(Verb::RequestReview(args)) => request_review::run(context, args),
        Some(Verb::Schedule(args)) => schedule::run(context, args),
        Some(Verb::SetModel(args)) => set_model::run(context, args),
        Some(Verb::Unblock(args)) => unblock::run(context, args),
        Some(Verb::Backup(args)) => backup::run(context, args),
        Some(Verb::Backups(args)) => backups::run(context, args),
        Some(Verb::Board(args)) => board::run(context, args),
        Some(Verb::Boards(args)) => boards::run(context, args),
        Some(Verb::Checkpoint(args)) => checkpoint::run(context, args),
        Some(Verb::JournalMode(args)) => journal_mode::run(context, args),
        Some(Verb::Complete(args)) => complete::run(context, args),
        Some(Verb::Create(args)) => create::run(context, args),
        Some(Verb::Init(args)) => init::run(context, args),
        Some(Verb::List(args)) => list::run(context, args),
        Some(Verb::Show(args)) => show::run(context, args),
        Some(Verb::Stats(args)) => stats::run(context, args),
        Some(Verb::Stress(args)) => stress::run(context, args),
        Some(Verb::Completions(args)) => completions::run(context, args),
        Some(Verb::Health(args)) => health::run(context, args),
        Some(Verb::Help(args)) => help::run(context, args),
        Some(Verb::Man(args)) => man::run(context, args),
        Some(Verb::Recover(args)) => recover::run(context, args),
        Some(Verb::Repair(args)) => repair::run(context, args),
        Some(Verb::Report(args)) => report::run(context, args),
        Some(Verb::Restore(args)) => restore::run(context, args),
        Some(Verb::Version(args)) => version::run(context, args),
        Some(Verb::Assignees(args)) => assignees::run(context, args),
        Some(Verb::Attachments(args)) => attachments::run(context, args),
        Some(Verb::Context(args)) => worker_context::run(context, args),
        Some(Verb::Diagnostics(args)) => diagnostics::run(context, args),
        Some(Verb::Events(args)) => events::run(context, args),
        Some(Verb::Log(args)) => log::run(context, args),
        Some(Verb::Ready(args)) => ready::run(context, args),
        Some(Verb::Runs(args)) => runs::run(context, args),
        Some(Verb::Search(args)) => search::run(context, args),
        Some(Verb::Tree(args)) => tree::run(context, args),
        Some(Verb::Attach(args)) => attach::run(context, args),
        Some(Verb::AttachRm(args)) => attach_rm::run(context, args),
        Some(Verb::Comment(args)) => comment::run(context, args),
        Some(Verb::Edit(args)) => edit::run(context, args),
        Some(Verb::Gc(args)) => gc::run(context, args),
        Some(Verb::Link(args)) => link::run(context, args),
        Some(Verb::Subscriptions(args)) => subscriptions::run(context, args),
        Some(Verb::Unlink(args)) => unlink::run(context, args),
        Some(Verb::NotifyList(args)) => subscriptions::list(context, args),
        Some(Verb::NotifySubscribe(args)) => subscriptions::add(context, args),
        Some(Verb::NotifyUnsubscribe(args)) => subscriptions::remove(context, args),
        Some(Verb::Export(args)) => export::run(context, args),
        Some(Verb::Import(args)) => import::run(context, args),
        Some(Verb::Watch(args)) => watch::run(context, args),
        None => overview::run(context),
    }
}

/// Refuses global options that mean nothing to the verb.
fn require_fitting_options(context: &Context<'_>, verb: Option<&Verb>) -> Outcome<()> {
    let monitors = matches!(verb, Some(Verb::Health(_)));
    if context.ui.settings().format.is_monitoring() && !monitors {
        return Err(Failure::usage("--format nagios and prom belong to `kanbanctl health`."));
    }
    let spans = matches!(
        verb,
        Some(
            Verb::Health(_)
                | Verb::Backup(_)
                | Verb::Backups(_)
                | Verb::Checkpoint(_)
                | Verb::List(_)
                | Verb::Stats(_)
        )
    );
    if context.globals.all_boards && !spans {
        return Err(Failure::usage(
            "--all-boards belongs to health, list, stats, checkpoint, backup and backups list.",
        ));
    }
    context.ui.check_output()
}
