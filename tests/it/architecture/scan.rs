//! Reads a source file as rustc's own tokenizer would: comments and strings name nothing, macros' arguments
//! do, and `use` trees are spelled out into the paths they name.

use std::rc::Rc;

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

/// One file, by its path from the root of the project.
pub(super) struct File {
    pub(super) path: String,
    pub(super) text: String,
    /// Every token.
    pub(super) tokens: Vec<Token>,
    /// The tokens of what is shipped: without what only tests see.
    pub(super) shipped: Vec<Token>,
}

/// A token, or one side of a group; `::` is one token.
pub(super) struct Token {
    pub(super) text: String,
    pub(super) line: usize,
    pub(super) word: bool,
    module: Rc<[String]>,
}

/// A path as it is meant: where it leads, not how it is written.
pub(super) struct Named {
    pub(super) line: usize,
    /// Whether it leads into this project's own library.
    pub(super) inside: bool,
    /// Without `crate`, `self` or `super`.
    pub(super) segments: Vec<String>,
}

impl File {
    pub(super) fn new(path: &str, text: &str) -> Self {
        let mut file = Self {
            path: path.to_owned(),
            text: text.to_owned(),
            tokens: Vec::new(),
            shipped: Vec::new(),
        };
        if path.ends_with(".rs") {
            let stream = || {
                text.parse::<TokenStream>()
                    .unwrap_or_else(|e| panic!("{path}: {e}"))
            };
            let module: Rc<[String]> = file.module().into();
            flatten(stream(), &module, false, &mut file.tokens);
            if file.module().last().is_none_or(|name| name != "tests") {
                flatten(stream(), &module, true, &mut file.shipped);
            }
        }
        file
    }

    /// `src/web/pages/join.rs` is `web::pages::join`; the roots of the library and the program are empty.
    fn module(&self) -> Vec<String> {
        let inner = self.path.trim_start_matches("src/").trim_end_matches(".rs");
        let mut parts: Vec<String> = inner.split('/').map(str::to_owned).collect();
        if matches!(
            parts.last().map(String::as_str),
            Some("mod" | "lib" | "main")
        ) {
            parts.pop();
        }
        parts
    }

    /// The top-level module it belongs to, `lib` or `main` for the roots.
    pub(super) fn layer(&self) -> String {
        let inner = self.path.trim_start_matches("src/").trim_end_matches(".rs");
        inner.split('/').next().unwrap_or_default().to_owned()
    }

    /// Every path that shipped code names.
    pub(super) fn paths(&self) -> Vec<Named> {
        let mut found = Vec::new();
        let mut at = 0;
        while let Some(token) = self.shipped.get(at) {
            if token.word {
                let used = at > 0 && self.shipped[at - 1].text == "use";
                at = tree(&self.shipped, at, &[], used, &mut found).max(at + 1);
            } else {
                at += 1;
            }
        }
        found
    }
}

/// Reads a path or a `use` tree that begins at `at`; where reading goes on is returned.
fn tree(
    tokens: &[Token],
    mut at: usize,
    prefix: &[String],
    whole: bool,
    found: &mut Vec<Named>,
) -> usize {
    let mut path = prefix.to_vec();
    let Some(first) = tokens.get(at) else {
        return at;
    };
    while let Some(token) = tokens.get(at) {
        match token.text.as_str() {
            "{" => {
                at += 1;
                while tokens.get(at).is_some_and(|t| t.text != "}") {
                    let next = tree(tokens, at, &path, true, found);
                    // What follows a branch: a comma, or a new name for it.
                    at = next.max(at + 1);
                    while tokens
                        .get(at)
                        .is_some_and(|t| t.text != "}" && t.text != ",")
                    {
                        at += 1;
                    }
                    at += usize::from(tokens.get(at).is_some_and(|t| t.text == ","));
                }
                return at + 1;
            }
            "*" => path.push("*".to_owned()),
            name if token.word => path.push(name.to_owned()),
            _ => break,
        }
        at += 1;
        let goes_on = tokens.get(at).is_some_and(|t| t.text == "::")
            && tokens
                .get(at + 1)
                .is_some_and(|t| t.word || t.text == "{" || t.text == "*");
        if !goes_on {
            break;
        }
        at += 1;
    }
    // A lone `crate` or `self` is a visibility or a receiver, unless a `use` takes it.
    if path.len() > 1 || whole {
        found.extend(resolve(&path, first));
    }
    at
}

