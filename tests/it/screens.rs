//! What a person sees of `board`, `list` and `show`: at four widths, in colour, without, and in ASCII.

use std::fmt::Write;

use crate::support::Sandbox;
use crate::support::pty::Terminal;
use crate::support::rows::change;
use crate::support::sandbox::NOW;

const COLUMNS: [u16; 4] = [60, 80, 120, 200];

/// A board as a team has it: long titles, several scripts, joined emoji, every status.
fn scene() -> Sandbox {
    let sandbox = Sandbox::with_board();
    let at = |ago: i64| NOW - ago;
    change(
        &sandbox,
        &format!(
            "INSERT INTO tasks (id, title, body, status, assignee, priority, tenant, created_by, created_at, started_at,
               completed_at, result) VALUES
             ('t_00000001', 'Find out why the queue of the gateway stops when two profiles write at the same moment',
              'It happens once or twice a day, mostly in the morning. The log says nothing.' || char(10) || char(10) ||
              '- look at the locks' || char(10) || '- look at the timers', 'running', 'coder', 5, NULL, 'user', {0}, {1}, NULL, NULL),
             ('t_00000002', 'Release notes 👩‍💻 for the next version', NULL, 'ready', 'writer', 3, NULL, 'user', {2}, NULL, NULL, NULL),
             ('t_00000003', '日本語のタイトルはとても長いので切り取られることがある', NULL, 'todo', 'translator', 0, 'acme', 'user', {2}, NULL, NULL, NULL),
             ('t_00000004', 'Waits for an answer', NULL, 'blocked', 'coder', 0, NULL, 'user', {3}, {3}, NULL, NULL),
             ('t_00000005', 'Done yesterday', NULL, 'done', 'coder', 0, NULL, 'user', {4}, {4}, {3}, 'all of it'),
             ('t_00000006', 'Ideas', NULL, 'triage', NULL, 0, NULL, 'user', {4}, NULL, NULL, NULL),
             ('t_00000007', 'Looks\x1b[2J harmless', NULL, 'ready', 'reviewer-of-everything', -2, NULL, 'user', {4}, NULL, NULL, NULL),
             ('t_00000008', 'For later', NULL, 'scheduled', NULL, 0, NULL, 'user', {5}, NULL, NULL, NULL),
             ('t_00000009', 'A second pair of eyes', NULL, 'review', 'reviewer', 0, NULL, 'user', {5}, NULL, NULL, NULL);
             INSERT INTO task_links VALUES ('t_00000005', 't_00000001'), ('t_00000001', 't_00000003'), ('t_00000001', 't_gone');
             INSERT INTO task_comments (task_id, author, body, created_at) VALUES
               ('t_00000001', 'user', 'The second profile writes through a wrapper, which may be what makes the difference here.', {2});
             INSERT INTO task_runs (task_id, profile, status, outcome, started_at, ended_at, error, metadata) VALUES
               ('t_00000001', 'coder', 'crashed', 'crashed', {1}, {1} + 125, 'exit code 1', '{{\"failures\": 1}}'),
               ('t_00000001', 'coder', 'running', NULL, {2}, NULL, NULL, NULL);
             INSERT INTO task_events (task_id, kind, payload, created_at, run_id) VALUES
               ('t_00000001', 'created', '{{\"assignee\": \"coder\", \"status\": \"ready\", \"parents\": [\"t_00000005\"]}}', {0}, NULL),
               ('t_00000001', 'claimed', '{{\"lock\": \"host:7\"}}', {1}, 1), ('t_00000001', 'commented', '{{\"author\": \"user\", \"len\": 88}}', {2}, NULL);
             INSERT INTO task_attachments (task_id, filename, stored_path, size, created_at) VALUES
               ('t_00000001', 'trace.txt', '/srv/attachments/t_00000001/trace.txt', 4711, {2});",
            at(200_000),
            at(7_000),
            at(600),
            at(90_000),
            at(260_000),
            at(40),
        ),
    );
    sandbox
}

/// The screens at every width, one below the other; escapes can be read.
fn screens(verb: &[&str], mode: &[&str]) -> String {
    let sandbox = scene();
    let mut text = String::new();
    for columns in COLUMNS {
        let args = [verb, mode].concat();
        let (screen, code) = Terminal::start(&sandbox, &args, columns).finish();
        assert_eq!(code, 0, "{screen}");
        let screen = screen.replace("\r\n", "\n");
        if mode != ["--color", "always"] {
            let wide = screen.lines().find(|line| kanbanctl::ui::text::width(line) > usize::from(columns));
            assert_eq!(wide, None, "wider than {columns} columns");
            assert!(!mode.contains(&"--ascii") || !screen.contains(['●', '…', '─', '✓']), "{screen}");
        }
        let screen = screen.replace('\u{1b}', "␛");
        write!(text, "==== {columns} columns\n{screen}").unwrap();
    }
    text
}

#[test]
fn board_at_every_width() {
    insta::assert_snapshot!("board_plain", screens(&["board"], &["--color", "never"]));
    insta::assert_snapshot!("board_colour", screens(&["board"], &["--color", "always"]));
    insta::assert_snapshot!("board_ascii", screens(&["board"], &["--color", "never", "--ascii"]));
}

#[test]
fn list_at_every_width() {
    insta::assert_snapshot!("list_plain", screens(&["list"], &["--color", "never"]));
    insta::assert_snapshot!("list_colour", screens(&["list"], &["--color", "always"]));
    insta::assert_snapshot!("list_ascii", screens(&["list"], &["--color", "never", "--ascii"]));
}

#[test]
fn show_at_every_width() {
    insta::assert_snapshot!("show_plain", screens(&["show", "t_00000001"], &["--color", "never"]));
    insta::assert_snapshot!("show_colour", screens(&["show", "t_00000001"], &["--color", "always"]));
    insta::assert_snapshot!("show_ascii", screens(&["show", "t_00000001"], &["--color", "never", "--ascii"]));
}

#[test]
fn long_list_goes_through_the_pager_and_a_short_one_does_not() {
    let sandbox = Sandbox::with_board();
    let shown = |count: usize| {
        let lines: Vec<String> =
            (0..count).map(|number| format!("{{\"title\": \"task {number}\"}}")).collect();
        sandbox.run_with(&["create", "--from", "-"], lines.join("\n")).success();
        let mut command = sandbox.command(&["list"]);
        command.env_remove("COLUMNS").env("TERM", "xterm-256color").env("PAGER", "sed 's/^/paged /'");
        Terminal::spawn(&command, 80).finish().0
    };
    assert!(!shown(3).contains("paged"));
    let long = shown(60);
    assert!(long.contains("paged ") && long.contains("task 59") && long.contains("63 tasks."), "{long}");
}

#[test]
fn tree_is_drawn_with_and_without_box_characters() {
    insta::assert_snapshot!("tree", screens(&["tree"], &["--color", "never"]));
    insta::assert_snapshot!("tree_ascii", screens(&["tree"], &["--color", "never", "--ascii"]));
}
