//! What a manual page says beyond options: examples, environment, files, exit status.
//!
//! Not here: options and descriptions, which stand at each verb's `Args`.

use std::fmt::Write;

/// A command line and the sentence that says what it is for.
type Example = (&'static str, &'static str);

/// The examples of each page, by the page's name. A verb without a line here fails a test.
#[rustfmt::skip]
const EXAMPLES: &[(&str, &[Example])] = &[
    ("kanbanctl", &[
        ("kanbanctl", "Say which board is used, what is wrong with it and what to type next."),
        ("kanbanctl health && kanbanctl backup", "Copy a board that is healthy."),
        ("kanbanctl --all-boards health", "Check every board, the worst verdict as exit status."),
        ("kanbanctl help recovery", "Read the runbook for incidents."),
    ]),
    ("kanbanctl-backup", &[
        ("kanbanctl backup", "Copy the board into the folder beside it."),
        ("kanbanctl --all-boards backup --keep 14", "Copy every board and keep 14 copies of each."),
    ]),
    ("kanbanctl-backups", &[("kanbanctl backups list", "List the copies beside the board.")]),
    ("kanbanctl-backups-list", &[
        ("kanbanctl backups list", "List the copies beside the board."),
        ("kanbanctl backups list --json", "The same for a script."),
    ]),
    ("kanbanctl-backups-show", &[("kanbanctl backups show COPY", "Say what one copy holds.")]),
    ("kanbanctl-backups-diff", &[
        ("kanbanctl backups diff COPY", "Compare a copy with the board, table by table."),
    ]),
    ("kanbanctl-backups-prune", &[
        ("kanbanctl backups prune --dry-run", "Say which copies would be removed, and why the others stay."),
        ("kanbanctl backups prune --keep 10 --older-than 30d", "Remove old copies; every row stays in some file."),
    ]),
    ("kanbanctl-boards", &[("kanbanctl boards list", "List the boards.")]),
    ("kanbanctl-boards-list", &[("kanbanctl boards list", "List the boards with their tasks.")]),
    ("kanbanctl-boards-show", &[
        ("kanbanctl boards show", "Show the board's file and the rule that chose it."),
        ("kanbanctl --board work boards show", "The same for a board by name."),
    ]),
    ("kanbanctl-checkpoint", &[
        ("kanbanctl checkpoint", "Move finished frames from the log into the file; disturbs no other process."),
        ("kanbanctl --all-boards --if-busy skip checkpoint", "The same for every board, from cron."),
    ]),
    ("kanbanctl-complete", &[
        ("kanbanctl complete t_1a2b3c4d --result done", "Complete one task."),
        ("kanbanctl complete t_1a2b3c4d t_5e6f7a8b", "Complete two tasks, or neither."),
    ]),
    ("kanbanctl-completions", &[
        ("kanbanctl completions bash > ~/.local/share/bash-completion/completions/kanbanctl", "Install for bash."),
        ("kanbanctl completions zsh > ~/.zfunc/_kanbanctl", "Install for zsh, where ~/.zfunc is in $fpath."),
        ("kanbanctl completions fish > ~/.config/fish/completions/kanbanctl.fish", "Install for fish."),
    ]),
    ("kanbanctl-create", &[
        ("kanbanctl create \"Write it up\" --assignee coder --priority 2", "Create a task and print its id."),
        ("kanbanctl create --from tasks.jsonl", "Create one task for each line, in one transaction."),
    ]),
    ("kanbanctl-health", &[
        ("kanbanctl health", "Check the board; a healthy board is exit 0."),
        ("kanbanctl health --depth full", "Check every page and every row."),
        ("kanbanctl health --explain wal-torn", "Read what a finding means and what to type."),
        ("kanbanctl --all-boards health --format prom -o kanban.prom", "Write metrics for Prometheus."),
    ]),
    ("kanbanctl-help", &[
        ("kanbanctl help recovery", "Read the runbook."),
        ("kanbanctl help backup", "Read the page of a verb."),
    ]),
    ("kanbanctl-init", &[("kanbanctl init", "Create the default board if it is missing.")]),
    ("kanbanctl-journal-mode", &[
        ("kanbanctl journal-mode", "Show the mode and what the filesystem allows."),
        ("kanbanctl journal-mode delete", "Leave WAL mode, when no other process has the board open."),
    ]),
    ("kanbanctl-list", &[
        ("kanbanctl list --status ready", "List what can be started."),
        ("kanbanctl list --json", "The same for a script."),
    ]),
    ("kanbanctl-man", &[
        ("kanbanctl man ~/.local/share/man", "Install the manual for one user."),
    ]),
    ("kanbanctl-recover", &[
        ("kanbanctl recover --dry-run", "Say what each source holds and what would come back."),
        ("kanbanctl recover --output rescued.db", "Build a new, verified file; disturbs no other process."),
        ("kanbanctl recover", "Install the result into the board, with Hermes stopped."),
        ("kanbanctl recover --undo", "Put back what was there before."),
    ]),
    ("kanbanctl-repair", &[("kanbanctl repair", "Rebuild inconsistent indexes.")]),
    ("kanbanctl-restore", &[
        ("kanbanctl restore COPY --dry-run", "Check a copy and say what would change: the drill."),
        ("kanbanctl restore COPY", "Put one copy in the board's place, exactly."),
    ]),
    ("kanbanctl-show", &[("kanbanctl show 1a2b", "Show a task by the beginning of its id.")]),
    ("kanbanctl-stats", &[("kanbanctl stats", "Count tasks by status and assignee.")]),
    ("kanbanctl-stress", &[
        ("kanbanctl stress --dir DIR --processes 4 --seconds 10", "Test whether a directory is safe for boards."),
    ]),
    ("kanbanctl-version", &[("kanbanctl version -v", "Print versions, SQLite's among them.")]),
];

