//! QR codes: dark on white, with the quiet zone of four modules that scanners ask for.
use fast_qr::{ECL, QRBuilder};
use std::fmt::Write;

/// Modules of white on every side.
const QUIET: usize = 4;

/// Pixels a module of the PNG.
const PIXELS: usize = 12;

/// Black and white of the 256 colours, which no theme changes.
const BLACK_ON_WHITE: &str = "\x1b[38;5;16;48;5;231m";
const PLAIN: &str = "\x1b[0m";

/// Why there is no QR code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QrError {
    /// The text is longer than a code holds.
    #[error("the text is too long for a QR code")]
    TooLong,
    /// The image could not be encoded.
    #[error("the PNG could not be encoded")]
    Png,
}

/// The modules of a QR code, its quiet zone included. One text gives one pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Qr {
    width: usize,
    dark: Vec<bool>,
}

impl Qr {
    /// The code of a text, correcting up to 15 % of damage.
    ///
    /// # Errors
    /// [`QrError::TooLong`] beyond some 2,300 bytes.
    pub fn of(text: &str) -> Result<Self, QrError> {
        let code = QRBuilder::new(text)
            .ecl(ECL::M)
            .build()
            .map_err(|_| QrError::TooLong)?;
        let width = code.size + 2 * QUIET;
        let mut dark = vec![false; width * width];
        for row in 0..code.size {
            for (column, module) in code[row].iter().enumerate() {
                dark[(row + QUIET) * width + column + QUIET] = module.value();
            }
        }
        Ok(Self { width, dark })
    }

