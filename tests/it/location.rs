//! Which file a verb works on: Hermes' chain, and a refusal wherever Hermes would guess.

use std::path::{Path, PathBuf};

use crate::support::Sandbox;
use crate::support::sandbox::Output;

/// A root with the boards `default`, `b2` and `b3`, each a file with one byte.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.board(), "x").unwrap();
    for slug in ["b2", "b3"] {
        let path = board(&sandbox, slug);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "x").unwrap();
    }
    sandbox
}

fn board(sandbox: &Sandbox, slug: &str) -> PathBuf {
    sandbox.root().join("kanban/boards").join(slug).join("kanban.db")
}

/// `boards show` with variables set and `args` added.
fn show(sandbox: &Sandbox, vars: &[(&str, &Path)], args: &[&str]) -> Output {
    let mut command = sandbox.command(&["boards", "show", "--json"]);
    command.args(args).envs(vars.iter().copied());
    sandbox.finish(command, b"")
}

#[track_caller]
fn chosen(output: Output, path: &Path, origin: &str) {
    let data = output.success().data();
    assert_eq!(data["path"], path.to_str().unwrap());
    assert_eq!(data["origin"], origin);
}

fn set_current(sandbox: &Sandbox, content: &[u8]) {
    std::fs::write(sandbox.root().join("kanban/current"), content).unwrap();
}

#[test]
fn the_chain_is_the_one_of_hermes() {
    let sandbox = sandbox();
    let (b2, b3) = (board(&sandbox, "b2"), board(&sandbox, "b3"));
    chosen(show(&sandbox, &[], &[]), &sandbox.board(), "default");
    set_current(&sandbox, b"\xef\xbb\xbf B2 \n");
    chosen(show(&sandbox, &[], &[]), &b2, "kanban/current");
    let variable = [("HERMES_KANBAN_BOARD", Path::new("b3"))];
    chosen(show(&sandbox, &variable, &[]), &b3, "HERMES_KANBAN_BOARD");
    chosen(show(&sandbox, &variable, &["--board", "b2"]), &b2, "--board");
    let pinned = [("HERMES_KANBAN_DB", b3.as_path()), ("HERMES_KANBAN_BOARD", Path::new("b2"))];
    chosen(show(&sandbox, &pinned, &[]), &b3, "HERMES_KANBAN_DB");
    chosen(show(&sandbox, &pinned, &["--db", b2.to_str().unwrap()]), &b2, "--db");
    chosen(show(&sandbox, &pinned, &["--board", "b3"]), &b3, "--board");
}

#[test]
fn what_hermes_guesses_is_refused() {
    let sandbox = sandbox();
    let b3 = board(&sandbox, "b3");
    let pinned = [("HERMES_KANBAN_DB", b3.as_path())];
    show(&sandbox, &pinned, &["--board", "b2"]).exits(12).says("HERMES_KANBAN_DB");
    show(&sandbox, &[], &["--board", "b2", "--db", b3.to_str().unwrap()]).exits(12).says("--db");
    show(&sandbox, &[], &["--board", "gone"]).exits(12).says("'gone'");
    show(&sandbox, &[], &["--board", "_archived"]).exits(2).says("invalid board slug");
    show(&sandbox, &[("HERMES_KANBAN_BOARD", Path::new("gone"))], &[]).exits(12).says("HERMES_KANBAN_BOARD");
    for content in [&b"gone\n"[..], b"not a slug\n", b"\xff\xfe"] {
        set_current(&sandbox, content);
        show(&sandbox, &[], &[]).exits(12).says("kanban/current");
    }
    set_current(&sandbox, b" \n");
    chosen(show(&sandbox, &[], &[]), &sandbox.board(), "default");
}

#[test]
fn the_root_follows_hermes_home() {
    let sandbox = Sandbox::new();
    let home = sandbox.path().join("home");
    let elsewhere = sandbox.path().join("data");
    let deep = home.join(".hermes/profiles/coder");
    std::fs::create_dir_all(&deep).unwrap();
    let root_of = |hermes_home: &Path| {
        let mut command = sandbox.command(&["boards", "show", "--json"]);
        command.env_remove("HERMES_KANBAN_HOME").env("HERMES_HOME", hermes_home);
        let data = sandbox.finish(command, b"").success().data();
        PathBuf::from(data["path"].as_str().unwrap()).parent().unwrap().to_path_buf()
    };
    assert_eq!(root_of(Path::new("")), home.join(".hermes"));
    assert_eq!(root_of(&deep), home.join(".hermes"));
    assert_eq!(root_of(&elsewhere), elsewhere);
    assert_eq!(root_of(&elsewhere.join("profiles/coder")), elsewhere);
}

#[test]
fn a_tilde_is_the_home_directory() {
    let sandbox = sandbox();
    chosen(show(&sandbox, &[], &["--db", "~/.hermes/kanban.db"]), &sandbox.board(), "--db");
}

#[test]
fn the_list_has_the_default_board_first_and_no_archived_ones() {
    let sandbox = sandbox();
    std::fs::create_dir_all(sandbox.root().join("kanban/boards/_archived/b9-1")).unwrap();
    let hidden = sandbox.root().join("kanban/boards/hidden");
    std::fs::create_dir_all(&hidden).unwrap();
    std::fs::write(hidden.join("board.json"), r#"{"archived": true, "name": "Old"}"#).unwrap();
    let slugs = |args: &[&str]| -> Vec<String> {
        let data = sandbox.run(args).success().data();
        data.as_array().unwrap().iter().map(|entry| entry["slug"].as_str().unwrap().to_owned()).collect()
    };
    let before = sandbox.photograph();
    assert_eq!(slugs(&["boards", "list", "--json"]), ["default", "b2", "b3"]);
    assert_eq!(slugs(&["boards", "list", "--json", "--all"]), ["default", "b2", "b3", "hidden"]);
    assert_eq!(sandbox.photograph(), before);
}
