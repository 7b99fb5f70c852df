//! `kanbanctl backups prune`: fewer copies, and no row fewer.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use super::content::CopyContent;
use super::{Gathered, gather_one};
use crate::board::holders::many::{self, Openers};
use crate::board::{Board, filesystem};
use crate::commands::Context;
use crate::commands::progress::Bars;
use crate::commands::retention::RetentionArgs;
use crate::copies::inspect::Inspector;
use crate::copies::prune;
use crate::copies::prune::{Loss, PrunePlan, Rules, Stays};
use crate::copies::remove::{Folder, Removed};
use crate::failure::count::counted;
use crate::failure::count::size;
use crate::failure::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::salvage::source;
use crate::salvage::source::Member;
use crate::ui::{Document, Records, Report};

/// Paths that a page shows; all are in the other formats.
const PATHS: usize = 10;

/// Which copies are to go.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    retention: RetentionArgs,
    /// Remove only what was last written longer ago than this, such as 12h or 30d.
    #[arg(long, value_name = "DUR", value_parser = crate::commands::values::duration)]
    older_than: Option<Duration>,
    /// Copies of Hermes' that are further apart than this belong to different incidents, of which the oldest copy stays
    /// [default: 1h].
    #[arg(long, value_name = "DUR", value_parser = crate::commands::values::duration)]
    incident_gap: Option<Duration>,
    /// Remove copies although they hold row versions that are nowhere else.
    #[arg(long)]
    force_lossy: bool,
}

/// What was done, or would be.
#[derive(Debug, Serialize)]
struct Pruned {
    board: String,
    path: String,
    dry_run: bool,
    /// Copies that went.
    removed: Vec<Gone>,
    /// Bytes that are free again.
    freed_bytes: u64,
    /// Contents that stay.
    kept: Vec<KeptCopy>,
    kept_bytes: u64,
    /// What went for good, by table.
    lost: BTreeMap<String, Loss>,
    /// Copies that changed meanwhile and were left alone.
    changed: Vec<String>,
    /// Processes that could not be asked whether they have a copy open.
    unseen_processes: usize,
    /// How somebody can have a copy open without being found; nothing on a local filesystem.
    out_of_sight: Option<String>,
}

/// A copy that went.
#[derive(Debug, Serialize)]
struct Gone {
    id: String,
    path: String,
    bytes: u64,
    /// Whether a copy of the same content stays.
    equal: bool,
}

/// A content that stays.
#[derive(Debug, Serialize)]
struct KeptCopy {
    id: String,
    kind: &'static str,
    path: String,
    reason: Stays,
    /// Row versions that are nowhere else.
    only_here: u64,
}

/// Runs the verb.
///
/// # Errors
/// Exit 12 when nobody confirms or a copy is held open, 11 when the board changed meanwhile, reading errors.
pub(super) fn run(context: &mut Context<'_>, directory: Option<&Path>, args: &Args) -> Outcome<Exit> {
    let (board, resolved, gathered) = gather_one(context, directory, "prune")?;
    let Gathered { contents, exit } = gathered;
    let nanoseconds = |span: Duration| i128::try_from(span.as_nanos()).unwrap_or(i128::MAX / 2);
    let rules = Rules {
        before_ns: args
            .older_than
            .map(|span| i128::from(context.clock.epoch()) * 1_000_000_000 - nanoseconds(span)),
        incident_gap_ns: args.incident_gap.map(nanoseconds),
        lossy: args.force_lossy,
        ..args.retention.rules()
    };
    let live = source::live(&resolved)?;
    let all: Vec<source::Source> = contents.iter().map(|content| content.source.clone()).collect();
    let mut bars = Bars::new(context.ui, context.signals.clone());
    let viewer = Inspector::new(context.scratch())?;
    let plan = prune::plan(live.as_ref(), &all, &rules, &viewer, &mut bars)?;
    if !rules.lossy {
        prune::require_same_recovery(&plan, live.as_ref(), &all, &viewer, &mut bars)
            .map_err(|failure| failure.at(&resolved))?;
    }
    drop(bars);
    drop(all);
    let mut pruned =
        Pruned::of(&board, &resolved.display().to_string(), context.globals.dry_run, &contents, &plan);
    if plan.removed.is_empty() {
        context.ui.status(match pruned.kept.len() {
            0 => "Nothing to remove: there are no copies.".to_owned(),
            _ => format!("Nothing to remove. To stay: {}.", pruned.stay()),
        });
        context.ui.emit(&pruned)?;
        return Ok(exit);
    }
    pruned.unseen_processes = require_unused(&contents, &plan)?;
    pruned.out_of_sight = filesystem::under(&resolved).and_then(|under| under.out_of_sight());
    announce(context, &pruned);
    if context.globals.dry_run {
        context.ui.emit(&pruned)?;
        return Ok(exit);
    }
    context.ui.confirm(&pruned.question())?;
    plan.recheck(source::live(&resolved)?.as_ref(), &viewer)?;
    require_unused(&contents, &plan)?;
    remove(context, (&resolved, directory), &contents, &plan, &mut pruned)?;
    context.ui.emit(&pruned)?;
    let bytes = size(pruned.freed_bytes);
    context.ui.status(format_args!(
        "{} removed, {bytes} are free again.",
        counted(pruned.removed.len() as u64, "copy was", "copies were")
    ));
    Ok(exit)
}

