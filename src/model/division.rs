//! China's administrative divisions, down to the street: data that the binary embeds.
//!
//! A code of 2 digits is a province, 4 a city, 6 a county or district, 9 a street, town or
//! township; a parent's code is the child's, cut to the next shorter length. Every row's parent is
//! there. Two kinds of rows carry no information, and neither names nor pickers have them: groups
//! that exist in the statistics alone (市辖区, 县, 省直辖县级行政区划), and a city's only county
//! that repeats its name (东莞市).
use serde::Serialize;
use std::sync::OnceLock;
use utoipa::ToSchema;

const TABLE: &str = include_str!("../../catalogue/divisions.csv");

/// Rows of four digits that group counties and stand in no address.
const GROUPS: [&str; 4] = [
    "市辖区",
    "县",
    "省直辖县级行政区划",
    "自治区直辖县级行政区划",
];

/// Digits of a street's code.
const STREET: usize = 9;

/// The most that a search answers.
pub const MOST_FOUND: usize = 50;

/// The longest words that are searched for, in characters.
const LONGEST_QUERY: usize = 40;

/// A division.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Division {
    /// Its code.
    pub code: &'static str,
    /// Its own name.
    pub name: &'static str,
    /// Its name with those above it, where a search found it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub full_name: Option<String>,
}

/// Rows by code, ascending: read once.
fn rows() -> &'static [(&'static str, &'static str)] {
    static ROWS: OnceLock<Vec<(&str, &str)>> = OnceLock::new();
    ROWS.get_or_init(|| {
        let mut rows = Vec::with_capacity(45_000);
        rows.extend(
            TABLE
                .lines()
                .skip(1)
                .filter_map(|line| line.split_once(',')),
        );
        rows
    })
}

/// The name that stands in the table for a code.
#[must_use]
pub fn get(code: &str) -> Option<&'static str> {
    let rows = rows();
    rows.binary_search_by_key(&code, |(code, _)| code)
        .ok()
        .map(|at| rows[at].1)
}

/// Whether it is the code of a street, town or township.
#[must_use]
pub fn is_street(code: &str) -> bool {
    code.len() == STREET && get(code).is_some()
}

/// The rows whose codes begin with `prefix`, that row itself included.
fn under(prefix: &str) -> &'static [(&'static str, &'static str)] {
    let rows = rows();
    let from = rows.partition_point(|(code, _)| *code < prefix);
    let length = rows[from..].partition_point(|(code, _)| code.starts_with(prefix));
    &rows[from..from + length]
}

/// The length of the codes one level below a code of this length.
fn next_length(length: usize) -> Option<usize> {
    match length {
        0 => Some(2),
        2 => Some(4),
        4 => Some(6),
        6 => Some(STREET),
        _ => None,
    }
}

fn is_group(code: &str, name: &str) -> bool {
    code.len() == 4 && GROUPS.contains(&name)
}

/// What a picker offers below a division, or the provinces: a group is replaced by what it holds,
/// and a level with one child is skipped. Empty below a street and for an unknown code.
#[must_use]
pub fn children(parent: Option<&str>) -> Vec<Division> {
    let mut found = Vec::new();
    gather(parent.unwrap_or_default(), &mut found);
    match found.as_slice() {
        [only] if only.code.len() < STREET => children(Some(only.code)),
        _ => found,
    }
}

fn gather(parent: &str, found: &mut Vec<Division>) {
    let Some(length) = next_length(parent.len()) else {
        return;
    };
    for &(code, name) in under(parent) {
        if code.len() != length {
            continue;
        }
        if is_group(code, name) {
            gather(code, found);
        } else {
            found.push(Division {
                code,
                name,
                full_name: None,
            });
        }
    }
}

/// The divisions at any depth below a division, or anywhere, whose names hold `q`: those that
/// begin with it first, at most [`MOST_FOUND`]. Without words, the children.
#[must_use]
pub fn search(parent: Option<&str>, q: &str) -> Vec<Division> {
    let q = q.trim();
    if q.is_empty() {
        return children(parent);
    }
    let parent = parent.unwrap_or_default();
    let known = parent.is_empty() || get(parent).is_some();
    if !known || q.chars().count() > LONGEST_QUERY {
        return Vec::new();
    }
    let mut begin = Vec::new();
    let mut hold = Vec::new();
    for &(code, name) in under(parent) {
        if code == parent || is_group(code, name) || repeats(code, name) {
            continue;
        }
        match name.find(q) {
            Some(0) => begin.push((code, name)),
            Some(_) if hold.len() < MOST_FOUND => hold.push((code, name)),
            _ => {}
        }
        if begin.len() == MOST_FOUND {
            break;
        }
    }
    begin
        .into_iter()
        .chain(hold)
        .take(MOST_FOUND)
        .map(|(code, name)| Division {
            code,
            name,
            full_name: Some(full_name(code)),
        })
        .collect()
}

