//! What is wrong with the keys stops the start, each with words of its own that name what to mend.
use crate::command_line::{configuration, refused, run};
use std::{fs, os::unix::fs::PermissionsExt, path::Path};

/// A database that was used once, and its configuration.
fn used(folder: &Path) -> String {
    let config = configuration(folder, "");
    let made = run(&["config", "check", "--config", &config]);
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    config
}

fn sql(folder: &Path, text: &'static str) {
    let database = rusqlite::Connection::open(folder.join("t.db")).unwrap();
    database.execute_batch(text).unwrap();
}

#[test]
fn keys_that_are_lost_changed_or_of_a_later_version_stop_the_start_and_are_named() {
    for (text, words) in [
        (
            "delete from keys where purpose = 'index-phone'",
            ["no active key for index-phone", "backup"],
        ),
        (
            "update keys set state = 2 where purpose = 'data'",
            ["no active key for data", "backup"],
        ),
        (
            "update keys set wrapped = zeroblob(length(wrapped)) where id = 3",
            ["key 3 of the database does not open", "copies"],
        ),
        (
            "update keys set purpose = case purpose when 'data' then 'source' else 'data' end \
             where purpose in ('data', 'source')",
            ["key 2 of the database does not open", "copies"],
        ),
        (
            "update keys set suite = 7 where id = 2",
            ["key 2 of the database", "this version does not know"],
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let config = used(folder.path());
        sql(folder.path(), text);
        for command in [&["config", "check"][..], &["keys", "list"], &["refresh"]] {
            refused(&[command, &["--config", &config]].concat(), &words);
        }
    }
}

#[test]
fn an_emptied_table_of_keys_beside_sealed_data_is_not_filled_anew() {
    let folder = tempfile::tempdir().unwrap();
    let config = used(folder.path());
    sql(
        folder.path(),
        "insert into persons (id, document_hash, phone_hash, profile, created_at, updated_at) \
         values (x'00', x'00', x'00', x'00', 0, 0)",
    );
    sql(folder.path(), "delete from keys");
    let check = ["config", "check", "--config", &config];
    refused(&check, &["table of keys is empty", "backup"]);
}

#[test]
fn a_key_file_that_is_damaged_or_that_others_can_read_is_named_with_how_to_mend_it() {
    let folder = tempfile::tempdir().unwrap();
    let config = used(folder.path());
    let key = folder.path().join("root.key");
    let text = fs::read_to_string(&key).unwrap();
    let check = ["config", "check", "--config", &config];
    for mode in [0o440, 0o404, 0o600 | 0o020, 0o644] {
        fs::set_permissions(&key, fs::Permissions::from_mode(mode)).unwrap();
        let (shown, mend) = (
            format!("{mode:04o}"),
            format!("chmod 0400 {}", key.display()),
        );
        refused(&check, &["keys.file", &shown, &mend]);
    }
    for mode in [0o400, 0o600] {
        fs::set_permissions(&key, fs::Permissions::from_mode(mode)).unwrap();
        assert!(run(&check).status.success(), "{mode:o}");
    }
    fs::write(&key, "tbk1:root:aes:0000").unwrap();
    refused(&check, &["keys.file", "not a root key", "bring"]);
    // The right number with another secret.
    let mut parts: Vec<&str> = text.trim().split(':').collect();
    let secret = "A".repeat(43);
    parts[4] = &secret;
    fs::write(&key, parts.join(":")).unwrap();
    refused(
        &check,
        &["key 1 of the database does not open", "keys.file"],
    );
}

#[test]
fn another_root_key_takes_over_and_the_old_one_is_the_wrong_one_then() {
    let folder = tempfile::tempdir().unwrap();
    let config = used(folder.path());
    let at = |name: &str| folder.path().join(name);
    let new = at("new.key").display().to_string();
    let root = ["keys", "root", "--to", &new, "--config", &config];
    let output = run(&root);
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{out}");
    let text = fs::read_to_string(&new).unwrap();
    let secret = text.trim().rsplit(':').next().unwrap().to_owned();
    assert!(out.contains("root key") && !out.contains(&secret), "{out}");
    assert_eq!(
        fs::metadata(&new).unwrap().permissions().mode() & 0o777,
        0o400
    );
    let check = ["config", "check", "--config", &config];
    refused(&check, &["keys.file holds root key", "wrapped by"]);
    refused(&root, &["--to", "exists already"]);
    fs::rename(&new, at("root.key")).unwrap();
    assert!(run(&check).status.success());
    // A command rotates where no server runs, and says how far it is.
    let rotate = [
        "keys",
        "rotate",
        "--purpose",
        "data",
        "--wait",
        "--config",
        &config,
    ];
    let output = run(&rotate);
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{out}");
    assert!(out.contains("key 10 drawn for data"), "{out}");
    assert!(out.contains("sealed by new keys: 0 of 0"), "{out}");
    let list = run(&["keys", "list", "--config", &config]);
    let list = String::from_utf8_lossy(&list.stdout).into_owned();
    assert_eq!(list.lines().count(), 10, "{list}");
    assert!(list.contains("\"unneeded\""), "{list}");
    refused(
        &["keys", "rotate", "--purpose", "door", "--config", &config],
        &["--purpose", "door"],
    );
    // Those of years are drawn again while old ones are kept.
    let audit = [
        "keys",
        "rotate",
        "--purpose",
        "audit",
        "--wait",
        "--config",
        &config,
    ];
    for _ in 0..2 {
        assert!(run(&audit).status.success());
    }
}

#[test]
fn no_process_of_ours_leaves_a_core_dump_or_shows_its_memory() {
    let folder = tempfile::tempdir().unwrap();
    let config = used(folder.path());
    let mut child = crate::command_line::program(&["serve", "--config", &config])
        .env("TUANTIBU_SERVER__PUBLIC_URL", "https://x.example")
        .env("TUANTIBU_SERVER__LISTEN", "127.0.0.1:0")
        .stdin(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let limits = format!("/proc/{}/limits", child.id());
    let none = |text: &str| {
        text.lines().any(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            words.starts_with(&["Max", "core", "file", "size", "0", "0"])
        })
    };
    let mut found = false;
    for _ in 0..1000 {
        found = fs::read_to_string(&limits).is_ok_and(|text| none(&text));
        if found {
            break;
        }
        std::thread::yield_now();
        let _ = fs::metadata(&limits);
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(found);
}