/// Every variable that is read, and what it does.
const ENVIRONMENT: &[(&str, &str)] = &[
    ("HERMES_KANBAN_DB", "The board's file. A different board in \\-\\-board is refused (12)."),
    ("HERMES_KANBAN_BOARD", "The board's name, where neither \\-\\-board nor \\-\\-db is given."),
    ("HERMES_KANBAN_HOME", "The directory that boards lie under, in the place of HERMES_HOME."),
    (
        "HERMES_HOME",
        "Hermes' home [default: ~/.hermes]. For a profile, the directory above profiles/ is used.",
    ),
    ("HERMES_KANBAN_BUSY_TIMEOUT_MS", "The lock budget in milliseconds, where \\-\\-timeout is not given."),
    (
        "HERMES_KANBAN_TASK, HERMES_KANBAN_RUN_ID",
        "Set in Hermes' workers: a worker completes its own run only.",
    ),
    ("HERMES_PROFILE, HERMES_PROFILE_NAME", "The assignee that \\fBlist \\-\\-mine\\fR means."),
    ("HOME", "Where ~ leads."),
    ("TMPDIR", "Where private copies and scratch files go [default: /tmp]."),
    ("TZ", "The time zone in which times are shown on a terminal."),
    (
        "KANBANCTL_PAGER, PAGER",
        "The pager of \\fBkanbanctl help\\fR [default: less]; cat or nothing for none.",
    ),
    (
        "KANBANCTL_COMPLETE",
        "Set by the completion scripts: the shell whose candidates are printed. No board is changed.",
    ),
    ("NO_COLOR, CLICOLOR, CLICOLOR_FORCE, TERM", "Whether there is colour, where \\-\\-color is not given."),
    ("COLUMNS", "The width of tables, where the terminal does not tell it."),
    ("LC_ALL, LC_CTYPE, LANG", "Decoration is ASCII where the locale is not UTF\\-8."),
];

/// Every file that is read or written, below Hermes' home or beside the board.
const FILES: &[(&str, &str)] = &[
    ("~/.hermes/kanban.db", "The default board."),
    ("~/.hermes/kanban/boards/NAME/kanban.db", "A board by name."),
    ("~/.hermes/kanban/current", "The name of the current board."),
    (
        "kanban.db\\-wal, kanban.db\\-shm",
        "The board's log and its index. The log can hold the only copy of the last commits.",
    ),
    ("kanban.db\\-journal", "A rollback journal: an interrupted transaction."),
    ("kanban.db.corrupt.*.bak", "Copies that Hermes made of a board that it took for corrupt."),
    ("kanban.db.backups/", "Copies that \\fBkanbanctl backup\\fR made."),
    (
        "kanban.db.evidence.TIME/",
        "What was there before \\fBrecover\\fR, \\fBrestore\\fR or \\fBrepair\\fR; \\fBrecover \\-\\-undo\\fR puts it back.",
    ),
    ("NEW.db.partial.jsonl", "Rows of which only a part is left, beside the result of a recovery."),
    ("kanban.db.init.lock, kanban.db.dispatch.lock", "Hermes' locks."),
];