/// Whether a county repeats the name of its city, as 东莞市 does.
fn repeats(code: &str, name: &str) -> bool {
    code.len() == 6 && get(&code[..4]) == Some(name)
}

/// The names from the province down to the division, as an address has them; empty for an unknown
/// code.
#[must_use]
pub fn path(code: &str) -> Vec<&'static str> {
    if get(code).is_none() {
        return Vec::new();
    }
    let mut names: Vec<&'static str> = Vec::with_capacity(4);
    for length in [2, 4, 6, STREET] {
        // Codes of the table are digits alone, so that every cut is between characters.
        let Some(above) = code.get(..length) else {
            break;
        };
        if let Some(name) = get(above).filter(|name| !is_group(above, name)) {
            // Some rows repeat the name above: 东莞市, and 济源市沁园街道 of 济源市.
            let last = names.last().copied().unwrap_or_default();
            let own = name.strip_prefix(last).unwrap_or(name);
            if !own.is_empty() {
                names.push(own);
            }
        }
    }
    names
}

/// The path as one name, as 北京市海淀区中关村街道; empty for an unknown code.
#[must_use]
pub fn full_name(code: &str) -> String {
    path(code).concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(parent: Option<&str>) -> Vec<&'static str> {
        children(parent).into_iter().map(|d| d.name).collect()
    }

    #[test]
    fn every_row_is_read_in_order_and_has_its_parent() {
        assert_eq!(rows().len(), 44_703);
        assert!(rows().is_sorted_by(|a, b| a.0 < b.0), "found by halving");
        for (code, name) in rows() {
            assert!(code.bytes().all(|byte| byte.is_ascii_digit()) && !name.is_empty());
            let above = match code.len() {
                2 => continue,
                4 => 2,
                6 => 4,
                9 => 6,
                other => panic!("{code} has {other} digits"),
            };
            assert!(get(&code[..above]).is_some(), "{code} has no parent");
        }
    }

    #[test]
    fn a_full_name_reads_like_an_address() {
        for (code, name) in [
            ("110108011", "北京市海淀区中关村街道"),
            ("110108", "北京市海淀区"),
            ("441900003", "广东省东莞市东城街道"),
            ("419001001", "河南省济源市沁园街道"),
            ("130102001", "河北省石家庄市长安区建北街道"),
            ("", ""),
            ("110199", ""),
            ("街道", ""),
        ] {
            assert_eq!(full_name(code), name, "{code}");
        }
    }

    #[test]
    fn pickers_skip_groups_and_levels_with_one_child() {
        assert_eq!(children(None).len(), 31);
        assert_eq!(names(Some("11"))[..2], ["东城区", "西城区"]);
        let chongqing = names(Some("50"));
        assert!(chongqing.contains(&"渝中区") && chongqing.contains(&"城口县"));
        assert!(names(Some("41")).contains(&"济源市"));
        assert!(names(Some("4419")).contains(&"东城街道"));
        assert!(names(Some("110108")).contains(&"中关村街道"));
        // A street is picked even where it is its county's only one.
        assert_eq!(names(Some("420205")), ["铁山街道"]);
        for nothing in ["110108011", "99", "", "x", "11010", "街"] {
            let found = children(Some(nothing));
            assert!(found.is_empty() || nothing.is_empty(), "{nothing}");
        }
    }

    #[test]
    fn every_street_is_reached_by_picking() {
        let mut streets = 0;
        let mut open = children(None);
        while let Some(division) = open.pop() {
            if is_street(division.code) {
                streets += 1;
            } else {
                let below = children(Some(division.code));
                assert!(!below.is_empty(), "{} leads nowhere", division.code);
                open.extend(below);
            }
        }
        assert_eq!(
            streets,
            rows().iter().filter(|row| row.0.len() == 9).count()
        );
    }

    #[test]
    fn a_search_finds_below_a_division_and_says_where() {
        let found = search(Some("1101"), "中关村");
        assert_eq!(found[0].code, "110108011");
        assert_eq!(
            found[0].full_name.as_deref(),
            Some("北京市海淀区中关村街道")
        );
        assert_eq!(search(Some("31"), "中关村"), []);
        assert_eq!(search(Some("1"), "中关村"), [], "no division");
        assert_eq!(search(None, "城关镇").len(), MOST_FOUND);
        assert_eq!(search(Some("11"), " "), children(Some("11")));
        assert_eq!(search(None, &"街".repeat(41)), []);
        assert!(search(None, "市辖区").is_empty());
        assert_eq!(search(None, "东莞市").len(), 1);
    }

    #[test]
    fn only_a_street_of_the_table_is_a_street() {
        assert!(is_street("110108011"));
        for other in ["110108", "110108999", "11010801", "", "110108011 "] {
            assert!(!is_street(other), "{other}");
        }
    }
}
