//! Laws about the source tree itself.

use std::path::{Path, PathBuf};

/// Every file below `directory`, what fuzzing and building leave there aside.
fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let made = ["target", "corpus", "artifacts"].iter().any(|name| path.ends_with(name));
        if path.is_dir() && !made {
            found.extend(files(&path));
        } else if path.is_file() {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn every_file_is_listed() {
    let directory = root().join("tests/it");
    let list = std::fs::read_to_string(directory.join("main.rs")).unwrap();
    for entry in std::fs::read_dir(&directory).unwrap() {
        let path = entry.unwrap().path();
        if path.ends_with("snapshots") {
            continue;
        }
        let name = path.file_stem().unwrap().to_str().unwrap();
        let listed = list.lines().any(|line| line.starts_with(&format!("mod {name};")));
        assert!(listed || name == "main", "tests/it/{name} is not in the list of tests/it/main.rs");
    }
}

#[test]
fn every_listed_topic_says_what_belongs_there() {
    let list = std::fs::read_to_string(root().join("tests/it/main.rs")).unwrap();
    for line in list.lines().filter(|line| line.starts_with("mod ")) {
        assert!(line.contains("; // "), "no word on what belongs there: {line}");
    }
}

/// Streams belong to `ui/`, ending the process to `main.rs` (src/lib.rs.
#[test]
fn only_the_ui_prints_and_only_main_exits() {
    let printing = ["println!", "eprintln!", "print!(", "eprint!(", "io::stdout()", "io::stderr()"];
    let exiting = ["process::exit", "process::abort"];
    let source = root().join("src");
    let mut guilty = Vec::new();
    for path in files(&source) {
        let relative = path.strip_prefix(&source).unwrap();
        let main = relative == Path::new("main.rs");
        let ui = relative.starts_with("ui");
        let text = std::fs::read_to_string(&path).unwrap();
        for (number, line) in text.lines().enumerate() {
            // Asking whether a stream is a terminal writes nothing.
            let code = line.split("//").next().unwrap_or_default().replace("io::stdout().is_terminal()", "");
            let code = code.replace("io::stderr().is_terminal()", "");
            let prints = !main && !ui && printing.iter().any(|word| code.contains(word));
            let exits = !main && exiting.iter().any(|word| code.contains(word));
            if prints || exits {
                guilty.push(format!("src/{}:{}: {}", relative.display(), number + 1, line.trim()));
            }
        }
    }
    assert!(guilty.is_empty(), "{}", guilty.join("\n"));
}

/// An error stands behind a heading or a place; only names begin it in upper case.
#[test]
fn errors_begin_in_lower_case() {
    let names = ["SQLite", "WAL", "Hermes"];
    let mut guilty = Vec::new();
    for path in files(&root().join("src")) {
        let text = std::fs::read_to_string(&path).unwrap();
        // What the tests of a file make up is nobody's error.
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for made in code.split("Failure::").skip(1) {
            let Some((before, rest)) = made.split_once('"') else { continue };
            let is_message = before.trim_end().ends_with(['(', ','])
                && !before.contains([';', '{', '|', '`'])
                && !before.contains("hint");
            if is_message
                && rest.starts_with(char::is_uppercase)
                && !names.iter().any(|name| rest.starts_with(name))
            {
                guilty.push(format!("{}: {}", path.display(), rest.split('"').next().unwrap_or_default()));
            }
        }
    }
    guilty.retain(|line| !line.contains("src/ui/tests.rs"));
    assert!(guilty.is_empty(), "{}", guilty.join("\n"));
}

/// Unfinished work and machines' own paths do not stay.
#[test]
fn nothing_unfinished_stays() {
    // In two halves, so that this file is not its own first finding.
    let words =
        [["TO", "DO"], ["FIX", "ME"], ["XX", "X"], ["/root", "/"], ["/work", "/"]].map(|half| half.concat());
    let mut guilty = Vec::new();
    for folder in ["src", "tests", "benches", "fuzz", "man", "completions", ".ci"] {
        let folder = root().join(folder);
        if !folder.exists() {
            continue;
        }
        for path in files(&folder) {
            // A screen shows the status of tasks that wait, in capitals.
            if path.extension().is_some_and(|end| end == "snap") {
                continue;
            }
            let bytes = std::fs::read(&path).unwrap();
            let Ok(text) = String::from_utf8(bytes) else { continue };
            for (number, line) in text.lines().enumerate() {
                if words.iter().any(|word| line.contains(word.as_str())) {
                    guilty.push(format!("{}:{}: {}", path.display(), number + 1, line.trim()));
                }
            }
        }
    }
    assert!(guilty.is_empty(), "{}", guilty.join("\n"));
}

/// Every known incident has its line in `tests/incidents.md`, in order, and every test named there exists.
#[test]
fn every_incident_has_its_answer() {
    let text = std::fs::read_to_string(root().join("tests/incidents.md")).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("| F")).collect();
    let wanted: Vec<String> = (1..=43).map(|number| format!("| F{number:02} |")).collect();
    let found: Vec<&str> = lines.iter().map(|line| &line[..7]).collect();
    assert_eq!(found, wanted);
    let mut missing = Vec::new();
    for line in lines {
        let shown = line.rsplit('|').nth(1).unwrap_or_default();
        let mut named = 0;
        for test in shown.split('`').filter(|word| word.contains("::")) {
            named += 1;
            let (module, name) = test.split_once("::").unwrap();
            let places = [format!("tests/it/{module}.rs"), format!("tests/it/{module}/mod.rs")];
            let source = places
                .iter()
                .filter_map(|place| std::fs::read_to_string(root().join(place)).ok())
                .collect::<String>();
            if !source.contains(&format!("#[test]\nfn {name}()")) {
                missing.push(test.to_owned());
            }
        }
        assert!(named > 0 || shown.trim() == "none", "neither a test nor a reason: {line}");
    }
    assert!(missing.is_empty(), "no such tests: {missing:?}");
}

