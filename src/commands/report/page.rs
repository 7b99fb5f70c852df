//! How an incident is laid out: as a page, for a person on a terminal, and as plain records.

use super::{Incident, SourceEntry};
use crate::commands::page_map;
use crate::failure::count::{counted, size};
use crate::health::{Severity, Verdict};
use crate::process::clock;
use crate::recover::{NamedRow, Report as RecoverReport, TableReport};
use crate::ui::{Document, HtmlMoment, HtmlPage, Label, Records, Report, TextColumn, TextTable};

use super::timeline::{MomentKind, TimelineEntry};

/// Rows, moments and commands of each list that a terminal shows.
const MAX_SHOWN: usize = 20;
/// Events among the moments that a terminal shows.
const EVENTS_SHOWN: usize = 8;
/// Tables that stand in columns of their own; the others are summed up.
const COLUMNS: [(&str, &str); 4] =
    [("tasks", "TASKS"), ("task_events", "EVENTS"), ("task_runs", "RUNS"), ("task_comments", "COMMENTS")];

/// The page.
pub(super) fn render(incident: &Incident) -> String {
    let title = format!("Incident report: board {}", incident.board);
    let mut page = HtmlPage::new(&title, (incident.label(), incident.verdict.word()));
    page.facts(&[
        ("Board", format!("{} (chosen by {})", incident.path, incident.origin)),
        ("Made at", incident.made_at_utc.clone().unwrap_or_default()),
        ("Made by", format!("kanbanctl {} with SQLite {}", incident.kanbanctl, incident.sqlite)),
    ]);
    page.sentence(incident.sentence_label(), &incident.sentence);
    page.section("findings", "What is wrong");
    if incident.findings.is_empty() {
        page.paragraph("The full health check found nothing.");
    } else {
        page.table(&incident.findings_table());
    }
    page.section("next", "What to run next");
    page.commands(incident.next.iter().map(|next| (next.why.as_str(), next.command.as_str())));
    page.section("timeline", "Timeline");
    page.paragraph("Times are UTC. A copy has the time at which its content was last written.");
    page.timeline(&incident.timeline.iter().map(html_moment).collect::<Vec<_>>());
    page.section("sources", "What each source holds");
    page.paragraph(
        "Each content is one source, the best first. Rows are those that can be read whole, page by page, without SQLite.",
    );
    page.table(&incident.sources_table());
    if !incident.unread_sources.is_empty() {
        page.table(&incident.unread_table());
    }
    if let Some(recovery) = &incident.recovery {
        render_recovery(&mut page, incident, recovery);
    }
    if let Some(map) = &incident.map {
        page.section("map", "The board's pages");
        let pages = counted(u64::from(map.pages), "page", "pages");
        page.paragraph(&format!("{pages} of {} bytes, in the order of the file.", map.page_size));
        page.chart(&page_map::chart(map));
    }
    page.section("done", "What was done");
    if incident.evidence.is_empty() {
        page.paragraph(
            "No evidence folder lies beside the board: no recovery, restore or repair has changed it.",
        );
    } else {
        page.paragraph(
            "Each command below has put the board's files aside in a folder before it changed the board.",
        );
        page.table(&incident.evidence_table());
    }
    page.finish(
        "Made by kanbanctl report. The board was only read; nothing on this page comes from the network.",
    )
}

fn render_recovery(page: &mut HtmlPage, incident: &Incident, recovery: &RecoverReport) {
    page.section("recovery", "What a recovery brings back");
    if incident.up_to_date {
        page.paragraph("The board already holds everything that a recovery would bring back.");
    }
    let bars: Vec<_> = recovery
        .tables
        .iter()
        .filter(|(_, table)| table.recovered + table.lost > 0)
        .map(|(name, table)| {
            let flawed = (table.stale + table.suspect).min(table.recovered);
            let shares = vec![
                (Label::Good, table.recovered - flawed),
                (Label::Warning, flawed),
                (Label::Bad, table.lost),
            ];
            (name.clone(), shares)
        })
        .collect();
    page.bars(
        &bars,
        &[
            (Label::Good, "back"),
            (Label::Warning, "back, and may be out of date or altered"),
            (Label::Bad, "lost"),
        ],
    );
    page.table(&incident.tables_table(recovery));
    for note in notes(recovery) {
        page.paragraph(&note);
    }
    page.section("lost", "What is lost or uncertain, by name");
    if recovery.losses.is_empty() {
        page.paragraph(if recovery.is_partial() {
            "Rows are lost, and nothing that is left names them."
        } else {
            "Nothing."
        });
    } else {
        page.table(&losses_table(&recovery.losses));
    }
}

/// True if there is nothing to say of a table.
fn is_empty(table: &TableReport) -> bool {
    let counts = [table.recovered, table.lost, table.stale, table.suspect, table.older_only, table.partial];
    counts.iter().all(|count| *count == 0)
}

