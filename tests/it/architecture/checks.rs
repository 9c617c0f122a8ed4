//! What each rule looks for.

use super::rules::Offences;
use super::scan::File;

const LEAVES: &[&str] = &[
    "anchor",
    "config",
    "clock",
    "erasure_list",
    "error",
    "gather",
    "outbound",
    "telemetry",
    "texts",
    "qr",
    "sheet",
];

/// main → {web, worker} → actions → {store, source, sms, crypto} → model, and what each may use beside the
/// leaves, the model and itself. A module that is not here has no place yet: think, then add it.
const LAYERS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("anchor", &[]),
    ("config", &[]),
    ("erasure_list", &[]),
    ("clock", &[]),
    ("error", &[]),
    ("gather", &[]),
    ("memory", &[]),
    ("outbound", &[]),
    ("telemetry", &[]),
    ("texts", &[]),
    ("qr", &[]),
    ("sheet", &[]),
    ("crypto", &[]),
    ("sqlite", &[]),
    ("store", &["crypto", "sqlite"]),
    ("source", &["crypto", "sqlite"]),
    ("sms", &["crypto"]),
    ("app", &["crypto", "store", "source", "sms"]),
    ("actions", &["app", "crypto", "store", "source", "sms"]),
    ("web", &["actions", "app", "crypto", "source", "sms"]),
    (
        "worker",
        &["actions", "app", "crypto", "store", "source", "sms"],
    ),
];

/// The command line: nobody uses these, they use everything.
const COMMANDS: &[&str] = &["main", "cli", "commands", "demo"];

pub(super) fn is_source(file: &File) -> bool {
    file.path.starts_with("src/")
}

pub(super) fn direction(file: &File) -> Offences {
    let layer = file.layer();
    if !is_source(file) || COMMANDS.contains(&layer.as_str()) {
        return Vec::new();
    }
    if layer == "lib" {
        let uses = file.tokens.iter().filter(|token| token.text == "use");
        return uses
            .map(|token| (token.line, "the map re-exports nothing".to_owned()))
            .collect();
    }
    let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| *name == layer) else {
        return vec![(1, format!("`{layer}` has no place among the LAYERS"))];
    };
    let mut found = Vec::new();
    for path in file.paths().into_iter().filter(|path| path.inside) {
        let target = path.segments.first().map_or("*", String::as_str);
        let fine = target == layer
            || allowed.contains(&target)
            || (layer != "model" && (target == "model" || LEAVES.contains(&target)));
        if target == "*" {
            found.push((path.line, "the whole crate is no one module".to_owned()));
        } else if !fine {
            found.push((
                path.line,
                format!("{layer} may not use `{}`", path.segments.join("::")),
            ));
        }
    }
    if layer == "web" {
        for [dot, name, next] in file.shipped.array_windows() {
            if dot.text == "." && name.text == "store" && next.text != "(" {
                found.push((name.line, "web may not use the store".to_owned()));
            }
        }
    }
    found
}

pub(super) const HTTP: &[&str] = &[
    "axum",
    "axum_extra",
    "http",
    "http_body",
    "http_body_util",
    "hyper",
    "hyper_util",
    "reqwest",
    "tower",
    "tower_http",
];

/// Paths of other crates that a layer must not name.
pub(super) fn outside(file: &File, layers: &[&str], crates: &[&str]) -> Offences {
    if !is_source(file) || !layers.contains(&file.layer().as_str()) {
        return Vec::new();
    }
    file.paths()
        .into_iter()
        .filter(|path| !path.inside && crates.contains(&path.segments[0].as_str()))
        .map(|path| {
            (
                path.line,
                format!("`{}` does not belong here", path.segments.join("::")),
            )
        })
        .collect()
}

pub(super) fn model_io(file: &File) -> Offences {
    const CRATES: &[&str] = &[
        "sqlx", "tokio", "reqwest", "axum", "hyper", "tracing", "rusqlite",
    ];
    const STD: &[&str] = &["fs", "net", "io", "process", "env", "thread", "os"];
    const ADDRESSES: &[&str] = &["IpAddr", "Ipv4Addr", "Ipv6Addr"];
    const WORDS: &[&str] = &["async", "println", "eprintln", "print", "eprint", "dbg"];
    if file.layer() != "model" {
        return Vec::new();
    }
    let mut found = outside(file, &["model"], CRATES);
    for path in file.paths() {
        if let [first, second, ..] = path.segments.as_slice()
            && first == "std"
            && STD.contains(&second.as_str())
            // An address is a value; only what opens a connection is I/O.
            && !path.segments.last().is_some_and(|name| ADDRESSES.contains(&name.as_str()))
        {
            found.push((path.line, format!("`{}` is I/O", path.segments.join("::"))));
        }
    }
    for token in &file.shipped {
        if WORDS.contains(&token.text.as_str()) {
            found.push((token.line, format!("`{}` is I/O", token.text)));
        }
    }
    found
}

