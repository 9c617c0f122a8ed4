//! A sheet of text as CSV and XLSX, safe to open in a spreadsheet program (SECURITY.md, threat 9).
use rust_xlsxwriter::{Format, Workbook, XlsxError};

/// Digits that a spreadsheet would round or write as 1.1E+17.
const LONG_NUMBER: usize = 12;

/// What a sheet holds: who made it, when and why, then a header and the rows below it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sheet {
    /// Who, when, why: a label and its value a line.
    pub stamp: Vec<(String, String)>,
    /// The names of the columns.
    pub header: Vec<String>,
    /// The rows, each as long as the header.
    pub rows: Vec<Vec<String>>,
}

/// Why a sheet could not be written. The cause holds no cell.
#[derive(Debug, thiserror::Error)]
pub enum SheetError {
    /// The CSV writer refused.
    #[error("csv: {0}")]
    Csv(String),
    /// The XLSX writer refused, or the folder for temporary files did.
    #[error("xlsx: {0}")]
    Xlsx(String),
}

impl From<csv::Error> for SheetError {
    fn from(error: csv::Error) -> Self {
        Self::Csv(error.to_string())
    }
}

impl From<XlsxError> for SheetError {
    fn from(error: XlsxError) -> Self {
        Self::Xlsx(error.to_string())
    }
}

/// Whether a spreadsheet program would take the text for a formula or a command.
fn looks_like_formula(text: &str) -> bool {
    text.starts_with([
        '=', '+', '-', '@', '\t', '\r', '\n', '\0', '＝', '＋', '－', '＠',
    ])
}

