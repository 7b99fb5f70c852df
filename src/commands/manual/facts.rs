//! What a manual page says beyond options: examples, environment, files, exit status.
//!
//! Not here: options and descriptions, which stand at each verb's `Args`.

use std::fmt::Write;

/// A command line without the program's name, and the sentence that says what it is for.
type Example = (&'static str, &'static str);

/// The examples of each page, by the page's name. A page without a line here fails a test; a line without a page does not.
#[rustfmt::skip]
const EXAMPLES: &[(&str, &[Example])] = &[
    ("kanbanctl", &[
        ("", "Say which board is used, what is wrong with it and what to type next."),
        ("health && kanbanctl backup", "Copy a board that is healthy."),
        ("--all-boards health", "Check every board, the worst verdict as exit status."),
        ("help recovery", "Read the runbook for incidents."),
    ]),
    ("kanbanctl-backup", &[
        ("backup", "Copy the board into the folder beside it."),
        ("--all-boards backup --keep 14", "Copy every board and keep 14 copies of each."),
    ]),
    ("kanbanctl-backups", &[("backups list", "List the copies beside the board.")]),
    ("kanbanctl-backups-list", &[
        ("backups list", "List the copies beside the board."),
        ("backups list --json", "The same for a script."),
    ]),
    ("kanbanctl-backups-show", &[("backups show COPY", "Say what one copy holds.")]),
    ("kanbanctl-backups-diff", &[
        ("backups diff COPY", "Compare a copy with the board, table by table."),
    ]),
    ("kanbanctl-backups-prune", &[
        ("backups prune --dry-run", "Say which copies would be removed, and why the others stay."),
        ("backups prune --keep 10 --older-than 30d", "Remove old copies; every row stays in some file."),
    ]),
    ("kanbanctl-boards", &[("boards list", "List the boards.")]),
    ("kanbanctl-boards-list", &[("boards list", "List the boards with their tasks.")]),
    ("kanbanctl-boards-show", &[
        ("boards show", "Show the board's file and the rule that chose it."),
        ("--board work boards show", "The same for a board by name."),
    ]),
    ("kanbanctl-checkpoint", &[
        ("checkpoint", "Move finished frames from the log into the file; disturbs no other process."),
        ("--all-boards --if-busy skip checkpoint", "The same for every board, from cron."),
    ]),
    ("kanbanctl-complete", &[
        ("complete t_1a2b3c4d --result done", "Complete one task."),
        ("complete t_1a2b3c4d t_5e6f7a8b", "Complete two tasks, or neither."),
    ]),
    ("kanbanctl-completions", &[
        ("completions bash > ~/.local/share/bash-completion/completions/kanbanctl", "Install for bash."),
        ("completions zsh > ~/.zfunc/_kanbanctl", "Install for zsh, where ~/.zfunc is in $fpath."),
        ("completions fish > ~/.config/fish/completions/kanbanctl.fish", "Install for fish."),
    ]),
    ("kanbanctl-subscriptions", &[("subscriptions list", "List which chats get news of which task.")]),
    ("kanbanctl-subscriptions-list", &[("subscriptions list", "List which chats get news of which task.")]),
    ("kanbanctl-subscriptions-add", &[
        ("subscriptions add t_1a2b3c4d --platform telegram --chat-id 42", "Tell a chat about one task."),
    ]),
    ("kanbanctl-subscriptions-remove", &[
        ("subscriptions remove t_1a2b3c4d --platform telegram --chat-id 42", "Stop telling a chat about one task."),
    ]),
    ("kanbanctl-create", &[
        ("create \"Write it up\" --assignee coder --priority 2", "Create a task and print its id."),
        ("create --from tasks.jsonl", "Create one task for each line, in one transaction."),
    ]),
    ("kanbanctl-health", &[
        ("health", "Check the board; a healthy board is exit 0."),
        ("health --depth full", "Check every page and every row."),
        ("health --explain wal-torn", "Read what a finding means and what to type."),
        ("--all-boards health --format prom -o kanban.prom", "Write metrics for Prometheus."),
    ]),
    ("kanbanctl-help", &[
        ("help recovery", "Read the runbook."),
        ("help backup", "Read the page of a verb."),
    ]),
    ("kanbanctl-init", &[("init", "Create the default board if it is missing.")]),
    ("kanbanctl-journal-mode", &[
        ("journal-mode", "Show the mode and what the filesystem allows."),
        ("journal-mode delete", "Leave WAL mode, when no other process has the board open."),
    ]),
    ("kanbanctl-list", &[
        ("list --status ready", "List what can be started."),
        ("list --json", "The same for a script."),
    ]),
    ("kanbanctl-man", &[
        ("man ~/.local/share/man", "Install the manual for one user."),
    ]),
    ("kanbanctl-recover", &[
        ("recover --dry-run", "Say what each source holds and what would come back."),
        ("recover --output rescued.db", "Build a new, verified file; disturbs no other process."),
        ("recover", "Install the result into the board, with Hermes stopped."),
        ("recover REPLICA --output rescued.db", "Bring a board back from a Litestream replica alone."),
        ("recover --undo", "Put back what was there before."),
    ]),
    ("kanbanctl-repair", &[("repair", "Rebuild inconsistent indexes.")]),
    ("kanbanctl-report", &[
        ("report --output incident.html", "Write everything that is known of an incident into one page."),
        ("report --json", "The same for a script."),
    ]),
    ("kanbanctl-restore", &[
        ("restore COPY --dry-run", "Check a copy and say what would change: the drill."),
        ("restore COPY", "Put one copy in the board's place, exactly."),
        ("restore REPLICA --at 2h", "Put the state of two hours ago in its place, from a Litestream replica."),
    ]),
    ("kanbanctl-show", &[("show 1a2b", "Show a task by the beginning of its id.")]),
    ("kanbanctl-stats", &[("stats", "Count tasks by status and assignee.")]),
    ("kanbanctl-stress", &[
        ("stress --dir DIR --processes 4 --seconds 10", "Test whether a directory is safe for boards."),
    ]),
    ("kanbanctl-assignees", &[("assignees", "List who has how many tasks.")]),
    ("kanbanctl-attachments", &[("attachments", "List every attachment of the board.")]),
    ("kanbanctl-context", &[("context 1a2b", "Show what a worker has to know about a task.")]),
    ("kanbanctl-diagnostics", &[("diagnostics", "List the tasks that are stuck, and why.")]),
    ("kanbanctl-events", &[("events 1a2b", "List what happened to a task.")]),
    ("kanbanctl-log", &[("log 1a2b", "Show what the worker of a task wrote.")]),
    ("kanbanctl-ready", &[("ready", "List what the dispatcher takes next.")]),
    ("kanbanctl-runs", &[("runs 1a2b", "List the attempts at a task.")]),
    ("kanbanctl-search", &[("search billing", "Find a word in every text of the board.")]),
    ("kanbanctl-tree", &[("tree", "Show what waits for what.")]),
    ("kanbanctl-edit", &[("edit 1a2b --title \"Write it up\"", "Change a task's title.")]),
    ("kanbanctl-comment", &[("comment 1a2b \"Looks right.\"", "Write a comment.")]),
    ("kanbanctl-assign", &[("assign 1a2b coder", "Give a task to a profile.")]),
    ("kanbanctl-reassign", &[("reassign 1a2b coder", "Give a running task to another profile.")]),
    ("kanbanctl-claim", &[("claim 1a2b", "Take a ready task.")]),
    ("kanbanctl-heartbeat", &[("heartbeat 1a2b", "Keep the claim of a running task.")]),
    ("kanbanctl-reclaim", &[("reclaim 1a2b", "Give back a task whose worker died.")]),
    ("kanbanctl-block", &[("block 1a2b \"Needs a key\"", "Block a task and say why.")]),
    ("kanbanctl-unblock", &[("unblock 1a2b", "Let a blocked task go on.")]),
    ("kanbanctl-schedule", &[("schedule 1a2b", "Put a task off.")]),
    ("kanbanctl-promote", &[("promote 1a2b", "Make a task ready.")]),
    ("kanbanctl-archive", &[("archive 1a2b", "Put a task away.")]),
    ("kanbanctl-delete", &[("delete 1a2b", "Remove a task with its rows.")]),
    ("kanbanctl-link", &[("link 1a2b 5e6f", "Let the second task wait for the first.")]),
    ("kanbanctl-unlink", &[("unlink 1a2b 5e6f", "Take the link away.")]),
    ("kanbanctl-attach", &[("attach 1a2b notes.txt", "Attach a file to a task.")]),
    ("kanbanctl-attach-rm", &[("attach-rm 3", "Remove an attachment.")]),
    ("kanbanctl-gc", &[("gc --dry-run", "Say what would be removed.")]),
    ("kanbanctl-watch", &[("watch", "Follow events as they come.")]),
    ("kanbanctl-export", &[("export > board.jsonl", "Write the board as JSON lines.")]),
    ("kanbanctl-import", &[("import board.jsonl", "Read such lines into the board.")]),
    ("kanbanctl-boards-create", &[
        ("boards create work --name \"My work\" --switch", "Make a board and use it from now on."),
    ]),
    ("kanbanctl-boards-set-default-workdir", &[
        ("boards set-default-workdir work /srv/work", "Say where tasks without a workspace work."),
    ]),
    ("kanbanctl-boards-unarchive", &[("boards unarchive work-1780000000", "Put an archived board back.")]),
    ("kanbanctl-boards-export", &[("boards export work work.jsonl --attachments", "Write a board to a file.")]),
    ("kanbanctl-boards-import", &[("boards import work.jsonl --as copy", "Make a new board of that file.")]),
    ("kanbanctl-boards-switch", &[("boards switch work", "Choose the current board.")]),
    ("kanbanctl-boards-rename", &[("boards rename work \"Work\"", "Change a board's display name.")]),
    ("kanbanctl-boards-archive", &[("boards archive work", "Put a board away.")]),
    ("kanbanctl-board", &[("board", "Show tasks in columns by status.")]),
    ("kanbanctl-reopen-review", &[("reopen-review 1a2b", "Take a task out of review.")]),
    ("kanbanctl-request-changes", &[("request-changes 1a2b \"Add a test\"", "Give a task back with a reason.")]),
    ("kanbanctl-request-review", &[("request-review 1a2b", "Move a task to review.")]),
    ("kanbanctl-set-model", &[("set-model 1a2b sonnet", "Choose the model of a task.")]),
    ("kanbanctl-specify", &[("specify 1a2b", "Specify a task.")]),
    ("kanbanctl-version", &[("version -v", "Print versions, SQLite's among them.")]),
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
    (
        ".kanban.db\\-litestream/",
        "What Litestream keeps beside a board; \\fBrecover\\fR reads the logs in it.",
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
                let command = escape(format!("kanbanctl {command}").trim_end());
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