fn chosen(contents: &[CopyContent], place: (usize, usize)) -> Option<(&CopyContent, &Member)> {
    let content = contents.get(place.0)?;
    Some((content, content.source.copies.get(place.1)?))
}

/// Refuses when one of the copies that are to go is open elsewhere: it may be just being made, or somebody reads it. Gives
/// the number of processes that could not be asked.
fn require_unused(contents: &[CopyContent], plan: &PrunePlan) -> Outcome<usize> {
    let members = plan.removed.iter().filter_map(|place| chosen(contents, *place));
    let stamps = members.flat_map(|(_, member)| [member.main, member.wal, member.shm]).flatten();
    let Openers { found, unseen } = many::openers(stamps.map(|stamp| (stamp.dev, stamp.ino)))?;
    if found.is_empty() {
        return Ok(unseen);
    }
    let who: Vec<String> = found.iter().map(|(pid, command)| format!("process {pid} ({command})")).collect();
    Err(Failure::refused(format!("copies that would be removed are open in {}.", who.join("; ")))
        .hint("Nothing was removed. Wait until they are done with them, then run this again."))
}

/// Says what would go, what would stay and what would be lost: to a person, and to whoever only rehearses.
fn announce(context: &mut Context<'_>, pruned: &Pruned) {
    let bytes = size(pruned.freed_bytes);
    let equal = pruned.removed.iter().filter(|gone| gone.equal).count();
    let whole = pruned.removed.len() - equal;
    let said = [
        format!(
            "To go: {} equal to one that stays, {}; {bytes}.",
            counted(equal as u64, "copy", "copies"),
            counted(whole as u64, "other", "others")
        ),
        format!("To stay: {}.", pruned.stay()),
    ];
    for line in said {
        context.ui.status(line);
    }
    for (table, loss) in &pruned.lost {
        context.ui.warning(format_args!(
            "gone for good from {table}: {}, and with them {} entirely.",
            counted(loss.versions, "row version", "row versions"),
            counted(loss.rows, "row", "rows")
        ));
    }
    if pruned.unseen_processes > 0 {
        context.ui.detail(format_args!(
            "{} could not be asked whether a copy is open there.",
            counted(pruned.unseen_processes as u64, "process of another user", "processes of other users")
        ));
    }
    if let Some(reason) = &pruned.out_of_sight {
        context.ui.detail(format_args!("Whether a copy is open elsewhere cannot be told: {reason}."));
    }
}

/// Removes what the plan names; `pruned` says afterwards what has really gone.
fn remove(
    context: &Context<'_>,
    (resolved, directory): (&Path, Option<&Path>),
    contents: &[CopyContent],
    plan: &PrunePlan,
    pruned: &mut Pruned,
) -> Outcome<()> {
    let progress = context.ui.progress("Removing copies", plan.removed.len() as u64);
    let planned = std::mem::take(&mut pruned.removed);
    pruned.freed_bytes = 0;
    let mut folders: BTreeMap<&'static str, Folder> = BTreeMap::new();
    for (place, gone) in plan.removed.iter().zip(planned) {
        let done = pruned.removed.len();
        let told = |failure: Failure| match done {
            0 => failure,
            1 => failure.hint("One copy is removed, the others are untouched."),
            done => failure.hint(format!("{done} copies are removed, the others are untouched.")),
        };
        if let Some(signal) = context.signals.received() {
            return Err(told(Failure::new(Exit::Interrupted(signal), "interrupted.")));
        }
        let Some((from, member)) = chosen(contents, *place) else { continue };
        let folder = match folders.entry(from.kind) {
            std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::btree_map::Entry::Vacant(free) => {
                let own = directory.filter(|_| from.source.kind == source::SourceKind::Own);
                let folder = match own {
                    Some(directory) => Folder::at(source::SourceKind::Own, directory, resolved),
                    None => Folder::of(from.source.kind, resolved),
                };
                free.insert(folder.map_err(told)?)
            }
        };
        match folder.remove(member).map_err(told)? {
            Removed::Gone => {
                pruned.freed_bytes += gone.bytes;
                pruned.removed.push(gone);
            }
            Removed::Changed => pruned.changed.push(gone.path),
        }
        progress.update(done as u64, plan.removed.len() as u64);
    }
    Ok(())
}