/// A cell that opens as text: what looks like a formula, or is a long number, gets a `'`.
fn as_text(cell: &str) -> String {
    let long = cell.len() >= LONG_NUMBER && cell.bytes().all(|byte| byte.is_ascii_digit());
    if long || looks_like_formula(cell) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

impl Sheet {
    /// Every line of the sheet from the top: the stamp, an empty one, the header, the rows; each
    /// as wide as the widest, so that every line has as many fields as the others.
    fn lines(&self) -> impl Iterator<Item = Vec<&str>> {
        let width = self
            .rows
            .iter()
            .map(Vec::len)
            .chain([self.header.len(), if self.stamp.is_empty() { 0 } else { 2 }])
            .max()
            .unwrap_or_default();
        let stamp = self
            .stamp
            .iter()
            .map(|(label, value)| vec![label.as_str(), value.as_str()]);
        let gap = (!self.stamp.is_empty()).then(Vec::new);
        let table = [&self.header]
            .into_iter()
            .chain(&self.rows)
            .map(|row| row.iter().map(String::as_str).collect());
        stamp
            .chain(gap)
            .chain(table)
            .map(move |mut line: Vec<&str>| {
                line.resize(width, "");
                line
            })
    }

    /// As CSV by RFC 4180: UTF-8 with a byte order mark, CRLF. Every field is quoted, so that a
    /// program whose separator is another one does not split it.
    ///
    /// # Errors
    /// [`SheetError::Csv`].
    pub fn write_csv(&self) -> Result<Vec<u8>, SheetError> {
        let mut writer = csv::WriterBuilder::new()
            .terminator(csv::Terminator::CRLF)
            .quote_style(csv::QuoteStyle::Always)
            .from_writer("\u{feff}".as_bytes().to_vec());
        for line in self.lines() {
            writer.write_record(line.into_iter().map(as_text))?;
        }
        writer
            .into_inner()
            .map_err(|error| SheetError::Csv(error.error().to_string()))
    }

    /// As XLSX: text cells alone, no formula, one row in memory at a time.
    ///
    /// # Errors
    /// [`SheetError::Xlsx`]: more than 1,048,576 lines, a cell of more than 32,767 characters, no
    /// room for temporary files.
    pub fn write_xlsx(&self) -> Result<Vec<u8>, SheetError> {
        let mut workbook = Workbook::new();
        let bold = Format::new().set_bold();
        // What looks like a formula stays text even when somebody edits the cell.
        let quoted = Format::new().set_quote_prefix();
        let header = self.lines().count() - self.rows.len() - 1;
        let sheet = workbook.add_worksheet_with_constant_memory()?;
        let top = u32::try_from(header + 1).unwrap_or(u32::MAX);
        sheet.set_freeze_panes(top, 0)?;
        for (row, line) in self.lines().enumerate() {
            let number = u32::try_from(row).unwrap_or(u32::MAX);
            for (column, cell) in (0_u16..).zip(line) {
                if cell.is_empty() {
                    continue;
                }
                if looks_like_formula(cell) {
                    sheet.write_string_with_format(number, column, cell, &quoted)?;
                } else if row == header {
                    sheet.write_string_with_format(number, column, cell, &bold)?;
                } else {
                    sheet.write_string(number, column, cell)?;
                }
            }
        }
        Ok(workbook.save_to_buffer()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use calamine::{Data, Reader, Xlsx};
    use std::io::Cursor;

    /// Names that somebody gives to have a formula run, or that a spreadsheet would spoil.
    const NAMES: [&str; 16] = [
        "=HYPERLINK(\"http://evil.example\",\"x\")",
        "=1+1",
        "+1+1",
        "-1+1",
        "@SUM(A1)",
        "\t=1+1",
        "\r=1+1",
        "\n=1+1",
        "\0=1+1",
        "＝1+1",
        "＋1",
        "－1",
        "＠SUM(A1)",
        "110101190001010014",
        "=cmd|' /C calc'!A0",
        "\u{2d}2",
    ];
    const PLAIN: [&str; 7] = [
        "李敏敏",
        "O'Brien",
        "a,b;c",
        "say \"hi\"",
        "3",
        "a=b",
        "13800",
    ];

    fn sheet(names: &[&str]) -> Sheet {
        let text = str::to_owned;
        Sheet {
            stamp: vec![
                (text("导出人"), text("李敏")),
                (text("用途"), text("=报送")),
            ],
            header: ["姓名", "部门", "天数"].map(text).to_vec(),
            rows: names
                .iter()
                .map(|name| vec![text(name), text("一部"), text("0")])
                .collect(),
        }
    }

    fn read_csv(bytes: &[u8]) -> Vec<Vec<String>> {
        let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap();
        csv::ReaderBuilder::new()
            .has_headers(false)
            .from_reader(bytes)
            .into_records()
            .map(|record| record.unwrap().iter().map(str::to_owned).collect())
            .collect()
    }

    #[test]
    fn in_csv_a_dangerous_beginning_becomes_text_and_the_rest_stays() {
        let all: Vec<&str> = NAMES.into_iter().chain(PLAIN).collect();
        let bytes = sheet(&all).write_csv().unwrap();
        let lines = read_csv(&bytes);
        assert_eq!(lines[..2], [["导出人", "李敏", ""], ["用途", "'=报送", ""]]);
        assert_eq!(lines[2..4], [["", "", ""], ["姓名", "部门", "天数"]]);
        let names: Vec<_> = lines[4..].iter().map(|line| line[0].as_str()).collect();
        let wanted = NAMES.map(|name| format!("'{name}"));
        assert_eq!(names[..NAMES.len()], wanted);
        assert_eq!(names[NAMES.len()..], PLAIN);
    }

    #[test]
    fn csv_is_utf8_with_a_mark_and_crlf() {
        let bytes = sheet(&["李敏敏"]).write_csv().unwrap();
        assert!(bytes.starts_with(&[0xef, 0xbb, 0xbf]));
        let text = String::from_utf8(bytes).unwrap();
        assert_eq!(text.matches("\r\n").count(), 5);
        assert_eq!(text.matches('\n').count(), 5);
        assert!(text.ends_with("\"李敏敏\",\"一部\",\"0\"\r\n"));
    }

    #[test]
    fn in_xlsx_every_cell_is_the_text_itself_and_nothing_is_a_formula() {
        let all: Vec<&str> = NAMES.into_iter().chain(PLAIN).collect();
        let bytes = sheet(&all).write_xlsx().unwrap();
        let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).unwrap();
        let name = book.sheet_names()[0].clone();
        assert!(book.worksheet_formula(&name).unwrap().is_empty());
        let range = book.worksheet_range(&name).unwrap();
        let rows: Vec<_> = range.rows().collect();
        assert_eq!(rows[0][1], Data::String("李敏".to_owned()));
        assert_eq!(rows[3][0], Data::String("姓名".to_owned()));
        for (name, row) in all.iter().zip(&rows[4..]) {
            // Controls are escaped in the file; XML folds a lone CR when it is read.
            let read = row[0].to_string();
            let read = read.replace("_x000D_", "\r").replace("_x0000_", "\0");
            assert!(matches!(row[0], Data::String(_)), "{name:?}");
            assert_eq!(read.replace('\r', "\n"), name.replace('\r', "\n"));
            assert_eq!(row[2], Data::String("0".to_owned()), "days are text too");
        }
        assert_eq!(rows.len(), 4 + all.len());
    }

    #[test]
    fn a_sheet_without_rows_still_says_who_and_why() {
        let lines = read_csv(&sheet(&[]).write_csv().unwrap());
        assert_eq!(lines.len(), 4);
        assert!(sheet(&[]).write_xlsx().is_ok() && Sheet::default().write_xlsx().is_ok());
    }
}
