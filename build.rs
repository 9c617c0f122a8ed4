//! Lists the folders of `locales/` with their files, so that adding a language needs no code.
use std::{env, error::Error, fmt::Write, fs, path::Path};

/// The language of those who ask for none that is there; it stands first.
const DEFAULT: &str = "zh-CN";

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("locales");
    println!("cargo:rerun-if-changed={}", root.display());
    let mut folders = names(&root)?;
    folders.sort_by_key(|name| (name != DEFAULT, name.clone()));
    let mut list = String::from("&[\n");
    for folder in folders {
        println!("cargo:rerun-if-changed={}", root.join(&folder).display());
        writeln!(list, "    ({folder:?}, &[")?;
        for file in names(&root.join(&folder))? {
            let path = root.join(&folder).join(&file);
            if file.ends_with(".ftl") {
                writeln!(list, "        ({file:?}, include_str!({path:?})),")?;
            }
        }
        list.push_str("    ]),\n");
    }
    list.push(']');
    fs::write(Path::new(&env::var("OUT_DIR")?).join("locales.rs"), list)?;
    Ok(())
}

/// The names in a folder, in order.
fn names(folder: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        names.push(name.to_str().ok_or("a name in locales/")?.to_owned());
    }
    names.sort();
    Ok(names)
}
