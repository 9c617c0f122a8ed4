//! That the table has every route, and no other: read from the source, since a router tells none.
use super::{Face, ROWS, Row, Site, request};
use crate::{
    api_basics::operations,
    app::{On, TestApp},
    support::file,
};
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

/// What would serve a path that no `.route("…", …)` names.
const HIDING: &[&str] = &[
    "fallback",
    "fallback_service",
    "method_not_allowed_fallback",
    "nest",
    "nest_service",
    "route_service",
];

/// The paths that a source file gives to routers, and what hides some.
fn named(tokens: TokenStream, paths: &mut Vec<String>, hiding: &mut Vec<String>) {
    let all: Vec<TokenTree> = tokens.into_iter().collect();
    for (at, token) in all.iter().enumerate() {
        if let TokenTree::Group(group) = token {
            named(group.stream(), paths, hiding);
        }
        let (
            TokenTree::Punct(dot),
            Some(TokenTree::Ident(name)),
            Some(TokenTree::Group(arguments)),
        ) = (token, all.get(at + 1), all.get(at + 2))
        else {
            continue;
        };
        if dot.as_char() != '.' || arguments.delimiter() != Delimiter::Parenthesis {
            continue;
        }
        let name = name.to_string();
        if HIDING.contains(&name.as_str()) {
            hiding.push(name);
        } else if name == "route" {
            let first = arguments.stream().into_iter().next();
            match first {
                Some(TokenTree::Literal(text)) => {
                    paths.push(text.to_string().trim_matches('"').to_owned());
                }
                _ => hiding.push("a route without a literal path".into()),
            }
        }
    }
}

/// Every Rust file below a folder, but for the tests inside.
fn sources(folder: &Path, all: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, all);
        } else if path.file_name().is_some_and(|name| name != "tests.rs") {
            all.push(path);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_table_has_every_route_and_no_other() {
    let app = TestApp::start(On::Sqlite).await;
    let listed = operations(&app.client()).await;
    let mut served: BTreeSet<String> = listed.iter().map(|(_, path)| path.clone()).collect();
    let mut files = Vec::new();
    sources(&file("../src/web"), &mut files);
    assert!(files.len() > 40, "{}", files.len());
    for path in files {
        // A program of its own, with no page and no session: `source_contract` walks it.
        if path.ends_with("src/web/health_source.rs") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let (mut paths, mut hiding) = (Vec::new(), Vec::new());
        named(text.parse().unwrap(), &mut paths, &mut hiding);
        // The API's document names what it nests.
        let is_api = path.ends_with("src/web/api/mod.rs");
        hiding.retain(|name| !(is_api && name == "nest"));
        assert_eq!(hiding, Vec::<String>::new(), "{}", path.display());
        if path.ends_with("src/web/metrics.rs") {
            // On a listener of its own.
            assert_eq!(paths, ["/metrics"]);
        } else {
            served.extend(paths);
        }
    }
    let known: BTreeSet<String> = ROWS.iter().map(|row| row.path.to_owned()).collect();
    assert_eq!(known.len(), ROWS.len(), "a route stands twice");
    let differ: Vec<_> = known.symmetric_difference(&served).collect();
    assert_eq!(differ, Vec::<&String>::new());
    // And each answers to the methods that the table says.
    let site = Site::of(&app);
    let documented: BTreeMap<&str, BTreeSet<&str>> =
        listed
            .iter()
            .fold(BTreeMap::new(), |mut all, (method, path)| {
                all.entry(path.as_str()).or_default().insert(method);
                all
            });
    for row in ROWS {
        let wanted: BTreeSet<&str> = row.methods().collect();
        if let Some(listed) = documented.get(row.path) {
            assert_eq!(*listed, wanted, "{}", row.path);
        }
        // Of a page the guard looks at forms alone, which are posted.
        let is_page = row.face != Face::Program;
        assert!(!is_page || wanted.iter().all(|method| ["GET", "POST"].contains(method)));
        let got = site.ask(unknown(row), "").await;
        assert_eq!(got.status, 405, "{}", row.path);
        let allowed = got.header("allow").unwrap_or_default();
        let allowed: BTreeSet<&str> = allowed
            .split(',')
            .map(str::trim)
            .filter(|method| *method != "HEAD")
            .collect();
        assert_eq!(allowed, wanted, "{}", row.path);
    }
}

/// A request by a method that nothing answers to.
fn unknown(row: &Row) -> axum::http::request::Builder {
    let request = request("PROPFIND", &row.nowhere());
    match row.face {
        Face::Both => request.header("accept", "application/json"),
        Face::Page | Face::Program => request,
    }
}

#[test]
fn a_route_that_the_table_does_not_know_is_seen() {
    let (mut paths, mut hiding) = (Vec::new(), Vec::new());
    let text =
        r#"fn f() { g(Router::new().route("/a", get(b))).merge(x).route(PATH, c).nest("/d", e) }"#;
    named(text.parse().unwrap(), &mut paths, &mut hiding);
    assert_eq!(paths, ["/a"]);
    assert_eq!(hiding, ["a route without a literal path", "nest"]);
}
