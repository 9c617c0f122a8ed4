//! Private-use code points that Unicode has since given a place of their own.
//!
//! GBK of 1995 had characters that Unicode lacked, so systems stored them in the private use area,
//! where fonts of the time drew them; names are still kept and typed that way, 䶮 above all. The
//! pairs are those of GB 18030, whose editions of 2000, 2005 and 2022 each moved a part of these
//! two-byte codes from the private code point to the assigned one; six of extension B keep the old
//! code, and the standard says to use the assigned character instead. No other private-use code
//! point has a successor that all systems agree on: Hong Kong's supplementary set used the same
//! range for other characters.

/// U+E815 to U+E864: GBK 0xFE50 to 0xFEA0.
#[rustfmt::skip]
const IDEOGRAPHS: [char; 80] = [
    '\u{2E81}', '\u{20087}', '\u{20089}', '\u{200CC}', '\u{2E84}', '\u{3473}', '\u{3447}', '\u{2E88}',
    '\u{2E8B}', '\u{9FB4}', '\u{359E}', '\u{361A}', '\u{360E}', '\u{2E8C}', '\u{2E97}', '\u{396E}',
    '\u{3918}', '\u{9FB5}', '\u{39CF}', '\u{39DF}', '\u{3A73}', '\u{39D0}', '\u{9FB6}', '\u{9FB7}',
    '\u{3B4E}', '\u{3C6E}', '\u{3CE0}', '\u{2EA7}', '\u{215D7}', '\u{9FB8}', '\u{2EAA}', '\u{4056}',
    '\u{415F}', '\u{2EAE}', '\u{4337}', '\u{2EB3}', '\u{2EB6}', '\u{2EB7}', '\u{2298F}', '\u{43B1}',
    '\u{43AC}', '\u{2EBB}', '\u{43DD}', '\u{44D6}', '\u{4661}', '\u{464C}', '\u{9FB9}', '\u{4723}',
    '\u{4729}', '\u{477C}', '\u{478D}', '\u{2ECA}', '\u{4947}', '\u{497A}', '\u{497D}', '\u{4982}',
    '\u{4983}', '\u{4985}', '\u{4986}', '\u{499F}', '\u{499B}', '\u{49B7}', '\u{49B6}', '\u{9FBA}',
    '\u{241FE}', '\u{4CA3}', '\u{4C9F}', '\u{4CA0}', '\u{4CA1}', '\u{4C77}', '\u{4CA2}', '\u{4D13}',
    '\u{4D14}', '\u{4D15}', '\u{4D16}', '\u{4D17}', '\u{4D18}', '\u{4D19}', '\u{4DAE}', '\u{9FBB}',
];

/// U+E78D to U+E796: vertical punctuation, GB 18030 0xA6D9 to 0xA6DF, 0xA6EC, 0xA6ED and 0xA6F3.
#[rustfmt::skip]
const VERTICAL: [char; 10] = [
    '\u{FE10}', '\u{FE12}', '\u{FE11}', '\u{FE13}', '\u{FE14}', '\u{FE15}', '\u{FE16}', '\u{FE17}', '\u{FE18}', '\u{FE19}',
];

/// The assigned code point of a private-use one that has a settled successor, else `c` itself.
pub(super) fn successor(c: char) -> char {
    let found = match c {
        '\u{E78D}'..='\u{E796}' => VERTICAL.get(offset(c, 0xE78D)).copied(),
        // The pinyin letters m and n with an acute and a grave accent, 0xA8BC and 0xA8BF.
        '\u{E7C7}' => Some('\u{1E3F}'),
        '\u{E7C8}' => Some('\u{1F9}'),
        // Ideographic description characters and their mark, 0xA989 to 0xA995.
        '\u{E7E7}' => Some('\u{303E}'),
        '\u{E7E8}'..='\u{E7F3}' => char::from_u32(u32::from(c) - 0xE7E8 + 0x2FF0),
        '\u{E815}'..='\u{E864}' => IDEOGRAPHS.get(offset(c, 0xE815)).copied(),
        _ => None,
    };
    found.unwrap_or(c)
}

/// How far `c` lies above `first`.
fn offset(c: char, first: u32) -> usize {
    (u32::from(c) - first) as usize
}