/// What else the recovery has to say.
fn notes(recovery: &RecoverReport) -> Vec<String> {
    let mut notes = Vec::new();
    let empty: Vec<&str> =
        recovery.tables.iter().filter(|(_, table)| is_empty(table)).map(|(name, _)| name.as_str()).collect();
    if !empty.is_empty() {
        notes.push(format!("Without rows: {}.", empty.join(", ")));
    }
    for source in recovery.sources.iter().filter(|source| source.is_later && source.beyond > 0) {
        notes.push(format!(
            "{} only in {}, which goes on beyond the board. Name that file to bring them in.",
            counted(source.beyond, "row is", "rows are"),
            source.path.display()
        ));
    }
    for foreign in &recovery.foreign {
        notes.push(format!(
            "{} is another board: {}, not in the result.",
            foreign.path.display(),
            counted(foreign.rows, "row", "rows")
        ));
    }
    for dropped in &recovery.dropped {
        notes.push(format!("Not carried over: {dropped}."));
    }
    for source in &recovery.sources {
        notes.extend(source.read_as.iter().map(|how| format!("{}: {how}.", source.path.display())));
    }
    notes
}

fn losses_table(losses: &[NamedRow]) -> TextTable {
    let mut table = TextTable::new([
        TextColumn::fixed("WHAT"),
        TextColumn::fixed("TABLE"),
        TextColumn::fixed("ROW").right(),
        TextColumn::fixed("TASK"),
        TextColumn::text("TITLE"),
        TextColumn::text("NOTE"),
    ]);
    for row in losses {
        let label = match row.what {
            crate::recover::LossKind::Stale | crate::recover::LossKind::Conflicting => Label::Warning,
            _ => Label::Bad,
        };
        table.row([
            (label, row.what.word().to_owned()),
            (Label::Text, row.table.clone()),
            (Label::Text, row.rowid.map_or(String::new(), |rowid| rowid.to_string())),
            (Label::Id, row.task.clone().unwrap_or_default()),
            (Label::Text, row.title.clone().unwrap_or_default()),
            (Label::Dim, row.contradicts.clone().unwrap_or_default()),
        ]);
    }
    table
}

fn html_moment(moment: &TimelineEntry) -> HtmlMoment {
    HtmlMoment {
        time: moment.at_utc.replace('T', " ").replace('Z', ""),
        time_utc: moment.at_utc.clone(),
        label: moment.kind.label(),
        what: moment.subject.clone(),
        more: moment.text.clone(),
    }
}

impl MomentKind {
    fn label(self) -> Label {
        match self {
            Self::Event => Label::Dim,
            Self::Written => Label::Active,
            Self::Copy => Label::Bad,
            Self::Backup => Label::Good,
            Self::Evidence => Label::Warning,
        }
    }
}

impl Incident {
    fn label(&self) -> Label {
        match self.verdict {
            Verdict::Healthy => Label::Good,
            Verdict::Degraded => Label::Warning,
            Verdict::Damaged | Verdict::Unchecked => Label::Bad,
        }
    }

    fn sentence_label(&self) -> Label {
        match &self.recovery {
            None => Label::Bad,
            Some(_) if self.up_to_date => Label::Good,
            Some(recovery) if recovery.tables.values().any(|table| table.lost > 0) => Label::Bad,
            Some(recovery) if recovery.is_partial() => Label::Warning,
            Some(_) => Label::Good,
        }
    }

    fn findings_table(&self) -> TextTable {
        let mut table = TextTable::new([
            TextColumn::fixed("SEVERITY"),
            TextColumn::fixed("FINDING"),
            TextColumn::text("WHAT"),
        ]);
        for finding in &self.findings {
            let (label, word) = severity(finding.severity);
            let what = if finding.message.starts_with(&finding.subject) {
                finding.message.clone()
            } else {
                format!("{}: {}", finding.subject, finding.message)
            };
            table.row([(label, word.to_owned()), (Label::Id, finding.id.to_owned()), (Label::Text, what)]);
        }
        table
    }

    /// The moments that a terminal shows: the last ones, and of the board's events only the last few.
    fn shown_moments(&self) -> Vec<&TimelineEntry> {
        let mut events = 0;
        let mut shown: Vec<&TimelineEntry> = self
            .timeline
            .iter()
            .rev()
            .filter(|moment| {
                events += usize::from(moment.kind == MomentKind::Event);
                moment.kind != MomentKind::Event || events <= EVENTS_SHOWN
            })
            .take(MAX_SHOWN)
            .collect();
        shown.reverse();
        shown
    }

