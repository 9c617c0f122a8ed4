//! The targets of `hostile`, each for a while on input that is made from the committed corpus: the same
//! every time. `make fuzz` goes on where this ends.
use crate::{hostile::TARGETS, support::file};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What breaks parsers, and what the fields of this program meet.
const WORDS: &[&str] = &[
    "\u{202E}",
    "\u{200B}",
    "\u{FEFF}",
    "\0",
    "\r\n",
    "\"",
    "'",
    "=",
    "＝",
    "@",
    "<svg onload=x>",
    "王",
    "𠮷",
    "·",
    "．",
    "e\u{301}",
    "\u{1E}",
    ",",
    ";",
    ":",
    "{",
    "}",
    "[",
    "]",
    "null",
    "true",
    "-1",
    "0",
    "9999999999999999999",
    "1e309",
    "2022-11-14",
    "9999-12-31T23:59:59Z",
    "X",
    "x",
    "+86",
    "110100",
    "138",
    "green",
    "unknown",
    "\\u0000",
    "\\ud800",
    "%2e%2e/",
    "//",
    "Bearer ",
    "tb_session=",
    "http://ELSEWHERE/",
    "BASE/",
    "\"next\"",
    "items",
    "value",
];

/// SplitMix64: the same numbers on every machine.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, most: usize) -> usize {
        (self.next() % most.max(1) as u64) as usize
    }
}

/// Every committed input of a target, in the order of their names.
fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = file(&format!("../fuzz/corpus/{name}"));
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|_| panic!("{name} has no corpus"));
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
        .iter()
        .map(|path| std::fs::read(path).unwrap())
        .collect()
}

/// Another input, from one or two of those.
fn changed(seeds: &[Vec<u8>], numbers: &mut Numbers) -> Vec<u8> {
    let mut input = seeds[numbers.below(seeds.len())].clone();
    for _ in 0..=numbers.below(4) {
        let at = numbers.below(input.len() + 1);
        let end = (at + 1 + numbers.below(12)).min(input.len());
        match numbers.below(7) {
            0 if at < input.len() => input[at] ^= 1 << numbers.below(8),
            1 if at < input.len() => input[at] = numbers.next() as u8,
            2 => drop(input.drain(at..end)),
            3 => {
                let piece = input[at..end].to_vec();
                input.splice(at..at, piece);
            }
            4 => {
                let other = &seeds[numbers.below(seeds.len())];
                let from = numbers.below(other.len() + 1);
                input.truncate(at);
                input.extend(&other[from..]);
            }
            5 => drop(input.splice(at..end, WORDS[numbers.below(WORDS.len())].bytes())),
            _ => drop(input.splice(at..at, WORDS[numbers.below(WORDS.len())].bytes())),
        }
    }
    input
}

fn run(name: &str) {
    let (_, target, inputs) = TARGETS.iter().find(|target| target.0 == name).unwrap();
    let seeds = corpus(name);
    let mut numbers = Numbers(2022);
    let made = (0..*inputs).map(|_| changed(&seeds, &mut numbers));
    for input in seeds.iter().cloned().chain(made.collect::<Vec<_>>()) {
        let broken = catch_unwind(AssertUnwindSafe(|| target(&input))).is_err();
        assert!(!broken, "{name} breaks on b\"{}\"", input.escape_ascii());
    }
}

macro_rules! targets {
    ($($name:ident),* $(,)?) => {
        $(#[test]
        fn $name() {
            run(stringify!($name));
        })*

        #[test]
        fn every_target_is_run() {
            let named = [$(stringify!($name)),*];
            let known: Vec<&str> = TARGETS.iter().map(|target| target.0).collect();
            assert_eq!(known, named);
        }
    };
}
targets!(
    document, name, phone, line, code, ndjson, csv, fhir, sheet, sealed, headers, handles, cursor,
    register,
);
