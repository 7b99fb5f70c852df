//! What happened when: the board's last events, its files, its copies, and what was done about it.

use serde::Serialize;

use super::SourceEntry;
use crate::board::Inspection;
use crate::copies::reach::SourceEvent;
use crate::failure::count::{counted, size};
use crate::install::evidence::Evidence;
use crate::process::clock;
use crate::salvage::source::SourceKind;

/// What kind of thing happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum MomentKind {
    /// An event of the board.
    Event,
    /// The board's file or its log was last written.
    Written,
    /// A copy that Hermes put aside was last written.
    Copy,
    /// A backup of ours was made.
    Backup,
    /// A verb put the board's files aside and changed the board.
    Evidence,
}

impl MomentKind {
    /// The word for it, as in JSON.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Written => "written",
            Self::Copy => "copy",
            Self::Backup => "backup",
            Self::Evidence => "evidence",
        }
    }
}

/// One moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct TimelineEntry {
    pub(super) at: i64,
    pub(super) at_utc: String,
    pub(super) kind: MomentKind,
    pub(super) subject: String,
    pub(super) text: String,
}

impl TimelineEntry {
    fn new(at: i64, kind: MomentKind, subject: impl Into<String>, text: impl Into<String>) -> Self {
        let at_utc = clock::rfc3339(at).unwrap_or_else(|| at.to_string());
        Self { at, at_utc, kind, subject: subject.into(), text: text.into() }
    }
}

/// All moments, the earliest first.
pub(super) fn build(
    seen: &Inspection,
    sources: &[SourceEntry],
    folders: &[Evidence],
    events: &[SourceEvent],
) -> Vec<TimelineEntry> {
    let mut moments = Vec::new();
    for event in events {
        let title = event.title.as_deref().map_or(String::new(), |title| format!(" \"{title}\""));
        moments.push(TimelineEntry::new(
            event.at,
            MomentKind::Event,
            format!("Event {}: {}", event.id, event.kind),
            format!("{}{title}", event.task),
        ));
    }
    let seconds = |ns: i128| i64::try_from(ns.div_euclid(1_000_000_000)).ok();
    let wal = seen.sidecars.wal.as_ref().map(|wal| wal.stamp);
    for (stamp, what) in
        [(seen.stamp, "The board's file was last written"), (wal, "The board's log was last written")]
    {
        if let Some((at, stamp)) = stamp.and_then(|stamp| Some((seconds(stamp.mtime_ns)?, stamp))) {
            moments.push(TimelineEntry::new(at, MomentKind::Written, what, size(stamp.len)));
        }
    }
    for source in sources {
        moments.extend(of_source(source));
    }
    for evidence in folders {
        let manifest = &evidence.manifest;
        if let Some(at) = clock::epoch_of(&manifest.taken_at) {
            let done = if evidence.carried_out { manifest.about.operation.past() } else { "not carried out" };
            let folder = evidence.folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let reasons = manifest.about.reasons.join("; ");
            moments.push(TimelineEntry::new(
                at,
                MomentKind::Evidence,
                format!("Board {done}"),
                format!("{folder}: {reasons}"),
            ));
        }
    }
    moments
        .sort_by(|one, other| (one.at, one.kind, &one.subject).cmp(&(other.at, other.kind, &other.subject)));
    moments
}

/// When the copies of one content were written; of several the first and the last.
fn of_source(source: &SourceEntry) -> Vec<TimelineEntry> {
    let (kind, what) = match source.kind {
        SourceKind::Backup => (MomentKind::Copy, "Copy by Hermes"),
        SourceKind::Own => (MomentKind::Backup, "Backup"),
        SourceKind::Namesake => (MomentKind::Copy, "Copy under another name"),
        SourceKind::Live | SourceKind::Named | SourceKind::Held | SourceKind::Replica => return Vec::new(),
    };
    let (Some(oldest), Some(newest)) = (source.oldest, source.newest) else { return Vec::new() };
    let tasks = source.rows.get("tasks").copied().unwrap_or(0);
    let damaged = match source.damaged_pages {
        0 => String::new(),
        pages => format!(", {}", counted(pages, "damaged page", "damaged pages")),
    };
    let text = format!(
        "source {}, {}, {}{damaged}",
        source.number,
        size(source.bytes + source.wal_bytes),
        counted(tasks, "task", "tasks")
    );
    if oldest == newest || source.copies < 2 {
        return vec![TimelineEntry::new(newest, kind, what, text)];
    }
    let copies = source.copies;
    vec![
        TimelineEntry::new(oldest, kind, format!("{what}: the first of {copies} equal ones"), text.clone()),
        TimelineEntry::new(newest, kind, format!("{what}: the last of {copies} equal ones"), text),
    ]
}