/// What every exit status means.
const EXIT_STATUS: &[(&str, &str)] = &[
    ("0", "ok: done, healthy, or already so."),
    ("1", "failed: anything that is not below."),
    ("2", "usage: bad command line."),
    ("3", "degraded: \\fBhealth\\fR found warnings; the board is usable."),
    ("4", "damaged: \\fBhealth\\fR found errors, or a verb met damage."),
    (
        "5",
        "partial: \\fBrecover\\fR or \\fBimport\\fR finished, and some rows did not come back; the report says which.",
    ),
    ("6", "unchecked: \\fBhealth\\fR could not look. This is no clean bill."),
    ("10", "no board: there is no such board or file."),
    ("11", "busy: the lock was not free in time. Nothing changed; try again."),
    ("12", "refused: a guard said no, and the message says which."),
    ("13", "not found: the task or backup is unknown."),
    ("14", "conflict: the task's state does not allow it, or the id is ambiguous. Nothing was written."),
    ("128+N", "ended by signal N."),
];

/// What the page of one verb says beyond its options.
pub(super) struct PageFacts<'a> {
    name: &'a str,
    examples: &'static [Example],
}

impl<'a> PageFacts<'a> {
    /// The facts of a page by its name.
    pub(super) fn of(name: &'a str) -> Self {
        let found = EXAMPLES.iter().find(|(page, _)| *page == name);
        Self { name, examples: found.map_or(&[], |(_, examples)| examples) }
    }

    /// Append the sections in roff.
    pub(super) fn write(&self, roff: &mut String) {
        let is_top = self.name == "kanbanctl";
        if !self.examples.is_empty() {
            roff.push_str(".SH EXAMPLES\n");
            for (command, purpose) in self.examples {
                let command = escape(command);
                let _ = writeln!(roff, ".TP\n\\fB{command}\\fR");
                super::push_folded(roff, &escape(purpose));
            }
        }
        if is_top {
            list(roff, "ENVIRONMENT", ENVIRONMENT);
            list(roff, "FILES", FILES);
            list(roff, "EXIT STATUS", EXIT_STATUS);
            roff.push_str(".PP\nTreat a code that is not here as a failure. With\n.B \\-\\-all\\-boards\nthe worst wins, in the order 130, 4, 5, 6, 12, 11, 10, 1, 3, 0.\n");
            roff.push_str(".SH \"SEE ALSO\"\n.BR kanbanctl\\-recovery (7)\n");
        } else {
            roff.push_str(BELOW_TOP);
        }
    }
}

/// The last sections of a verb's page: what is the same for all stands in kanbanctl(1).
const BELOW_TOP: &str = "\
.SH ENVIRONMENT
.BR HERMES_KANBAN_DB ,
.BR HERMES_KANBAN_BOARD ,
.B HERMES_KANBAN_HOME
and
.B HERMES_HOME
choose the board.
.BR kanbanctl (1)
has every variable.
.SH FILES
.I ~/.hermes/kanban.db
is the default board.
.BR kanbanctl (1)
has every file.
.SH \"EXIT STATUS\"
0 when it is done.
.BR kanbanctl (1)
has every other code.
.SH \"SEE ALSO\"
.BR kanbanctl (1)
for the global options,
.BR kanbanctl\\-recovery (7)
";

fn list(roff: &mut String, heading: &str, entries: &[(&str, &str)]) {
    let _ = writeln!(roff, ".SH \"{heading}\"");
    for (name, meaning) in entries {
        let _ = writeln!(roff, ".TP\n\\fB{name}\\fR");
        super::push_folded(roff, meaning);
    }
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\e").replace('-', "\\-").replace('\'', "\\(aq")
}