    /// Modules on a side, the quiet zone included.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    fn row(&self, row: usize) -> &[bool] {
        &self.dark[row * self.width..(row + 1) * self.width]
    }

    /// As lines of text, two rows of modules a line: black on white by a terminal's colours, or
    /// without them drawn for light letters on a dark ground.
    #[must_use]
    pub fn lines(&self, colours: bool) -> String {
        let mut out = String::new();
        for top in (0..self.width).step_by(2) {
            if colours {
                out.push_str(BLACK_ON_WHITE);
            }
            for column in 0..self.width {
                let dark = |row| row < self.width && self.row(row)[column];
                // Where there are no colours, the letters are the light.
                out.push(match (dark(top) == colours, dark(top + 1) == colours) {
                    (true, true) => '█',
                    (true, false) => '▀',
                    (false, true) => '▄',
                    (false, false) => ' ',
                });
            }
            if colours {
                out.push_str(PLAIN);
            }
            out.push('\n');
        }
        out
    }

    /// As an SVG, a unit a module. It carries no style and no script.
    #[must_use]
    pub fn svg(&self) -> String {
        let (width, size) = (self.width, self.width * PIXELS);
        let mut path = String::new();
        for row in 0..width {
            let modules = self.row(row);
            let mut column = 0;
            while column < width {
                let run = modules[column..].iter().take_while(|dark| **dark).count();
                if run > 0 {
                    // cannot fail: writing to a string.
                    let _ = write!(path, "M{column} {row}h{run}v1h-{run}z");
                }
                column += run.max(1);
            }
        }
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{size}\" height=\"{size}\" \
             viewBox=\"0 0 {width} {width}\" shape-rendering=\"crispEdges\">\
             <path fill=\"#fff\" d=\"M0 0h{width}v{width}H0z\"/>\
             <path fill=\"#000\" d=\"{path}\"/></svg>"
        )
    }

    /// As a PNG of one bit a pixel.
    ///
    /// # Errors
    /// [`QrError::Png`] where the encoder refuses.
    pub fn png(&self) -> Result<Vec<u8>, QrError> {
        let side = self.width * PIXELS;
        let mut bits = Vec::with_capacity(side.div_ceil(8) * side);
        for row in 0..self.width {
            let modules = self.row(row);
            let mut line = vec![0_u8; side.div_ceil(8)];
            for pixel in 0..side {
                if !modules[pixel / PIXELS] {
                    line[pixel / 8] |= 0x80 >> (pixel % 8);
                }
            }
            for _ in 0..PIXELS {
                bits.extend_from_slice(&line);
            }
        }
        let mut out = Vec::new();
        let side = u32::try_from(side).map_err(|_| QrError::Png)?;
        let mut encoder = png::Encoder::new(&mut out, side, side);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::One);
        let mut writer = encoder.write_header().map_err(|_| QrError::Png)?;
        writer.write_image_data(&bits).map_err(|_| QrError::Png)?;
        writer.finish().map_err(|_| QrError::Png)?;
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    const URL: &str = "https://health.example.cn/j/AbCdEfGhIjKlMnOpQrStUv";

    /// The PNG's pixels, dark or not, and its side.
    fn pixels(png: &[u8]) -> (usize, Vec<bool>) {
        let mut decoder = png::Decoder::new(Cursor::new(png));
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info().unwrap();
        let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut bytes).unwrap();
        assert_eq!(info.width, info.height);
        let side = info.width as usize;
        (
            side,
            bytes[..side * side].iter().map(|b| *b < 128).collect(),
        )
    }

    #[test]
    fn the_png_reads_back_as_the_address() {
        for text in [URL, "http://192.168.1.5:8080/j/-_-_-_-_-_-_-_-_-_-_-w"] {
            let (side, dark) = pixels(&Qr::of(text).unwrap().png().unwrap());
            let mut image = rqrr::PreparedImage::prepare_from_greyscale(side, side, |x, y| {
                if dark[y * side + x] { 0 } else { 255 }
            });
            let grids = image.detect_grids();
            assert_eq!(grids.len(), 1);
            let (meta, read) = grids[0].decode().unwrap();
            assert_eq!(read, text);
            assert_ne!(meta.ecc_level, 1, "1 is the weakest, L");
        }
    }

    #[test]
    fn the_lines_of_a_terminal_read_back_as_the_address() {
        let url = "http://192.168.1.5:8080/";
        for colours in [true, false] {
            let lines = Qr::of(url).unwrap().lines(colours);
            assert_eq!(lines.contains('\x1b'), colours);
            let rows: Vec<Vec<bool>> = lines
                .lines()
                .flat_map(|line| {
                    let line = line.replace(BLACK_ON_WHITE, "").replace(PLAIN, "");
                    let half = |lit: [char; 2]| {
                        let all = line.chars().map(|c| lit.contains(&c) == colours);
                        all.collect()
                    };
                    [half(['█', '▀']), half(['█', '▄'])]
                })
                .collect();
            let (width, height) = (rows[0].len(), rows.len());
            assert!(width <= 40, "it fits a small window");
            let mut image =
                rqrr::PreparedImage::prepare_from_greyscale(width * 4, height * 4, |x, y| {
                    if rows[y / 4][x / 4] { 0 } else { 255 }
                });
            let grids = image.detect_grids();
            assert_eq!(grids.len(), 1);
            assert_eq!(grids[0].decode().unwrap().1, url);
            assert!(rows[..QUIET].iter().flatten().all(|dark| !dark));
        }
    }

    #[test]
    fn exactly_four_modules_of_white_surround_it() {
        let qr = Qr::of(URL).unwrap();
        let (side, dark) = pixels(&qr.png().unwrap());
        assert_eq!(side, qr.width() * PIXELS);
        let at = |x: usize, y: usize| dark[y * side + x];
        let edge = QUIET * PIXELS;
        for y in 0..side {
            for x in
                (0..side).filter(|x| *x < edge || y < edge || *x >= side - edge || y >= side - edge)
            {
                assert!(!at(x, y));
            }
        }
        // The corners of the three finder patterns are dark right behind it.
        assert!(at(edge, edge) && at(side - edge - 1, edge) && at(edge, side - edge - 1));
    }

    #[test]
    fn svg_and_png_show_one_pattern_each_time() {
        let qr = Qr::of(URL).unwrap();
        assert_eq!(qr, Qr::of(URL).unwrap());
        assert_eq!(qr.png().unwrap(), Qr::of(URL).unwrap().png().unwrap());
        let svg = qr.svg();
        let path = svg.split("fill=\"#000\" d=\"").nth(1).unwrap();
        let mut drawn = vec![false; qr.width * qr.width];
        for run in path.split('M').skip(1) {
            let numbers: Vec<usize> = run
                .split(|c: char| !c.is_ascii_digit())
                .filter_map(|number| number.parse().ok())
                .collect();
            let from = numbers[1] * qr.width + numbers[0];
            drawn[from..from + numbers[2]].fill(true);
        }
        assert_eq!(drawn, qr.dark);
        assert!(svg.contains(&format!("viewBox=\"0 0 {0} {0}\"", qr.width)));
        assert!(Qr::of(&"x".repeat(3000)).is_err());
    }
}
