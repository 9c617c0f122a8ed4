//! The rules, and the snippets that prove that each can fail: it must name the lines marked HERE.

use super::checks::{
    HTTP, allow, ambient, direction, is_source, language, model_io, open, outside, sql, unwrap,
};
use super::scan::File;

/// The lines, and what is wrong there.
pub(super) type Offences = Vec<(usize, String)>;
type Snippet = (&'static str, &'static str);

pub(super) struct Rule {
    pub(super) name: &'static str,
    pub(super) check: fn(&File) -> Offences,
    pub(super) bad: &'static [Snippet],
    pub(super) good: &'static [Snippet],
}

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "the direction of dependencies",
        check: direction,
        bad: &[
            (
                "src/web/pages/join.rs",
                "use crate::store::Store; // HERE\n",
            ),
            (
                "src/web/pages/join.rs",
                "use crate::{\n    model::name,\n    store::{Tx, // HERE\n    },\n};\n",
            ),
            (
                "src/web/mod.rs",
                "fn f() {\n    let a = vec![crate::store::open()]; // HERE\n}\n",
            ),
            ("src/web/mod.rs", "use super::store; // HERE\n"),
            (
                "src/web/api/mod.rs",
                "use super::super::store as s; // HERE\n",
            ),
            (
                "src/web/mod.rs",
                "mod inner {\n    use super::super::store::Tx; // HERE\n}\n",
            ),
            (
                "src/web/mod.rs",
                "fn f(app: &App) {\n    app.store.begin(); // HERE\n}\n",
            ),
            ("src/web/mod.rs", "use crate as all; // HERE\n"),
            ("src/web/mod.rs", "use crate::{self as all}; // HERE\n"),
            ("src/web/mod.rs", "use super::*; // HERE\n"),
            ("src/web/mod.rs", "use crate::worker::run; // HERE\n"),
            ("src/actions/leave.rs", "use crate::web::session; // HERE\n"),
            ("src/store/mod.rs", "use crate::source; // HERE\n"),
            (
                "src/store/mod.rs",
                "pub(in crate::store) fn f() -> tuantibu::app::App {} // HERE\n",
            ),
            ("src/model/name.rs", "use crate::error::Error; // HERE\n"),
            ("src/config.rs", "use crate::app::App; // HERE\n"),
            ("src/worker.rs", "use crate::web::routes; // HERE\n"),
            ("src/app.rs", "use crate::actions; // HERE\n"),
            ("src/web/mod.rs", "use crate::helpers::x; // HERE\n"),
            ("src/helpers.rs", "fn f() {} // HERE\n"),
            (
                "src/lib.rs",
                "pub mod model;\npub use model::name; // HERE\n",
            ),
        ],
        good: &[
            (
                "src/web/mod.rs",
                "use crate::{actions, app::App, model};\nuse self::pages::join;\n",
            ),
            (
                "src/web/mod.rs",
                "//! Not crate::store.\nconst A: &str = \"crate::store\";\n",
            ),
            (
                "src/web/mod.rs",
                "fn f(n: &AtomicU64) { n.store(1, Relaxed) }\npub(crate) fn g() {}\n",
            ),
            (
                "src/web/mod.rs",
                "#[cfg(test)]\nmod tests {\n    use super::*;\n    use crate::store;\n}\n",
            ),
            (
                "src/web/pages/mod.rs",
                "use super::*;\nuse super::super::actions;\n",
            ),
            ("src/main.rs", "use tuantibu::{store, web, worker};\n"),
            (
                "src/store/persons.rs",
                "use super::Tx;\nuse crate::crypto::Sealed;\nuse ::store::x;\n",
            ),
        ],
    },
    Rule {
        name: "actions know no HTTP",
        check: |file| outside(file, &["actions"], HTTP),
        bad: &[
            ("src/actions/leave.rs", "use axum::Json; // HERE\n"),
            (
                "src/actions/leave.rs",
                "fn f() -> http::StatusCode {} // HERE\n",
            ),
            (
                "src/actions/leave.rs",
                "use {serde::Serialize, ::hyper::body::Bytes}; // HERE\n",
            ),
        ],
        good: &[
            (
                "src/actions/leave.rs",
                "// axum::Json\nuse crate::source::http;\n",
            ),
            ("src/web/mod.rs", "use axum::Json;\n"),
        ],
    },
    Rule {
        name: "SQL stays in the store and the sources",
        check: |file| {
            outside(
                file,
                &["model", "actions", "web", "worker", "sms", "crypto"],
                &["sqlx", "rusqlite"],
            )
        },
        bad: &[
            (
                "src/actions/leave.rs",
                "fn f() {\n    sqlx::query(\"…\"); // HERE\n}\n",
            ),
            ("src/worker.rs", "use sqlx::Row; // HERE\n"),
            ("src/web/mod.rs", "use rusqlite::Connection; // HERE\n"),
        ],
        good: &[
            ("src/store/mod.rs", "use sqlx::Row;\n"),
            ("src/source/embedded.rs", "use rusqlite::Connection;\n"),
        ],
    },
    Rule {
        name: "the model does no I/O",
        check: model_io,
        bad: &[
            (
                "src/model/name.rs",
                "use std::{\n    fmt,\n    fs::File, // HERE\n};\n",
            ),
            (
                "src/model/name.rs",
                "fn f() { std::net::lookup() } // HERE\n",
            ),
            ("src/model/name.rs", "use tokio::sync::Mutex; // HERE\n"),
            (
                "src/model/name.rs",
                "fn f() { reqwest::get(\"\"); } // HERE\n",
            ),
            ("src/model/name.rs", "pub async fn f() {} // HERE\n"),
            ("src/model/name.rs", "fn f() { println!(\"a\") } // HERE\n"),
        ],
        good: &[
            (
                "src/model/name.rs",
                "use std::{fmt, str::FromStr};\n// std::fs\n",
            ),
            ("src/store/mod.rs", "use std::fs;\n"),
        ],
    },
    Rule {
        name: "no file over 500 lines",
        check: |file| {
            let lines = file.text.lines().count();
            let long = is_source(file) && lines > 500;
            long.then(|| (501, format!("{lines} lines")))
                .into_iter()
                .collect()
        },
        bad: &[("src/web/mod.rs", LONG)],
        good: &[
            ("src/web/mod.rs", "fn f() {}\n"),
            ("locales/en/main.ftl", LONG),
        ],
    },
    Rule {
        name: "no lint is silenced by allow",
        check: allow,
        bad: &[
            ("src/web/mod.rs", "#[allow(dead_code)] // HERE\nfn f() {}\n"),
            ("src/web/mod.rs", "#![allow(clippy::all)] // HERE\n"),
            (
                "src/web/mod.rs",
                "#[cfg_attr(unix, allow(unused))] // HERE\nfn f() {}\n",
            ),
            (
                "src/web/mod.rs",
                "#[cfg(test)]\nmod tests {\n    #[allow(unused)] // HERE\n    fn f() {}\n}\n",
            ),
        ],
        good: &[
            (
                "src/web/mod.rs",
                "// #[allow(dead_code)]\n#[expect(clippy::panic, reason = \"…\")]\nfn f() {}\n",
            ),
            ("src/web/mod.rs", "fn f(list: &[u8]) { allow(list[0]) }\n"),
        ],
    },
    Rule {
        name: "an unwrap says why it cannot fail",
        check: unwrap,
        bad: &[
            ("src/web/mod.rs", "fn f() {\n    g().unwrap(); // HERE\n}\n"),
            (
                "src/web/mod.rs",
                "// cannot fail: another\nfn f() {\n    g().expect(\"…\"); // HERE\n}\n",
            ),
            (
                "src/web/mod.rs",
                "fn f() {\n    // cannot fail: g\n    g();\n    h()\n        .unwrap_err(); // HERE\n}\n",
            ),
            (
                "src/web/mod.rs",
                "fn f() { g().map(Result::unwrap) } // HERE\n",
            ),
        ],
        good: &[
            (
                "src/web/mod.rs",
                "fn f() {\n    g().unwrap(); // cannot fail: g is total\n}\n",
            ),
            (
                "src/web/mod.rs",
                "fn f() {\n    // cannot fail: g is\n    // total\n    let a = g()\n        .unwrap();\n}\n",
            ),
            (
                "src/web/mod.rs",
                "#[test]\nfn f() {\n    g().unwrap();\n}\n",
            ),
            (
                "src/web/mod.rs",
                "fn f() { g().unwrap_or(1).unwrap_or_default(); }\n",
            ),
            ("src/web/tests.rs", "fn f() { g().unwrap(); }\n"),
        ],
    },
    Rule {
        name: "time and randomness are arguments",
        check: ambient,
        bad: &[
            (
                "src/actions/a.rs",
                "fn f() { std::time::SystemTime::now(); } // HERE\n",
            ),
            (
                "src/actions/a.rs",
                "fn f() { Timestamp::now(); Zoned::now(); } // HERE HERE\n",
            ),
            ("src/crypto/seal.rs", "use rand::rngs::OsRng; // HERE\n"),
            ("src/sms/mod.rs", "use rand::{rng, Rng}; // HERE\n"),
            (
                "src/store/mod.rs",
                "fn f() { fastrand::u64(..); } // HERE\n",
            ),
            ("src/store/mod.rs", "fn f() { Uuid::now_v7() } // HERE\n"),
            (
                "src/crypto/seal.rs",
                "use aws_lc_rs::{aead, rand::SystemRandom}; // HERE\n",
            ),
        ],
        good: &[
            ("src/clock.rs", "fn f() { Timestamp::now(); }\n"),
            ("src/crypto/random.rs", "use aws_lc_rs::rand;\n"),
            (
                "src/actions/a.rs",
                "fn f(c: &dyn Clock) { c.now(); tokio::time::sleep(d); }\n",
            ),
        ],
    },
    Rule {
        name: "SQL takes the time and ids from us",
        check: sql,
        bad: &[
            (
                "src/store/jobs.rs",
                "const A: &str = \"update a set at = now()\"; // HERE\n",
            ),
            (
                "src/store/jobs.rs",
                "fn f() { query!(r#\"values (CURRENT_TIMESTAMP)\"#) } // HERE\n",
            ),
            (
                "migrations/sqlite/0001.sql",
                "create table a (\n at default (datetime('now')) -- HERE\n);\n",
            ),
        ],
        good: &[
            (
                "src/store/jobs.rs",
                "fn f() { clock.now(); query(\"set known() = $1\") }\n",
            ),
            (
                "src/store/migrations.rs",
                "const IDS: &str = \"randomblob(16)\";\n",
            ),
        ],
    },
    Rule {
        name: "a language needs no code",
        check: language,
        bad: &[
            (
                "src/web/mod.rs",
                "fn f(tag: &str) -> bool { tag.starts_with(\"zh\") } // HERE\n",
            ),
            ("src/web/mod.rs", "fn f() { find(\"en-GB\") } // HERE\n"),
            ("templates/a.html", "<p>\n<p lang=\"zh-CN\"> HERE\n"),
        ],
        good: &[
            (
                "src/web/mod.rs",
                "fn f() { find(tag); log(\"en route to\"); }\n",
            ),
            (
                "src/web/mod.rs",
                "#[cfg(test)]\nmod tests { fn f() { find(\"en\") } }\n",
            ),
            ("templates/docs/a.html", "<html lang=\"en\">\n"),
            ("templates/a.html", "<html lang=\"{{ p.tag() }}\">\n"),
        ],
    },
    Rule {
        name: "nothing is left open",
        check: open,
        bad: &[
            ("src/web/mod.rs", "fn f() {} // TODO: HERE\n"),
            ("templates/a.html", "<p>\n{# FIXME HERE #}\n"),
            ("src/web/mod.rs", "fn f() { todo!() } // HERE\n"),
            (
                "src/web/mod.rs",
                "fn f() {\n    unimplemented!(); // HERE\n}\n",
            ),
        ],
        good: &[(
            "src/web/mod.rs",
            "/// The methods of METHODOLOGY.\nfn todo_list() {}\n",
        )],
    },
];

const LONG: &str = concat_lines();

/// 501 lines, the last of them marked.
const fn concat_lines() -> &'static str {
    const BYTES: [u8; 508] = {
        let mut bytes = [b'\n'; 508];
        let mark = b"// HERE\n";
        let mut at = 0;
        while at < mark.len() {
            bytes[500 + at] = mark[at];
            at += 1;
        }
        bytes
    };
    match str::from_utf8(&BYTES) {
        Ok(text) => text,
        Err(_) => "",
    }
}
