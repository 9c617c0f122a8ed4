//! Lines of a file, each at most 64 KiB of UTF-8 without NUL.
use super::{ImportError, MAX_LINE_BYTES};
use crate::source::record::FieldError;
use std::io::{BufRead, BufReader, Read};

/// A line and its number, from 1.
pub(super) struct Line {
    pub(super) number: u64,
    pub(super) text: Result<String, FieldError>,
}

/// The lines of an input, read with constant memory.
pub(super) struct Lines<R> {
    input: BufReader<R>,
    number: u64,
    bytes: u64,
}

impl<R: Read> Lines<R> {
    /// Begins to read; a UTF-8 byte order mark is passed over.
    pub(super) fn new(input: R) -> Result<Self, ImportError> {
        let mut input = BufReader::with_capacity(MAX_LINE_BYTES, input);
        let mut bytes = 0;
        let start = input.fill_buf()?;
        if start.starts_with(&[0xff, 0xfe]) || start.starts_with(&[0xfe, 0xff]) {
            return Err(ImportError::Utf16);
        }
        if start.starts_with(&[0xef, 0xbb, 0xbf]) {
            input.consume(3);
            bytes = 3;
        }
        Ok(Self {
            input,
            number: 0,
            bytes,
        })
    }

    /// Bytes read so far.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The next line without its end; `None` at the end of the file.
    pub(super) fn next(&mut self) -> Result<Option<Line>, ImportError> {
        let mut line = Vec::new();
        let mut long = false;
        let mut any = false;
        loop {
            let ahead = self.input.fill_buf()?;
            if ahead.is_empty() {
                break;
            }
            any = true;
            let end = ahead.iter().position(|byte| *byte == b'\n');
            let part = &ahead[..end.unwrap_or(ahead.len())];
            // What is beyond the limit is passed over, not kept.
            if line.len() + part.len() > MAX_LINE_BYTES {
                long = true;
                line.clear();
            } else if !long {
                line.extend_from_slice(part);
            }
            let used = part.len() + usize::from(end.is_some());
            self.input.consume(used);
            self.bytes += used as u64;
            if end.is_some() {
                break;
            }
        }
        if !any {
            return Ok(None);
        }
        self.number += 1;
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        Ok(Some(Line {
            number: self.number,
            text: self.read(line, long),
        }))
    }

    fn read(&self, line: Vec<u8>, long: bool) -> Result<String, FieldError> {
        let fail = |problem: String| FieldError::new("line", problem);
        if long {
            return Err(fail("longer than 64 KiB".to_owned()));
        }
        if line.contains(&0) {
            return Err(fail("holds a NUL character".to_owned()));
        }
        String::from_utf8(line)
            .map_err(|_| fail(format!("not UTF-8 at line {}; save as UTF-8", self.number)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Vec<(u64, Result<String, String>)> {
        let mut lines = Lines::new(bytes).unwrap();
        let mut all = vec![];
        while let Some(line) = lines.next().unwrap() {
            all.push((line.number, line.text.map_err(|error| error.problem)));
        }
        assert_eq!(lines.bytes(), bytes.len() as u64);
        all
    }

    #[test]
    fn lines_keep_their_numbers_past_bad_ones() {
        let mut file = b"\xef\xbb\xbfone\r\n\xcd\xf5\n".to_vec();
        file.extend(vec![b'x'; MAX_LINE_BYTES + 1]);
        file.extend(b"\n\0\n\nlast");
        assert_eq!(
            read(&file),
            [
                (1, Ok("one".to_owned())),
                (2, Err("not UTF-8 at line 2; save as UTF-8".to_owned())),
                (3, Err("longer than 64 KiB".to_owned())),
                (4, Err("holds a NUL character".to_owned())),
                (5, Ok(String::new())),
                (6, Ok("last".to_owned())),
            ]
        );
    }

    #[test]
    fn a_line_of_exactly_the_limit_is_read() {
        let file = vec![b'x'; MAX_LINE_BYTES];
        assert_eq!(read(&file)[0].1.as_ref().unwrap().len(), MAX_LINE_BYTES);
    }

    #[test]
    fn utf_16_is_told_at_once() {
        let file: &[u8] = b"\xff\xfen\0a\0";
        assert!(matches!(Lines::new(file), Err(ImportError::Utf16)));
    }
}
