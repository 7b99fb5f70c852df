//! What is said once something was put in a board's place: how to undo it, when Hermes takes notice, and which tasks say
//! that they are being worked on although nobody can be (tests/incidents.md F29, F34).

use super::Context;
use crate::failure::count::counted;
use crate::install::Installed;
use crate::store::audit::Running;

/// How many task ids are named.
const NAMED: usize = 5;

/// Says it, on stderr.
pub(crate) fn say(context: &mut Context<'_>, installed: &Installed) {
    if let Some(evidence) = &installed.evidence {
        context.ui.status(format_args!("What was there before is in {}.", evidence.folder.display()));
        context.hint("Undo it with `kanbanctl recover --undo`.");
    }
    context.ui.hint("A running gateway retries, within 5 minutes, a board that it had given up on.");
    warn(context, installed);
}

fn warn(context: &mut Context<'_>, installed: &Installed) {
    for remark in &installed.remarks {
        context.ui.warning(remark);
    }
    let now = context.clock.epoch();
    let machine = machine();
    let stale: Vec<&str> = installed
        .running
        .iter()
        .filter(|task| is_abandoned(task, now, &machine))
        .map(|task| task.id.as_str())
        .collect();
    if !stale.is_empty() {
        let more = if stale.len() > NAMED { ", ..." } else { "" };
        let named = stale.get(..NAMED).unwrap_or(&stale).join(", ");
        context.ui.warning(format_args!(
            "{} no living worker: {named}{more}.",
            counted(stale.len() as u64, "running task has", "running tasks have")
        ));
        context.hint("Give each back with `hermes kanban reclaim ID` before the gateway is started.");
    }
}

/// Whether nobody can be at work on it: no claim, one that has run out, or one of this machine's whose worker has ended.
fn is_abandoned(task: &Running, now: i64, machine: &str) -> bool {
    let ended = |pid: u32| !std::path::Path::new(&format!("/proc/{pid}")).exists();
    match (&task.host, task.expires, task.worker) {
        (None, _, _) | (_, None, _) => true,
        (_, Some(expires), _) if expires < now => true,
        (Some(host), _, Some(worker)) => host == machine && ended(worker),
        _ => false,
    }
}

/// This machine's name, as it stands in claims (docs/board-format.md, 2, `claim_lock`).
fn machine() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_owned()
}