pub(super) fn allow(file: &File) -> Offences {
    let mut found = Vec::new();
    for (at, token) in file.tokens.iter().enumerate() {
        let open = at + 1 + usize::from(file.tokens.get(at + 1).is_some_and(|t| t.text == "!"));
        if token.text != "#" || file.tokens.get(open).is_none_or(|t| t.text != "[") {
            continue;
        }
        let mut depth = 0;
        for [this, next] in file.tokens[open..].array_windows() {
            match this.text.as_str() {
                "[" => depth += 1,
                "]" => depth -= 1,
                "allow" if next.text == "(" => {
                    found.push((this.line, "use expect and a reason".to_owned()))
                }
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
    }
    found
}

const UNWRAPS: &[&str] = &[
    "unwrap",
    "expect",
    "unwrap_err",
    "expect_err",
    "unwrap_unchecked",
];

pub(super) fn unwrap(file: &File) -> Offences {
    let lines: Vec<&str> = file.text.lines().collect();
    let mut found = Vec::new();
    for [before, name, after] in file.shipped.array_windows() {
        let method = before.text == "." && after.text == "(";
        let function = before.text == "::" && after.text != "::";
        if (method || function)
            && UNWRAPS.contains(&name.text.as_str())
            && !explained(&lines, name.line)
        {
            found.push((
                name.line,
                format!("`{}` without `// cannot fail: …`", name.text),
            ));
        }
    }
    found
}

/// Whether the line, or one above it back to the end of the statement before, carries the marker.
fn explained(lines: &[&str], line: usize) -> bool {
    const MARKER: &str = "// cannot fail:";
    if lines[line - 1].contains(MARKER) {
        return true;
    }
    for text in lines[..line - 1].iter().rev() {
        let text = text.trim();
        if text.starts_with(MARKER) {
            return true;
        }
        let comment = text.starts_with("//") || text.starts_with('#');
        if text.is_empty() || (!comment && text.ends_with([';', '{', '}'])) {
            return false;
        }
    }
    false
}

pub(super) fn ambient(file: &File) -> Offences {
    const PAIRS: &[(&str, &str)] = &[
        ("SystemTime", "now"),
        ("Instant", "now"),
        ("Timestamp", "now"),
        ("Zoned", "now"),
        ("Utc", "now"),
        ("Local", "now"),
        ("TimeZone", "system"),
        ("rand", "rng"),
        ("rand", "random"),
        ("rand", "fill"),
        ("aws_lc_rs", "rand"),
        ("Uuid", "new_v4"),
        ("Uuid", "now_v7"),
    ];
    const NAMES: &[&str] = &[
        "OsRng",
        "SysRng",
        "ThreadRng",
        "thread_rng",
        "SystemRandom",
        "from_entropy",
        "from_os_rng",
        "getrandom",
        "fastrand",
    ];
    const HOMES: &[&str] = &["src/clock.rs", "src/app.rs", "src/crypto/random.rs"];
    if !is_source(file) || HOMES.contains(&file.path.as_str()) {
        return Vec::new();
    }
    file.paths()
        .into_iter()
        .filter(|path| {
            let pairs = path.segments.windows(2);
            pairs
                .clone()
                .any(|pair| PAIRS.contains(&(pair[0].as_str(), pair[1].as_str())))
                || path
                    .segments
                    .iter()
                    .any(|name| NAMES.contains(&name.as_str()))
        })
        .map(|path| {
            (
                path.line,
                format!("`{}` is not handed in", path.segments.join("::")),
            )
        })
        .collect()
}

pub(super) fn sql(file: &File) -> Offences {
    const WORDS: &[&str] = &[
        " now()",
        "(now()",
        ",now()",
        "'now'",
        "clock_timestamp",
        "current_timestamp",
        "current_date",
        "current_time",
        "unixepoch()",
        "gen_random_uuid",
        "randomblob",
        "random()",
    ];
    let offends = |text: &str| {
        let text = text.to_lowercase();
        WORDS
            .iter()
            .find(|word| text.contains(**word))
            .map(|word| format!("`{}` in SQL", word.trim()))
    };
    if file.path.starts_with("migrations/") {
        return (1..)
            .zip(file.text.lines())
            .filter_map(|(n, line)| Some((n, offends(line)?)))
            .collect();
    }
    // A migration may give rows ids that were there before there were any.
    if file.layer() != "store" || file.path == "src/store/migrations.rs" {
        return Vec::new();
    }
    let literals = file.shipped.iter().filter(|token| token.text.contains('"'));
    literals
        .filter_map(|token| Some((token.line, offends(&token.text)?)))
        .collect()
}

/// Adding a language is adding a folder to `locales/`: no code asks which it is. The poster alone,
/// whose second language is a text's own, and pages about the API, which are English, name one.
pub(super) fn language(file: &File) -> Offences {
    let names = |text: &str| {
        let words = text.split(|c: char| !c.is_alphanumeric() && c != '-');
        words.into_iter().any(|word| {
            let first = word.split('-').next().unwrap_or_default();
            ["zh", "en"].contains(&first.to_lowercase().as_str())
        })
    };
    if file.path.starts_with("templates/") {
        if file.path.starts_with("templates/docs/") {
            return Vec::new();
        }
        return (1..)
            .zip(file.text.lines())
            .filter(|(_, line)| {
                line.split("lang=\"")
                    .skip(1)
                    .any(|rest| names(rest.split('"').next().unwrap_or_default()))
            })
            .map(|(number, _)| (number, "a language is named".to_owned()))
            .collect();
    }
    if !is_source(file) {
        return Vec::new();
    }
    let literals = file
        .shipped
        .iter()
        .filter(|token| token.text.starts_with('"'));
    literals
        .filter(|token| names(token.text.trim_matches('"')) && token.text.len() < 10)
        .map(|token| (token.line, "a language is named".to_owned()))
        .collect()
}

pub(super) fn open(file: &File) -> Offences {
    let mut found: Offences = (1..)
        .zip(file.text.lines())
        .filter(|(_, line)| {
            line.split(|c: char| !c.is_alphanumeric() && c != '_')
                .any(|w| w == "TODO" || w == "FIXME")
        })
        .map(|(number, _)| (number, "something is left open".to_owned()))
        .collect();
    for [name, bang] in file.tokens.array_windows() {
        if bang.text == "!" && (name.text == "todo" || name.text == "unimplemented") {
            found.push((name.line, format!("`{}!`", name.text)));
        }
    }
    found
}