    fn sources_table(&self) -> TextTable {
        let mut columns = vec![
            TextColumn::fixed("NO").right(),
            TextColumn::fixed("SOURCE"),
            TextColumn::fixed("COPIES").right().priority(3),
        ];
        columns.extend(COLUMNS.map(|(_, name)| TextColumn::fixed(name).right()));
        columns.extend([
            TextColumn::fixed("OTHER ROWS").right().priority(2),
            TextColumn::fixed("DAMAGED PAGES").right(),
            TextColumn::fixed("NEWEST EVENT").priority(1),
            TextColumn::path("FILE"),
        ]);
        let mut table = TextTable::new(columns);
        for source in &self.sources {
            let other: u64 = source
                .rows
                .iter()
                .filter(|(name, _)| COLUMNS.iter().all(|(known, _)| known != name))
                .map(|(_, rows)| rows)
                .sum();
            let mut row = vec![
                (Label::Id, source.number.to_string()),
                (Label::Text, source.kind_word().to_owned()),
                (Label::Text, source.copies.to_string()),
            ];
            let rows = |name: &str| source.rows.get(name).copied().unwrap_or(0).to_string();
            row.extend(COLUMNS.map(|(name, _)| (Label::Text, rows(name))));
            let damage = if source.damaged_pages > 0 { Label::Bad } else { Label::Text };
            row.extend([
                (Label::Text, other.to_string()),
                (damage, source.damaged_pages.to_string()),
                (Label::Dim, source.newest_event_time()),
                (Label::Dim, source.file()),
            ]);
            table.row(row);
        }
        table
    }

    fn unread_table(&self) -> TextTable {
        let mut table = TextTable::new([TextColumn::path("NOT READ"), TextColumn::text("REASON")]);
        for unread in &self.unread_sources {
            table.row([
                (Label::Id, unread.path.display().to_string()),
                (Label::Warning, unread.reason.clone()),
            ]);
        }
        table
    }

    fn tables_table(&self, recovery: &RecoverReport) -> TextTable {
        let mut table = TextTable::new([
            TextColumn::fixed("TABLE"),
            TextColumn::fixed("BACK").right(),
            TextColumn::fixed("LOST").right(),
            TextColumn::fixed("MAYBE OUT OF DATE").right().priority(1),
            TextColumn::fixed("SUSPECT").right().priority(2),
            TextColumn::fixed("ONLY IN OLDER COPIES").right().priority(3),
            TextColumn::text("FROM"),
        ]);
        for (name, counts) in recovery.tables.iter().filter(|(_, counts)| !is_empty(counts)) {
            let flawed = |count, label| if count > 0 { label } else { Label::Text };
            let about = if counts.lost_is_estimate && counts.lost > 0 { "about " } else { "" };
            table.row([
                (Label::Id, name.clone()),
                (Label::Text, counts.recovered.to_string()),
                (flawed(counts.lost, Label::Bad), format!("{about}{}", counts.lost)),
                (flawed(counts.stale, Label::Warning), counts.stale.to_string()),
                (flawed(counts.suspect, Label::Warning), counts.suspect.to_string()),
                (Label::Text, counts.older_only.to_string()),
                (Label::Text, self.origins(counts)),
            ]);
        }
        table
    }

    /// Where the rows of a table are from: `source 1: 120, source 3: 12`.
    fn origins(&self, table: &TableReport) -> String {
        let mut origins: Vec<(usize, &str, u64)> =
            table.from.iter().map(|(path, rows)| (self.number_of(path), path.as_str(), *rows)).collect();
        origins.sort_unstable();
        let parts: Vec<String> = origins
            .into_iter()
            .map(|(number, path, rows)| match number {
                0 => format!("{path}: {rows}"),
                _ => format!("source {number}: {rows}"),
            })
            .collect();
        parts.join(", ")
    }

    /// What the report calls the source with this file; 0 where it is none of them.
    fn number_of(&self, path: &str) -> usize {
        self.sources.iter().find(|source| source.path == path).map_or(0, |source| source.number)
    }

    fn evidence_table(&self) -> TextTable {
        let mut table = TextTable::new([
            TextColumn::fixed("WHEN"),
            TextColumn::fixed("COMMAND"),
            TextColumn::fixed("OUTCOME"),
            TextColumn::text("REASON").priority(1),
            TextColumn::text("MADE OF").priority(2),
            TextColumn::path("FOLDER"),
        ]);
        for entry in &self.evidence {
            let from: Vec<String> =
                entry.installed_from.iter().map(|path| path.display().to_string()).collect();
            let label = if entry.outcome == "carried out" { Label::Text } else { Label::Warning };
            let files = counted(entry.files as u64, "file", "files");
            table.row([
                (Label::Dim, entry.taken_at.clone()),
                (Label::Id, entry.command().to_owned()),
                (label, entry.outcome.to_owned()),
                (Label::Text, entry.reasons.join("; ")),
                (Label::Dim, from.join(", ")),
                (Label::Dim, format!("{} ({files}, {})", entry.folder, size(entry.bytes))),
            ]);
        }
        table
    }
}

