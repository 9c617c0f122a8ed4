//! Holds what docs/ARCHITECTURE.md says about the source, by reading it.
//!
//! Each rule stands with snippets that it must refuse and one that it must let pass, so that no rule can
//! fall silent unnoticed.

mod checks;
mod rules;
mod scan;

use std::fs;
use std::path::{Path, PathBuf};

use rules::RULES;
use scan::File;

#[test]
fn the_source_keeps_every_rule() {
    let files = project();
    let mut offences = Vec::new();
    for rule in RULES {
        for file in &files {
            for (line, what) in (rule.check)(file) {
                offences.push(format!("{}:{line}: {what} [{}]", file.path, rule.name));
            }
        }
    }
    assert!(
        offences.is_empty(),
        "{} offences:\n{}",
        offences.len(),
        offences.join("\n")
    );
}

#[test]
fn every_rule_can_fail_and_names_the_line() {
    for rule in RULES {
        assert!(
            !rule.bad.is_empty() && !rule.good.is_empty(),
            "{} proves nothing",
            rule.name
        );
        for &(path, text) in rule.bad {
            let file = File::new(path, text);
            let found: Vec<usize> = (rule.check)(&file)
                .into_iter()
                .map(|(line, _)| line)
                .collect();
            let wanted: Vec<usize> = (1..)
                .zip(text.lines())
                .flat_map(|(number, line)| line.matches("HERE").map(move |_| number))
                .collect();
            assert_eq!(found, wanted, "{} on {path}:\n{text}", rule.name);
        }
        for &(path, text) in rule.good {
            let found = (rule.check)(&File::new(path, text));
            assert!(
                found.is_empty(),
                "{} refuses {path}:\n{text}\n{found:?}",
                rule.name
            );
        }
    }
}

#[test]
fn no_file_is_overlooked() {
    let files = project();
    let has = |path: &str| files.iter().any(|file| file.path == path);
    assert!(has("src/main.rs") && has("src/lib.rs") && has("src/model/mod.rs"));
    let library = files.iter().find(|file| file.path == "src/lib.rs").unwrap();
    assert!(library.shipped.iter().any(|token| token.text == "model"));
}

/// Everything shipped that somebody writes by hand.
fn project() -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    for folder in ["src", "templates", "migrations", "locales", "assets"] {
        collect(&root.join(folder), &mut paths);
    }
    paths.sort();
    paths
        .iter()
        .filter_map(|path| {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap();
            // What is not text, a picture or a font, has no rules.
            Some(File::new(name, &fs::read_to_string(path).ok()?))
        })
        .collect()
}

fn collect(folder: &Path, out: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, out);
        } else {
            out.push(path);
        }
    }
}
