//! What ships beside the binary is what the binary makes: completions and man pages. `KANBANCTL_BLESS=1 cargo test`
//! writes them anew.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::support::Sandbox;

/// Each shell, the name of its script in `completions/`, and how to have it read without any of a user's own files.
const SHELLS: [(&str, &str, &[&str]); 5] = [
    ("bash", "kanbanctl.bash", &["bash", "--norc", "--noprofile", "-c", "source \"$0\""]),
    ("zsh", "_kanbanctl", &["zsh", "-f", "-c", "autoload -U compinit; compinit -D -u; source \"$0\""]),
    ("fish", "kanbanctl.fish", &["fish", "--no-config", "-c", "source $argv[1]"]),
    ("elvish", "kanbanctl.elv", &[]),
    ("powershell", "_kanbanctl.ps1", &[]),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below a folder by its path from there.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            found.extend(files(&path).into_iter().map(|(below, text)| (format!("{name}/{below}"), text)));
        } else {
            found.insert(name, std::fs::read(&path).unwrap());
        }
    }
    found
}

/// Compares a folder's files with what they should be, or makes them so.
fn compare(folder: &Path, wanted: &BTreeMap<String, Vec<u8>>) {
    if std::env::var_os("KANBANCTL_BLESS").is_some() {
        let _ = std::fs::remove_dir_all(folder);
        for (name, text) in wanted {
            let path = folder.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
    }
    let committed = files(folder);
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    let bless = "run `KANBANCTL_BLESS=1 cargo test generated` and commit";
    assert_eq!(names(&committed), names(wanted), "{}: {bless}", folder.display());
    for (name, text) in wanted {
        assert!(committed.get(name) == Some(text), "{}/{name} is stale: {bless}", folder.display());
    }
}

#[test]
fn completions_are_up_to_date() {
    let sandbox = Sandbox::new();
    let mut wanted = BTreeMap::new();
    for (shell, name, _) in SHELLS {
        let script = sandbox.run(&["completions", shell]).success();
        assert_eq!(script.stderr, "", "{shell}");
        wanted.insert(name.to_owned(), script.bytes);
    }
    compare(&root().join("completions"), &wanted);
}

#[test]
fn the_manual_is_up_to_date() {
    let sandbox = Sandbox::new();
    let directory = sandbox.work().join("man");
    sandbox.run(&["man", directory.to_str().unwrap()]).success();
    let wanted = files(&directory);
    for page in ["man7/kanbanctl-recovery.7", "man1/kanbanctl-boards-list.1"] {
        assert!(wanted.contains_key(page), "{page}");
    }
    // A page lies in the folder of its section, where `man -M` looks.
    for page in wanted.keys() {
        let (folder, name) = page.split_once('/').unwrap();
        assert_eq!(folder.strip_prefix("man"), name.rsplit_once('.').map(|(_, section)| section), "{page}");
    }
    compare(&root().join("man"), &wanted);
}

/// The lines of one section of a page.
fn section<'a>(page: &'a str, heading: &str) -> Vec<&'a str> {
    let mut lines = page.lines().skip_while(|line| line.replace('"', "") != format!(".SH {heading}"));
    assert!(lines.next().is_some(), "no {heading}");
    lines.take_while(|line| !line.starts_with(".SH")).collect()
}