fn resolve(path: &[String], token: &Token) -> Option<Named> {
    let mut rest = path.to_vec();
    let mut base: Option<Vec<String>> = None;
    while let Some(name) = rest.first() {
        match (name.as_str(), &mut base) {
            ("crate" | "tuantibu", None) => base = Some(Vec::new()),
            ("self", None) => base = Some(token.module.to_vec()),
            ("super", None) => {
                let above = token.module.len().saturating_sub(1);
                base = Some(token.module[..above].to_vec());
            }
            ("super", Some(module)) => drop(module.pop()),
            _ => break,
        }
        rest.remove(0);
    }
    // `a::{self}` is `a`.
    if rest.last().is_some_and(|name| name == "self") {
        rest.pop();
    }
    let inside = base.is_some();
    let mut segments = base.unwrap_or_default();
    segments.extend(rest);
    (inside || !segments.is_empty()).then_some(Named {
        line: token.line,
        inside,
        segments,
    })
}

fn flatten(stream: TokenStream, module: &Rc<[String]>, shipped_only: bool, out: &mut Vec<Token>) {
    let trees: Vec<TokenTree> = stream.into_iter().collect();
    let mut at = 0;
    while let Some(tree) = trees.get(at) {
        if shipped_only && is_punct(tree, '#') {
            let inner = trees.get(at + 1).is_some_and(|t| is_punct(t, '!'));
            if trees
                .get(at + 1 + usize::from(inner))
                .is_some_and(marks_test)
            {
                if inner {
                    return;
                }
                at = after_item(&trees, at + 2);
                continue;
            }
        }
        let line = tree.span().start().line;
        let mut push = |text: String, line: usize, word: bool| {
            out.push(Token {
                text,
                line,
                word,
                module: Rc::clone(module),
            });
        };
        match tree {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                push(open.to_owned(), line, false);
                let named =
                    (group.delimiter() == Delimiter::Brace).then(|| module_name(&trees, at));
                let within = named.flatten().map_or_else(
                    || Rc::clone(module),
                    |name| module.iter().cloned().chain([name]).collect(),
                );
                flatten(group.stream(), &within, shipped_only, out);
                let end = group.span_close().start().line;
                let text = close.to_owned();
                out.push(Token {
                    text,
                    line: end,
                    word: false,
                    module: Rc::clone(module),
                });
            }
            TokenTree::Ident(ident) => {
                push(
                    ident.to_string().trim_start_matches("r#").to_owned(),
                    line,
                    true,
                );
            }
            TokenTree::Punct(punct)
                if punct.as_char() == ':'
                    && punct.spacing() == Spacing::Joint
                    && trees.get(at + 1).is_some_and(|t| is_punct(t, ':')) =>
            {
                push("::".to_owned(), line, false);
                at += 1;
            }
            other => push(other.to_string(), line, false),
        }
        at += 1;
    }
}

fn is_punct(tree: &TokenTree, wanted: char) -> bool {
    matches!(tree, TokenTree::Punct(punct) if punct.as_char() == wanted)
}

fn is_word(tree: Option<&TokenTree>, wanted: &str) -> bool {
    matches!(tree, Some(TokenTree::Ident(ident)) if *ident == wanted)
}

/// The `name` of `mod name { … }`, where `at` is the group.
fn module_name(trees: &[TokenTree], at: usize) -> Option<String> {
    let before = at.checked_sub(2)?;
    match &trees[at - 1] {
        TokenTree::Ident(name) if is_word(trees.get(before), "mod") => Some(name.to_string()),
        _ => None,
    }
}

/// The brackets of `#[cfg(test)]`, `#[cfg(all(test, …))]`, `#[test]` or `#[tokio::test]`.
fn marks_test(tree: &TokenTree) -> bool {
    let TokenTree::Group(group) = tree else {
        return false;
    };
    let text = group.stream().to_string();
    let words: Vec<&str> = text
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|w| !w.is_empty())
        .collect();
    match words.as_slice() {
        ["cfg", rest @ ..] => {
            rest.contains(&"test") && !rest.contains(&"not") && !rest.contains(&"any")
        }
        ["test"] | [_, "test", ..] => words[0] != "cfg_attr",
        _ => false,
    }
}

/// Where the item ends whose first attribute's end is `at`: after its block or its semicolon.
fn after_item(trees: &[TokenTree], at: usize) -> usize {
    let ends = |tree: &TokenTree| {
        is_punct(tree, ';')
            || matches!(tree, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace)
    };
    trees[at..]
        .iter()
        .position(ends)
        .map_or(trees.len(), |found| at + found + 1)
}
