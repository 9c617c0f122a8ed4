//! Where proofs stand: tests by their names in the sources, words in files.
use super::read;
use serde::Deserialize;
use std::{collections::BTreeSet, fs, path::Path};

/// Words that a file must hold, or must not.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Place {
    pub(super) file: String,
    pub(super) holds: Option<String>,
    pub(super) lacks: Option<String>,
}

impl Place {
    /// Whether a text is as it says; lines may break anywhere.
    pub(super) fn check(&self, text: &str) -> Result<(), String> {
        let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let text = plain(text);
        let (wanted, holds) = match (&self.holds, &self.lacks) {
            (Some(holds), None) => (plain(holds), true),
            (None, Some(lacks)) => (plain(lacks), false),
            _ => return Err(format!("{}: either `holds` or `lacks`", self.file)),
        };
        if wanted.is_empty() || text.contains(&wanted) != holds {
            let verb = if holds { "does not hold" } else { "holds" };
            return Err(format!("{} {verb} {wanted:?}", self.file));
        }
        Ok(())
    }
}

/// The names of all tests: the path of the file's module and the function's; `lib::` before unit tests,
/// `browser: ` before the browser's.
pub(super) struct Sources(BTreeSet<String>);

impl Sources {
    pub(super) fn read() -> Self {
        let mut names = BTreeSet::new();
        for (folder, prefix) in [("tests/it", ""), ("src", "lib::")] {
            for file in files(folder) {
                let Some(module) = file.strip_suffix(".rs") else {
                    continue;
                };
                let module = module[folder.len() + 1..].replace('/', "::");
                let module = module.trim_end_matches("::mod");
                let own = functions(&read(&file));
                names.extend(
                    own.into_iter()
                        .map(|name| format!("{prefix}{module}::{name}")),
                );
            }
        }
        for file in files("tests/browser") {
            if file.ends_with(".test.mjs") {
                let text = read(&file);
                let own = text
                    .lines()
                    .filter_map(|line| line.strip_prefix("export async function "));
                let own = own.filter_map(|rest| rest.split_once('('));
                names.extend(own.map(|(name, _)| format!("browser: {name}")));
            }
        }
        Self(names)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains(name)
    }
}

/// Every file below a folder, but for what is installed there.
fn files(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{folder}/{}", entry.file_name().to_str().unwrap());
            match entry.file_type().unwrap().is_dir() {
                true if name.ends_with("/node_modules") => {}
                true => folders.push(name),
                false => found.push(name),
            }
        }
    }
    found
}

/// Functions that are tests: by an attribute before them, as the first of an `on_both!`, or by their
/// name in a list of `both!(…)`.
fn functions(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let (mut is_next, mut in_list, mut in_macro) = (false, false, false);
    for line in text.lines() {
        // What a macro makes has the macro's names.
        in_macro = line.starts_with("macro_rules!") || in_macro && line != "}";
        let line = line.trim();
        if in_macro {
            continue;
        }
        in_list = line == "both!(" || in_list && line != ");";
        if in_list {
            found.extend(line.strip_suffix(',').map(str::to_owned));
        }
        is_next |= line.starts_with("#[test]")
            || line.starts_with("#[tokio::test")
            || line == "on_both! {";
        let rest = line.strip_prefix("async ").unwrap_or(line);
        if let Some((name, _)) = rest
            .strip_prefix("fn ")
            .and_then(|rest| rest.split_once('('))
            && is_next
        {
            found.push(name.to_owned());
            is_next = false;
        }
    }
    found
}