#[test]
fn every_page_has_examples_environment_files_and_exit_status() {
    let sandbox = Sandbox::new();
    let directory = sandbox.work().join("man");
    sandbox.run(&["man", directory.to_str().unwrap()]).success();
    for (name, page) in files(&directory.join("man7")) {
        let page = String::from_utf8(page).unwrap();
        for heading in ["EXAMPLES", "ENVIRONMENT", "FILES", "EXIT STATUS", "SEE ALSO"] {
            assert!(!section(&page, heading).is_empty(), "{name}: {heading}");
        }
    }
    for (name, page) in files(&directory.join("man1")) {
        let page = String::from_utf8(page).unwrap();
        for heading in ["ENVIRONMENT", "FILES", "EXIT STATUS", "SEE ALSO"] {
            assert!(!section(&page, heading).is_empty(), "{name}: {heading}");
        }
        let examples = section(&page, "EXAMPLES");
        let lines: Vec<&str> =
            examples.iter().filter_map(|line| line.strip_prefix("\\fB")?.strip_suffix("\\fR")).collect();
        assert!(!lines.is_empty(), "{name}");
        for line in lines.iter().flat_map(|line| line.split(" && ")) {
            let line = line.replace("\\-", "-");
            // A shell splits the line into words, as it does when the line is pasted.
            let mut shell = sandbox.program("bash");
            shell.args([
                "-c",
                &format!(
                    "kanbanctl() {{ printf '%s\\0' kanbanctl \"$@\"; }}; {}",
                    line.split(" > ").next().unwrap()
                ),
            ]);
            let words = sandbox.finish(shell, b"").success().stdout;
            let words: Vec<&str> = words.trim_end_matches('\0').split('\0').collect();
            let parsed = kanbanctl::cli::command().try_get_matches_from(&words);
            assert!(parsed.is_ok(), "{name}: {line}: {}", parsed.unwrap_err());
        }
    }
}

#[test]
fn mandoc_has_nothing_to_say() {
    let sandbox = Sandbox::new();
    let directory = sandbox.work().join("man");
    sandbox.run(&["man", directory.to_str().unwrap()]).success();
    let found =
        std::env::split_paths(&std::env::var_os("PATH").unwrap()).any(|path| path.join("mandoc").exists());
    if !found {
        eprintln!("!!!! SKIPPED: mandoc is not installed");
        return;
    }
    for name in files(&directory).keys() {
        let mut command = sandbox.program("mandoc");
        command.args(["-T", "lint", "-W", "warning"]).arg(directory.join(name));
        let output = sandbox.finish(command, b"");
        assert_eq!((output.stdout.as_str(), output.code()), ("", 0), "{name}");
    }
}

#[test]
fn man_finds_both_sections() {
    let sandbox = Sandbox::new();
    sandbox.run(&["man", "pages"]).success();
    for (page, section) in [("kanbanctl", "1"), ("kanbanctl-boards-list", "1"), ("kanbanctl-recovery", "7")] {
        let mut command = sandbox.program("man");
        command.arg("-M").arg(sandbox.work().join("pages")).args(["-w", page]);
        if std::env::split_paths(&std::env::var_os("PATH").unwrap()).all(|path| !path.join("man").exists()) {
            eprintln!("!!!! SKIPPED: man is not installed");
            return;
        }
        let found = sandbox.finish(command, b"").success();
        assert!(found.line().ends_with(&format!("pages/man{section}/{page}.{section}")), "{found}");
    }
}

#[test]
fn shells_read_the_completions_in_silence() {
    let sandbox = Sandbox::new();
    for (shell, name, reader) in SHELLS {
        let Some((program, arguments)) = reader.split_first() else { continue };
        let found =
            std::env::split_paths(&std::env::var_os("PATH").unwrap()).any(|path| path.join(program).exists());
        if !found {
            eprintln!("!!!! SKIPPED: {program} is not installed");
            continue;
        }
        let mut command = sandbox.program(program);
        command.args(arguments).arg(root().join("completions").join(name));
        let output = sandbox.finish(command, b"").success();
        assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("", ""), "{shell}");
    }
}

#[test]
fn they_work_without_a_board_and_with_a_broken_one() {
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.board(), b"no database").unwrap();
    let before = sandbox.photograph();
    let directory = sandbox.work().join("man");
    let man = ["man", directory.to_str().unwrap()];
    for verb in [&["completions", "bash"][..], &man, &["version", "-v"], &["--help"], &["--version"]] {
        sandbox.run(verb).success();
    }
    assert_eq!(sandbox.photograph(), before);
}

#[test]
fn version_names_its_sqlite() {
    let sandbox = Sandbox::new();
    let version = sandbox.run(&["version", "-v", "--json"]).success().data();
    assert_eq!(version["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(version["sqlite"]["version"], rusqlite::version());
    let plain = sandbox.run(&["version"]).success();
    assert_eq!(plain.line(), concat!("kanbanctl\t", env!("CARGO_PKG_VERSION")));
}
