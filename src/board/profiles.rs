//! Hermes' profiles: who there is to do a task.

use std::path::Path;

/// True if Hermes' dispatcher would find the profile: it has a directory. `default` always exists.
pub fn exists(root: &Path, name: &str) -> bool {
    let plain = !name.is_empty() && !name.contains('/') && name != "." && name != "..";
    name == "default" || (plain && root.join("profiles").join(name).is_dir())
}

/// The profiles that are configured, by name: `default` where the root exists, and each with a `config.yaml`.
pub fn on_disk(root: &Path) -> Vec<String> {
    let mut names = Vec::new();
    if root.exists() {
        names.push("default".to_owned());
    }
    for entry in std::fs::read_dir(root.join("profiles")).into_iter().flatten().flatten() {
        let Ok(name) = entry.file_name().into_string() else { continue };
        if entry.path().join("config.yaml").is_file() && name != "default" {
            names.push(name);
        }
    }
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profile_needs_a_directory_and_a_listed_one_its_configuration() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("profiles/coder")).unwrap();
        std::fs::create_dir_all(root.path().join("profiles/empty")).unwrap();
        std::fs::write(root.path().join("profiles/coder/config.yaml"), "").unwrap();
        assert_eq!(on_disk(root.path()), ["coder", "default"]);
        assert!(exists(root.path(), "empty") && exists(root.path(), "default"));
        assert!(!exists(root.path(), "nobody-here") && !exists(root.path(), ".."));
    }
}
