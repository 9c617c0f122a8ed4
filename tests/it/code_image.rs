//! The QR, read back by two decoders that we did not write.
use crate::{
    app::{On, Person, TestApp},
    services,
};
use serde_json::json;
use std::{path::Path, process::Command};

#[expect(
    clippy::disallowed_methods,
    reason = "the decoders are programs of others"
)]
fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(
        output.status.success(),
        "{program}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// zbar and ZXing, each on the PNG.
pub(crate) fn decoded(png: &Path) -> [String; 2] {
    let png = png.to_str().unwrap();
    let zxing = "import sys, zxingcpp\nfrom PIL import Image\n\
                 print(zxingcpp.read_barcodes(Image.open(sys.argv[1]).convert('L'))[0].text)";
    [
        run(&services::zbarimg(), &["--quiet", "--raw", "--nodbus", png]),
        run(&services::python(), &["-c", zxing, png]),
    ]
}

#[tokio::test]
async fn png_and_svg_lead_to_the_join_page_by_two_decoders() {
    let app = TestApp::start(On::Sqlite).await;
    let owner = Person::number(900);
    app.put(&owner, json!({})).await;
    let session = app.sign_in(&owner).await;
    let register = app.register(&session).await;
    let url = format!("https://register.example/j/{}", register.code);

    let png = session.get(&register.path("/code.png")).await;
    assert_eq!(png.headers["content-type"], "image/png");
    let path = app.folder.join("code.png");
    std::fs::write(&path, &png.bytes).unwrap();
    assert_eq!(decoded(&path), [url.clone(), url.clone()]);

    let svg = session.get(&register.path("/code.svg")).await;
    assert!(
        svg.headers["content-type"]
            .to_str()
            .unwrap()
            .starts_with("image/svg+xml")
    );
    let source = app.folder.join("code.svg");
    std::fs::write(&source, &svg.bytes).unwrap();
    let drawn = app.folder.join("drawn.png");
    run(
        "rsvg-convert",
        &[
            "--width=600",
            "-o",
            drawn.to_str().unwrap(),
            source.to_str().unwrap(),
        ],
    );
    assert_eq!(decoded(&drawn), [url.clone(), url]);
}

#[tokio::test]
async fn the_code_is_dark_on_white_with_a_border_of_four_modules() {
    let app = TestApp::start(On::Sqlite).await;
    let owner = Person::number(900);
    app.put(&owner, json!({})).await;
    let session = app.sign_in(&owner).await;
    let register = app.register(&session).await;
    let png = session.get(&register.path("/code.png")).await.bytes;
    let mut decoder = png::Decoder::new(std::io::Cursor::new(png));
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    let bytes_a_row = pixels.len() / info.height as usize;
    let is_white = |row: usize| {
        pixels[row * bytes_a_row..(row + 1) * bytes_a_row]
            .iter()
            .all(|byte| *byte == 0xff)
    };
    let border = (0..).take_while(|row| is_white(*row)).count();
    // 128 random bits in base64url behind this address make a version 4 code: 33 modules.
    let module = info.width as usize / (33 + 8);
    assert_eq!(border, 4 * module);
}
