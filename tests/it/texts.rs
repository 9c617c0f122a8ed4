//! Every text that code or a template asks for is there, and every text that is there is asked for.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Calls that take the key of a text as their first argument.
const CALLS: &[&str] = &[
    ".t(",
    ".t1(",
    ".t2(",
    ".h(",
    ".h1(",
    ".h2(",
    ".titled(",
    "steps(words, ",
];

/// Families whose members are put together when they are needed: `of(family, value)`, and prefixes.
const FAMILIES: &[&str] = &[
    "error-",
    "failure-",
    "field-",
    "export-",
    "privacy-",
    "children-",
    "help-",
    "accessibility-",
    "sign-in-",
];

#[test]
fn no_text_is_missing_and_none_is_left_over() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut code = String::new();
    gather(&root.join("src"), &mut code);
    gather(&root.join("templates"), &mut code);
    let keys = keys(&root.join("locales/zh-CN"));
    let asked = asked(&code);
    let missing: Vec<&String> = asked.difference(&keys).collect();
    assert!(missing.is_empty(), "no such text: {missing:?}");
    let literals = literals(&code);
    let families = families(&code);
    let unused: Vec<&String> = keys
        .iter()
        .filter(|key| !literals.contains(key.as_str()))
        .filter(|key| {
            !key.strip_suffix("-hint")
                .is_some_and(|field| literals.contains(field))
        })
        .filter(|key| {
            !families
                .iter()
                .any(|family| key.starts_with(family.as_str()))
        })
        .collect();
    assert!(unused.is_empty(), "nobody asks for: {unused:?}");
}

#[test]
fn the_search_finds_what_it_should() {
    let code = r#"{{ p.t("nav-mine") }} words.t1("days", "days", 3) words.of("state", s)"#;
    assert_eq!(asked(code), ["days", "nav-mine"].map(String::from).into());
    assert!(families(code).contains("state-"));
    assert!(literals(code).contains("nav-mine"));
}

/// Keys that are asked for by name.
fn asked(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for call in CALLS {
        for (at, _) in code.match_indices(call) {
            let rest = code[at + call.len()..].trim_start();
            if let Some(key) = rest
                .strip_prefix('"')
                .and_then(|rest| rest.split('"').next())
                && is_key(key)
            {
                found.insert(key.to_owned());
            }
        }
    }
    found
}

/// Every literal that might be a key.
fn literals(code: &str) -> BTreeSet<&str> {
    code.split('"').filter(|text| is_key(text)).collect()
}

/// The families that are asked for, with their hyphen.
fn families(code: &str) -> BTreeSet<String> {
    let mut found: BTreeSet<String> = FAMILIES.iter().map(|family| (*family).to_owned()).collect();
    for (at, call) in code.match_indices(".of(") {
        let rest = code[at + call.len()..].trim_start();
        if let Some(family) = rest
            .strip_prefix('"')
            .and_then(|rest| rest.split('"').next())
        {
            found.insert(format!("{family}-"));
        }
    }
    found
}

fn is_key(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    text.starts_with(|c: char| c.is_ascii_lowercase()) && text.chars().all(plain)
}

fn keys(folder: &Path) -> BTreeSet<String> {
    let mut text = String::new();
    gather(folder, &mut text);
    text.lines()
        .filter_map(|line| line.split_once(" ="))
        .map(|(key, _)| key.to_owned())
        .filter(|key| is_key(key))
        .collect()
}

fn gather(folder: &Path, out: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            gather(&path, out);
        } else if let Ok(text) = fs::read_to_string(&path) {
            out.push_str(&text);
            out.push('\n');
        }
    }
}