/// The code of a file: without its unit tests, comments and documentation.
fn code(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    code.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// A reader guesses what a type is from its name, so no name stands for two (`Args` of the verbs aside).
#[test]
fn every_type_name_has_one_meaning() {
    let mut seen: std::collections::BTreeMap<String, Vec<String>> = std::collections::BTreeMap::new();
    for path in files(&root().join("src")) {
        for line in code(&path).lines() {
            let line = line.trim_start();
            let line = line
                .strip_prefix("pub(crate) ")
                .or(line.strip_prefix("pub(super) "))
                .or(line.strip_prefix("pub "))
                .unwrap_or(line);
            let Some(rest) = line.strip_prefix("struct ").or(line.strip_prefix("enum ")) else { continue };
            let name: String = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
            seen.entry(name).or_default().push(path.display().to_string());
        }
    }
    assert!(seen.len() > 100, "the types were not found");
    seen.retain(|name, places| name != "Args" && places.len() > 1);
    assert!(seen.is_empty(), "{seen:#?}");
}

/// The layers of `src/lib.rs`, from the top; a room imports rooms of its own layer and of those below it, never in a circle.
#[test]
fn rooms_import_in_one_direction() {
    let rooms: Vec<String> = std::fs::read_dir(root().join("src"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    let mut imports: std::collections::BTreeMap<&str, std::collections::BTreeSet<&str>> =
        rooms.iter().map(|room| (room.as_str(), std::collections::BTreeSet::new())).collect();
    for room in &rooms {
        for path in files(&root().join("src").join(room)) {
            let code = code(&path);
            let named = rooms.iter().filter(|other| *other != room);
            for other in named.filter(|other| code.contains(&format!("crate::{other}"))) {
                imports.get_mut(room.as_str()).unwrap().insert(other);
            }
        }
    }
    // What imports nothing that is left can be taken away; what cannot be taken away is in a circle.
    while let Some(room) = imports.iter().find(|(_, others)| others.is_empty()).map(|(room, _)| *room) {
        imports.remove(room);
        for others in imports.values_mut() {
            others.remove(room);
        }
    }
    assert!(imports.is_empty(), "rooms import each other in a circle: {imports:#?}");
}
