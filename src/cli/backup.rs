//! `tuantibu backup` and `tuantibu restore`: a copy of a SQLite database, and a copy brought back.
//!
//! With `-` for the file the copy goes through a pipe, so that a program of the operator's own can
//! seal it to a key that is not on this machine.
use super::{Failure, Where, start};
use crate::{app::Parts, config::Config};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

/// What a SQLite database begins with.
const SQLITE: &[u8] = b"SQLite format 3\0";

fn is_pipe(file: &Path) -> bool {
    file == Path::new("-")
}

/// Writes a consistent copy, while a server may be at work.
pub(super) async fn backup(file: &Path, place: &Where) -> Result<(), Failure> {
    if !is_pipe(file) && file.exists() {
        return Err(Failure::Usage(format!("{} exists already", file.display())));
    }
    let app = place.open().await?;
    let path = if is_pipe(file) {
        let database = database_of(&app.config)?;
        database.with_extension(format!("copy-{}", std::process::id()))
    } else {
        file.to_owned()
    };
    let text = path
        .to_str()
        .ok_or_else(|| Failure::Usage("FILE: not UTF-8".into()))?;
    app.store.copy_to(text).await.map_err(Failure::Failed)?;
    if !is_pipe(file) {
        println!("{}", file.display());
        return Ok(());
    }
    let sent = File::open(&path).and_then(|mut copy| io::copy(&mut copy, &mut io::stdout()));
    let removed = fs::remove_file(&path);
    sent.and(removed)
        .map_err(|error| Failure::Failed(format!("standard output: {error}")))
}

/// Puts a copy into the place of a database that is not there, and erases again whoever was erased
/// since it was made; says what that was, as JSON.
pub(super) async fn restore(file: &Path, place: &Where) -> Result<(), Failure> {
    let config = place.load()?;
    let database = database_of(&config)?;
    if database.exists() {
        return Err(Failure::Usage(format!(
            "database.url: {} exists already; move it away first, with its -wal and -shm",
            database.display()
        )));
    }
    let written = if is_pipe(file) {
        put(&mut io::stdin().lock(), &database)
    } else {
        File::open(file).and_then(|mut copy| put(&mut copy, &database))
    };
    written.map_err(|error| Failure::Usage(format!("{}: {error}", file.display())))?;
    match start(place.without_gateway(config), Parts::default()).await {
        Ok((app, replayed)) => {
            app.store.close().await;
            let said = serde_json::to_string(&replayed);
            println!(
                "{}",
                said.map_err(|error| Failure::Failed(error.to_string()))?
            );
            Ok(())
        }
        // Other keys, another program's file, a list that does not read: nothing is left behind.
        Err(failure) => {
            for ending in ["", "-wal", "-shm"] {
                let mut path = database.clone().into_os_string();
                path.push(ending);
                let _ = fs::remove_file(path);
            }
            Err(failure)
        }
    }
}

fn database_of(config: &Config) -> Result<PathBuf, Failure> {
    let path = config.database.url.strip_prefix("sqlite:");
    path.map(|path| PathBuf::from(path.trim_start_matches("//")))
        .ok_or_else(|| {
            Failure::Usage(
                "a PostgreSQL database is copied by pg_dump and brought back by pg_restore; the \
                 server erases again by itself when it starts (backup.erasures_file)"
                    .into(),
            )
        })
}

/// Writes a database's file, readable by its owner alone.
fn put(from: &mut dyn Read, path: &Path) -> io::Result<()> {
    let mut begins = [0; SQLITE.len()];
    let other = || io::Error::other("not a copy of a SQLite database");
    from.read_exact(&mut begins).map_err(|_| other())?;
    if begins != SQLITE {
        return Err(other());
    }
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        fs::create_dir_all(folder)?;
    }
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    io::copy(&mut begins.as_slice(), &mut file)?;
    io::copy(from, &mut file)?;
    file.sync_all()
}
