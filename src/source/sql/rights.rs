//! What the database lets this user do: reading, and nothing else.
use super::database::{Database, DbError, Engine};

/// The first right to write that there is, and on what. Tables of the system are left out: everybody
/// may "update" some of its views.
const POSTGRES: &str = "
with mine as (
    select oid, rolname, rolsuper, rolcreatedb, rolcreaterole, rolreplication from pg_roles
    where pg_has_role(current_user, oid, 'member')
), things as (
    select c.oid, c.relowner, c.relkind, format('%I.%I', n.nspname, c.relname) as name
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'v', 'f', 'm', 'S')
      and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_(toast|temp)'
), found as (
    select case when rolname = current_user then 0 else 1 end as rank, 'is a superuser|alter role ' || quote_ident(rolname) || ' nosuperuser' as words
    from mine where rolsuper
    union all
    select 2, 'may create databases|alter role ' || quote_ident(rolname) || ' nocreatedb'
    from mine where rolcreatedb
    union all
    select 2, 'may create roles|alter role ' || quote_ident(rolname) || ' nocreaterole'
    from mine where rolcreaterole
    union all
    select 2, 'may replicate|alter role ' || quote_ident(rolname) || ' noreplication'
    from mine where rolreplication
    union all
    select 2, format('is a member of %I|revoke %I from %I', rolname, rolname, current_user)
    from mine where rolname in ('pg_write_all_data', 'pg_write_server_files', 'pg_execute_server_program',
        'pg_signal_backend', 'pg_maintain', 'pg_create_subscription')
    union all
    select 3, format('owns %s|alter table %s owner to another role', name, name)
    from things where relowner in (select oid from mine)
    union all
    select 4, format('may %s %s|revoke %s on %s from %I, and from public or the role that it has it by',
        lower(p), name, lower(p), name, current_user)
    from things, mine, unnest(array['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) p
    where relkind <> 'S' and has_table_privilege(mine.oid, things.oid, p)
    union all
    select 5, format('may %s columns of %s|revoke %s on %s from %I, and from public or the role that it has it by',
        lower(p), name, lower(p), name, current_user)
    from things, mine, unnest(array['INSERT', 'UPDATE']) p
    where relkind <> 'S' and has_any_column_privilege(mine.oid, things.oid, p)
    union all
    select 6, format('may change the sequence %s|revoke usage, update on sequence %s from %I, and from public',
        name, name, current_user)
    from things, mine
    where relkind = 'S' and has_sequence_privilege(mine.oid, things.oid, 'USAGE, UPDATE')
    union all
    select 7, format('may create in the schema %I|revoke create on schema %I from public, %I',
        nspname, nspname, current_user)
    from pg_namespace, mine
    where nspname !~ '^pg_(toast|temp)' and has_schema_privilege(mine.oid, pg_namespace.oid, 'CREATE')
    union all
    select 8, format('may create schemas in the database|revoke create on database %I from public, %I',
        current_database(), current_user)
    from mine where has_database_privilege(mine.oid, current_database(), 'CREATE')
)
select words from found order by rank, words limit 1";

/// Whatever does not change anything.
const HARMLESS: [&str; 5] = ["USAGE", "SELECT", "SHOW VIEW", "SHOW DATABASES", "PROCESS"];

/// Refuses a user who may write, and says how the right is taken away.
pub(super) async fn read_only(database: &Database) -> Result<(), DbError> {
    let found = match database.engine() {
        Engine::Postgres => database.value(POSTGRES).await?.map(|words| {
            let (right, away) = words.split_once('|').unwrap_or((&words, ""));
            format!("{right}; take it away: {away}")
        }),
        Engine::MySql => {
            let grants = database.rows(&"show grants".into(), &[], 10_000).await?;
            let mut grants = grants.iter().filter_map(|row| row.first()?.as_deref());
            grants.find_map(more_than_reading)
        }
    };
    match found {
        None => Ok(()),
        Some(found) => Err(DbError::Refused(format!(
            "source.sql.url: the database's user {found}. A user who only reads is asked for, so that \
             no mistake here changes a record there"
        ))),
    }
}

/// What a line of `show grants` grants beyond reading. The line itself is not shown: some hold the
/// hash of the password.
fn more_than_reading(grant: &str) -> Option<String> {
    let rights = grant.strip_prefix("GRANT ").unwrap_or(grant);
    let Some((rights, on)) = rights.split_once(" ON ") else {
        let role = rights.split(" TO ").next().unwrap_or_default();
        return Some(format!(
            "has the role {role}, whose rights cannot be seen through; take it away: revoke {role} \
             from …, and grant select on what is read to the user itself"
        ));
    };
    let (thing, to) = on.split_once(" TO ").unwrap_or((on, ""));
    let rights = split(rights);
    let away = |right: &str| {
        format!("may {right} on {thing}; take it away: revoke {right} on {thing} from …")
    };
    if let Some(right) = rights.iter().find(|right| {
        let bare = right.split('(').next().unwrap_or(right).trim();
        !HARMLESS.contains(&bare)
    }) {
        return Some(away(&right.to_lowercase()));
    }
    to.ends_with("WITH GRANT OPTION")
        .then(|| away("grant option"))
}

/// The rights of a list, the columns of each within brackets.
fn split(rights: &str) -> Vec<String> {
    let mut all = vec![String::new()];
    let mut depth = 0_u32;
    for c in rights.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                all.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(last) = all.last_mut() {
            last.push(c);
        }
    }
    all.iter().map(|right| right.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_beyond_reading_are_told_and_no_hash_with_them() {
        for fine in [
            "GRANT USAGE ON *.* TO `reader`@`%` IDENTIFIED BY PASSWORD '*23AE809DDACAF96AF0FD78ED'",
            "GRANT SELECT, SHOW VIEW ON `health`.* TO `reader`@`%`",
            "GRANT SELECT (`id_no`, `name`) ON `health`.`residents` TO `reader`@`%`",
        ] {
            assert_eq!(more_than_reading(fine), None, "{fine}");
        }
        for (grant, right) in [
            (
                "GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost` IDENTIFIED BY PASSWORD '*23AE' WITH GRANT OPTION",
                "may all privileges on *.*",
            ),
            (
                "GRANT SELECT, INSERT ON `health`.* TO `reader`@`%`",
                "may insert on `health`.*",
            ),
            (
                "GRANT SELECT (`a`), UPDATE (`a`, `b`) ON `health`.`r` TO `reader`@`%`",
                "may update (`a`, `b`) on `health`.`r`",
            ),
            (
                "GRANT SELECT ON `health`.* TO `reader`@`%` WITH GRANT OPTION",
                "may grant option on `health`.*",
            ),
            ("GRANT `writers` TO `reader`@`%`", "has the role `writers`"),
            ("GRANT FILE ON *.* TO `reader`@`%`", "may file on *.*"),
            (
                "GRANT EXECUTE ON PROCEDURE `h`.`p` TO `reader`@`%`",
                "may execute on PROCEDURE `h`.`p`",
            ),
        ] {
            let words = more_than_reading(grant).unwrap();
            assert!(words.starts_with(right), "{words}");
            assert!(!words.contains("*23AE"), "{words}");
        }
    }
}