impl SourceEntry {
    fn newest_event_time(&self) -> String {
        let at = self.newest_event.as_ref().and_then(|event| clock::rfc3339(event.at));
        at.unwrap_or_default()
    }

    fn file(&self) -> String {
        match &self.unreadable {
            Some(reason) => format!("{} (not read: {reason})", self.path),
            None => self.path.clone(),
        }
    }
}

fn severity(severity: Severity) -> (Label, &'static str) {
    match severity {
        Severity::Info => (Label::Dim, "info"),
        Severity::Warning => (Label::Warning, "warning"),
        Severity::Error => (Label::Bad, "error"),
    }
}

impl Report for Incident {
    fn kind(&self) -> &'static str {
        "report"
    }

    fn human(&self, page: &mut Document<'_>) {
        page.spans(&[(Label::Text, &self.path), (Label::Text, ": "), (self.label(), self.verdict.word())]);
        page.wrapped(self.sentence_label(), 0, &self.sentence);
        page.blank();
        page.heading("TIMELINE");
        let shown = self.shown_moments();
        let hidden = self.timeline.len() - shown.len();
        if hidden > 0 {
            let moments = counted(hidden as u64, "moment is", "moments are");
            page.line(&format!("{moments} left out; --json has them all."));
        }
        for moment in shown {
            let time = page.moment(moment.at);
            page.cut_spans(&[
                (Label::Dim, &time),
                (Label::Text, "  "),
                (moment.kind.label(), &moment.subject),
                (Label::Text, "  "),
                (Label::Text, &moment.text),
            ]);
        }
        page.blank();
        page.table(&self.sources_table());
        for unread in &self.unread_sources {
            page.line(&format!("not read: {}: {}", unread.path.display(), unread.reason));
        }
        if let Some(recovery) = &self.recovery {
            page.blank();
            page.table(&self.tables_table(recovery));
            for row in recovery.losses.iter().take(MAX_SHOWN) {
                page.line(&format!("{}: {}", row.what.word(), row.label()));
            }
            if let Some(more) = recovery.losses.len().checked_sub(MAX_SHOWN).filter(|more| *more > 0) {
                page.line(&format!("and {more} more; --json names them all."));
            }
            for note in notes(recovery) {
                page.paragraph(0, &note);
            }
        }
        if !self.findings.is_empty() {
            page.blank();
            page.table(&self.findings_table());
        }
        if !self.evidence.is_empty() {
            page.blank();
            page.table(&self.evidence_table());
        }
        page.blank();
        page.heading("NEXT");
        for next in &self.next {
            page.line(&format!("  {}", next.command));
        }
    }

    fn plain(&self, records: &mut Records<'_>) {
        records.record(&["verdict", self.verdict.word(), &self.board, &self.path]);
        records.record(&["sentence", &self.sentence]);
        for moment in &self.timeline {
            records.record(&[
                "moment",
                &moment.at.to_string(),
                moment.kind.word(),
                &moment.subject,
                &moment.text,
            ]);
        }
        for source in &self.sources {
            let number = source.number.to_string();
            records.record(&[
                "source",
                &number,
                source.kind_word(),
                &source.copies.to_string(),
                &source.total_rows().to_string(),
                &source.damaged_pages.to_string(),
                &source.path,
            ]);
            for (table, rows) in &source.rows {
                records.record(&["holds", &number, table, &rows.to_string()]);
            }
        }
        for unread in &self.unread_sources {
            records.record(&["unread", &unread.path.display().to_string(), &unread.reason]);
        }
        for (name, table) in self.recovery.iter().flat_map(|recovery| &recovery.tables) {
            records.record(&[
                "table",
                name,
                &table.recovered.to_string(),
                &table.lost.to_string(),
                &table.stale.to_string(),
            ]);
            for (path, rows) in &table.from {
                records.record(&["from", name, &self.number_of(path).to_string(), &rows.to_string()]);
            }
        }
        for row in self.recovery.iter().flat_map(|recovery| &recovery.losses) {
            records.record(&[
                row.what.word(),
                &row.table,
                &row.rowid.map_or(String::new(), |rowid| rowid.to_string()),
                row.task.as_deref().unwrap_or_default(),
                row.title.as_deref().unwrap_or_default(),
            ]);
        }
        for finding in &self.findings {
            records.record(&[severity(finding.severity).1, finding.id, &finding.subject, &finding.message]);
        }
        for entry in &self.evidence {
            records.record(&["evidence", &entry.folder, entry.command(), &entry.taken_at]);
        }
        for next in &self.next {
            records.record(&["next", &next.command, &next.why]);
        }
    }
}