impl Pruned {
    fn of(board: &Board, path: &str, dry_run: bool, contents: &[CopyContent], plan: &PrunePlan) -> Self {
        let removed: Vec<Gone> = plan
            .removed
            .iter()
            .filter_map(|place| {
                let (content, member) = chosen(contents, *place)?;
                Some(Gone {
                    id: content.id.clone(),
                    path: member.path.display().to_string(),
                    bytes: member.disk_bytes(),
                    equal: plan.stays.contains_key(&place.0),
                })
            })
            .collect();
        let kept: Vec<KeptCopy> = plan
            .stays
            .iter()
            .filter_map(|(number, reason)| {
                let content = contents.get(*number)?;
                Some(KeptCopy {
                    id: content.id.clone(),
                    kind: content.kind,
                    path: content.source.path.display().to_string(),
                    reason: *reason,
                    only_here: plan.alone.get(number).copied().unwrap_or(0),
                })
            })
            .collect();
        let freed: u64 = removed.iter().map(|gone| gone.bytes).sum();
        let all = contents.iter().flat_map(|content| &content.source.copies).map(Member::disk_bytes);
        Self {
            board: board.name(),
            path: path.to_owned(),
            dry_run,
            removed,
            freed_bytes: freed,
            kept,
            kept_bytes: all.sum::<u64>().saturating_sub(freed),
            lost: plan.lost.clone(),
            changed: Vec::new(),
            unseen_processes: 0,
            out_of_sight: None,
        }
    }

    fn reasons(&self) -> BTreeMap<Stays, usize> {
        let mut reasons = BTreeMap::new();
        for kept in &self.kept {
            *reasons.entry(kept.reason).or_default() += 1;
        }
        reasons
    }

    /// How many contents stay for which reason.
    fn stay(&self) -> String {
        let each = self.reasons().into_iter().map(|(reason, count)| format!("{count} {}", words(reason)));
        each.collect::<Vec<_>>().join(", ")
    }

    fn question(&self) -> String {
        let bytes = size(self.freed_bytes);
        let versions: u64 = self.lost.values().map(|loss| loss.versions).sum();
        let loss = match versions {
            0 => "Every row in them is on the board or in a copy that stays.".to_owned(),
            versions => {
                format!("{} in them nowhere else.", counted(versions, "row version is", "row versions are"))
            }
        };
        let copies = counted(self.removed.len() as u64, "copy", "copies");
        format!("{loss} Remove {copies} ({bytes}) for good?")
    }
}

/// What a content is that stays.
fn words(reason: Stays) -> &'static str {
    match reason {
        Stays::Newest => "newest of its kind",
        Stays::OldestOfIncident => "oldest of an incident",
        Stays::HoldsRows => "with row versions that are nowhere else",
        Stays::Unknown => "of which it cannot be told what it holds",
        Stays::Linked => "behind a symbolic link",
        Stays::Retained => "newest of a day or week that is kept",
        Stays::NotAsked => "outside the rule",
    }
}

impl Report for Pruned {
    fn kind(&self) -> &'static str {
        "backups.prune"
    }

    fn human(&self, page: &mut Document<'_>) {
        let verb = if self.dry_run { "to remove" } else { "removed" };
        for gone in self.removed.iter().take(PATHS) {
            page.line(&format!("{verb} {}", gone.path));
        }
        if self.removed.len() > PATHS {
            page.line(&format!("and {} more", self.removed.len() - PATHS));
        }
        for kept in self.kept.iter().take(PATHS) {
            let only = match kept.only_here {
                0 => String::new(),
                rows => format!(" ({rows})"),
            };
            page.line(&format!("stays {}: {}{only}", kept.path, words(kept.reason)));
        }
        if self.kept.len() > PATHS {
            page.line(&format!(
                "and {} more stay; --json names each with its reason",
                self.kept.len() - PATHS
            ));
        }
        for path in &self.changed {
            page.line(&format!("changed meanwhile, left alone: {path}"));
        }
        page.line(&format!(
            "{} {verb}, {}; {}, {}.",
            counted(self.removed.len() as u64, "copy", "copies"),
            size(self.freed_bytes),
            counted(self.kept.len() as u64, "content stays", "contents stay"),
            size(self.kept_bytes)
        ));
    }

    fn plain(&self, records: &mut Records<'_>) {
        for gone in &self.removed {
            let why = if gone.equal { "equal" } else { "surplus" };
            records.record(&["removed", &gone.id, &gone.path, &gone.bytes.to_string(), why]);
        }
        for kept in &self.kept {
            records.record(&["kept", &kept.id, &kept.path, &kept.only_here.to_string(), words(kept.reason)]);
        }
        for path in &self.changed {
            records.record(&["changed", path]);
        }
    }
}
