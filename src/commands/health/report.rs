//! What was found, as text, records, figures and JSON.

use serde::Serialize;

use crate::commands::page_map;
use crate::copies::page_map::Map;
use crate::failure::exit::Exit;
use crate::health::{Depth, Finding, Severity, Verdict};
use crate::ui::prom::{Metric, MetricValues};
use crate::ui::{Document, Label, Records, Report};

/// What was found on one board.
#[derive(Debug, Serialize)]
pub(super) struct Checked {
    pub(super) verdict: Verdict,
    pub(super) findings: Vec<Finding>,
    pub(super) board: String,
    pub(super) path: String,
    pub(super) origin: String,
    pub(super) depth: Depth,
    pub(super) filesystem: String,
    pub(super) journal_mode: Option<String>,
    pub(super) counts: serde_json::Map<String, serde_json::Value>,
    pub(super) wal_frames_pending: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) map: Option<Map>,
    #[serde(skip)]
    pub(super) exit: Exit,
    #[serde(skip)]
    pub(super) measured: Measured,
}

/// What is measured for monitoring only.
#[derive(Clone, Debug, Default)]
pub(super) struct Measured {
    pub(super) board_bytes: Option<u64>,
    pub(super) wal_bytes: Option<u64>,
    pub(super) free_bytes: Option<u64>,
    /// Copies that Hermes put aside.
    pub(super) copies: Option<u64>,
    /// When the newest backup beside the board was made, Unix seconds.
    pub(super) newest_backup: Option<i64>,
    /// `user_version` of the header.
    pub(super) user_version: Option<i64>,
    /// The SQLite that last wrote the header, as `3054001`.
    pub(super) writer: Option<i64>,
    /// Tasks by stored status.
    pub(super) tasks: Vec<(String, i64)>,
}

impl Measured {
    fn metrics(&self) -> Vec<Metric> {
        let size = |bytes: Option<u64>| bytes.map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX));
        let single = [
            (
                "newest_backup_timestamp_seconds",
                "When the newest backup beside the board was made.",
                self.newest_backup,
            ),
            ("board_bytes", "Bytes of the board's file.", size(self.board_bytes)),
            ("wal_bytes", "Bytes of the board's log.", size(self.wal_bytes)),
            ("free_bytes", "Bytes that are free on the board's filesystem.", size(self.free_bytes)),
            ("copies", "Copies that Hermes put aside beside the board.", size(self.copies)),
            ("user_version", "The version of the schema in the board's header.", self.user_version),
            (
                "writer_sqlite_version",
                "The SQLite that last wrote the board's header, as 3054001.",
                self.writer,
            ),
        ];
        let single = single
            .into_iter()
            .filter_map(|(name, help, value)| Some(Metric { name, help, label: None, value: value? }));
        let tasks = self.tasks.iter().map(|(status, count)| Metric {
            name: "tasks",
            help: "Tasks by stored status.",
            label: Some(("status", status.clone())),
            value: *count,
        });
        single.chain(tasks).collect()
    }
}

/// Several boards' findings.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct AllHealth(pub(super) Vec<Checked>);

/// The same for monitoring.
pub(super) fn figures(checked: &Checked) -> MetricValues {
    let count = |severity| {
        let found = checked.findings.iter().filter(|finding| finding.severity == severity).count();
        u64::try_from(found).unwrap_or(u64::MAX)
    };
    let mut metrics: Vec<Metric> = checked
        .counts
        .iter()
        .map(|(table, count)| Metric {
            name: "rows",
            help: "Rows of a table.",
            label: Some(("table", table.clone())),
            value: count.as_i64().unwrap_or_default(),
        })
        .collect();
    metrics.push(Metric {
        name: "wal_frames_pending",
        help: "Frames that only the WAL holds.",
        label: None,
        value: i64::try_from(checked.wal_frames_pending).unwrap_or(i64::MAX),
    });
    metrics.extend(checked.measured.metrics());
    let mut ids: Vec<&str> = checked.findings.iter().map(|finding| finding.id).collect();
    ids.sort_unstable();
    for same in ids.chunk_by(|one, other| one == other) {
        metrics.push(Metric {
            name: "findings_by_id",
            help: "Findings of health by id.",
            label: same.first().map(|id| ("id", (*id).to_owned())),
            value: i64::try_from(same.len()).unwrap_or(i64::MAX),
        });
    }
    MetricValues {
        board: checked.board.clone(),
        verdict: checked.verdict.word().to_owned(),
        is_present: true,
        findings: [count(Severity::Info), count(Severity::Warning), count(Severity::Error)],
        metrics,
    }
}

impl Checked {
    /// True if nothing asks for attention and no map was asked for.
    pub(super) fn has_nothing_to_say(&self) -> bool {
        self.verdict == Verdict::Healthy && self.findings.is_empty() && self.map.is_none()
    }

    fn draw(&self, page: &mut Document<'_>) {
        let label = match self.verdict {
            Verdict::Healthy => Label::Good,
            Verdict::Degraded => Label::Warning,
            Verdict::Damaged | Verdict::Unchecked => Label::Bad,
        };
        page.spans(&[(Label::Text, &self.path), (Label::Text, ": "), (label, self.verdict.word())]);
        for finding in &self.findings {
            let (label, word) = match finding.severity {
                Severity::Info => (Label::Dim, "info"),
                Severity::Warning => (Label::Warning, "warning"),
                Severity::Error => (Label::Bad, "error"),
            };
            page.spans(&[(label, word), (Label::Text, " "), (Label::Id, finding.id)]);
            // Not the path twice in a row.
            if finding.message.starts_with(&finding.subject) {
                page.paragraph(2, &finding.message);
            } else {
                page.paragraph(2, &format!("{}: {}", finding.subject, finding.message));
            }
            if !finding.next.is_empty() {
                // Folded, it could not be pasted.
                page.line(&format!("  next: {}", finding.next));
            }
        }
        if let Some(map) = &self.map {
            page.blank();
            page_map::draw(map, page);
        }
    }

    fn list(&self, records: &mut Records<'_>) {
        records.record(&["verdict", self.verdict.word(), &self.board, &self.path]);
        for finding in &self.findings {
            let severity = match finding.severity {
                Severity::Info => "info",
                Severity::Warning => "warning",
                Severity::Error => "error",
            };
            records.record(&[severity, finding.id, &finding.subject, &finding.message, &finding.next]);
        }
        if let Some(map) = &self.map {
            page_map::list(map, records);
        }
    }
}

impl Report for Checked {
    fn kind(&self) -> &'static str {
        "health"
    }

    fn human(&self, page: &mut Document<'_>) {
        self.draw(page);
    }

    fn plain(&self, records: &mut Records<'_>) {
        self.list(records);
    }
}

impl Report for AllHealth {
    fn kind(&self) -> &'static str {
        "health.list"
    }

    fn record_kind(&self) -> &'static str {
        "health"
    }

    fn human(&self, page: &mut Document<'_>) {
        for board in &self.0 {
            board.draw(page);
        }
    }

    fn plain(&self, records: &mut Records<'_>) {
        for board in &self.0 {
            board.list(records);
        }
    }
}
