//! Seeing a register: its list, filtered and paged, a search by name, one member.
use super::{
    Actor, Role, Session, audit,
    limits::{self, Limit, Window},
    looks::Look,
    member_json,
    member_output::{Member, member},
    members_view::{self, departments_for},
    profile::Profile,
    register_terms::json,
};
use crate::{
    app::App,
    crypto::{Place, Table},
    error::{Error, FieldError, Result},
    model::{
        health::{ItemState, Kind},
        id::Id,
        name::Name,
        requirement::Verdict,
        view::{Cursor, Entry, Filter, Sort, View, WantedVerdict},
    },
    store::{
        Tx, hex_list, persons,
        registers::{self, RegisterRow},
    },
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

/// Views of one register by one session are one event in this many milliseconds.
const VIEW_EVENT_MS: i64 = 10 * 60 * 1000;
/// Profiles opened before other tasks of the thread get their turn.
const OPENED_AT_ONCE: usize = 500;
const DEFAULT_LIMIT: usize = 50;
const MOST_LIMIT: usize = 200;

/// Which members are wanted, as it was asked for.
#[derive(Clone, Debug, Default, Serialize, Deserialize, utoipa::ToSchema, utoipa::IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct MembersQuery {
    /// `meets`, `expires_tomorrow`, `fails` or `unknown`.
    pub verdict: Option<String>,
    /// An item; with `value`, `days` or `state`.
    pub item: Option<String>,
    /// A value of that item; for a test `negative`, `positive`, `unknown` or `overdue`.
    pub value: Option<String>,
    /// Days of that test: `0` to `3`, or `4+`.
    pub days: Option<String>,
    /// A state of that item, or of any.
    pub state: Option<String>,
    /// A department.
    pub department: Option<String>,
    /// `verdict` (those needing action first), `joined_at`, `-joined_at` or `data_time`.
    pub sort: Option<String>,
    /// Rows a page, 1 to 200; 50 where nothing is said.
    pub limit: Option<String>,
    /// `next` of the page before.
    pub after: Option<String>,
}

/// A page of members.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct MembersPage {
    /// The rows.
    pub members: Vec<Member>,
    /// What `after` takes for the next page; null on the last.
    pub next: Option<String>,
    /// How many pass the filter in all.
    pub total: usize,
}

/// The members that were found: rendered by [`Found::members`] or [`Found::json`].
pub struct Found {
    view: Arc<View>,
    places: Vec<usize>,
    next: Option<String>,
    total: usize,
}

impl Found {
    /// The rows, for pages and sheets.
    #[must_use]
    pub fn members(self, app: &App) -> MembersPage {
        let shown = self.shown(app);
        let members = shown.map(|(entry, profile)| member(app, &self.view, entry, &profile));
        MembersPage {
            members: members.collect(),
            next: self.next,
            total: self.total,
        }
    }

    /// The JSON of the same [`MembersPage`].
    #[must_use]
    pub fn json(&self, app: &App) -> Vec<u8> {
        member_json::page(
            app,
            &self.view,
            self.shown(app),
            self.next.as_deref(),
            self.total,
        )
    }

    /// Who left since the view was made has no profile: they are gone at once.
    fn shown<'a>(&'a self, app: &'a App) -> impl Iterator<Item = (&'a Entry, Profile)> {
        let entries = self.places.iter().map(|place| self.view.at(*place));
        entries.filter_map(|entry| Some((entry, profile_of(app, entry)?)))
    }
}

struct Wanted {
    filter: Filter,
    sort: Sort,
    limit: usize,
    after: Option<Cursor>,
}

/// Lists members.
///
/// # Errors
/// [`Error::NotFound`] for another group's register; [`Error::Invalid`] names a parameter that
/// cannot be read.
pub async fn list_members(
    app: &App,
    actor: &Actor,
    register: Id,
    query: &MembersQuery,
) -> Result<Found> {
    let session = reading_session(app, actor).await?;
    let (standing, role) = super::standing_of(app, session, register).await?;
    let view = members_view::view_of(app, register, &standing).await?;
    let wanted = wanted(app, &view, register, &role, query)?;
    let page = page(app, register, view.clone(), &wanted, |_| true).await?;
    log_view(app, actor, register, &view, &role).await?;
    Ok(page)
}

/// Searches members by a part of their name. The words are in no URL and no log.
///
/// # Errors
/// As [`list_members`]; an empty name is a wrong field.
pub async fn search_members(
    app: &App,
    actor: &Actor,
    register: Id,
    name: &str,
    query: &MembersQuery,
) -> Result<Found> {
    let session = reading_session(app, actor).await?;
    let searched = Name::parse(name).map_err(|error| {
        let empty = name.trim().is_empty();
        Error::field("name", if empty { "required" } else { error.code() })
    })?;
    let (standing, role) = super::standing_of(app, session, register).await?;
    let view = members_view::view_of(app, register, &standing).await?;
    let wanted = wanted(app, &view, register, &role, query)?;
    let everybody: Vec<&Entry> = view.entries().collect();
    load_profiles(app, &everybody).await?;
    let mut found = HashSet::new();
    for (done, entry) in everybody.into_iter().enumerate() {
        if done % OPENED_AT_ONCE == OPENED_AT_ONCE - 1 {
            tokio::task::yield_now().await;
        }
        if let Some(profile) = profile_of(app, entry)
            && Name::parse(profile.name()).is_ok_and(|own| own.key().contains(searched.key()))
        {
            found.insert(entry.person);
        }
    }
    let page = page(app, register, view.clone(), &wanted, |entry| {
        found.contains(&entry.person)
    })
    .await?;
    let mut tx = app.store.write().await?;
    record_look(app, &mut tx, actor, "searched", register, &view, &role).await?;
    tx.commit().await?;
    Ok(page)
}

/// Shows one member.
///
/// # Errors
/// [`Error::NotFound`] for a member of another register or department.
pub async fn show_member(app: &App, actor: &Actor, register: Id, id: Id) -> Result<Member> {
    let session = reading_session(app, actor).await?;
    let mut tx = app.store.read().await?;
    let (row, role) = super::register_of(app, &mut tx, session, register).await?;
    let view = members_view::make_one(app, &mut tx, &row, id).await?;
    drop(tx);
    let entry = view
        .get(id)
        .filter(|entry| may_see(&role, entry.department.as_deref()))
        .ok_or(Error::NotFound)?;
    load_profiles(app, &[entry]).await?;
    let profile = profile_of(app, entry).ok_or(Error::NotFound)?;
    let shown = member(app, &view, entry, &profile);
    log_view(app, actor, register, &view, &role).await?;
    Ok(shown)
}

/// Every member that a role sees, in the list's order, for an export.
pub(crate) async fn all_members(
    app: &App,
    tx: &mut Tx,
    row: &RegisterRow,
    role: &Role,
) -> Result<(Arc<View>, Vec<Member>)> {
    let view = Arc::new(members_view::make(app, tx, row).await?);
    let filter = Filter {
        departments: departments_for(role, None),
        ..Filter::default()
    };
    let wanted = Wanted {
        filter,
        sort: Sort::Verdict,
        limit: usize::MAX - 1,
        after: None,
    };
    let found = page(app, super::id_of(&row.id)?, view.clone(), &wanted, |_| true).await?;
    Ok((view, found.members(app).members))
}

/// The session, counted against the limit of reads.
pub(crate) async fn reading_session(app: &App, actor: &Actor) -> Result<Session> {
    count_read(app, actor.fully_signed_in()?).await
}

/// The same where a session that only serves leaving does too.
pub(crate) async fn own_reading_session(app: &App, actor: &Actor) -> Result<Session> {
    count_read(app, actor.signed_in()?).await
}

async fn count_read(app: &App, session: Session) -> Result<Session> {
    let limit = Limit {
        kind: "reads",
        of: &[session.id.bytes()],
        window: Window::Minute,
        most: app.config.limits.reads_session,
    };
    limits::take_alone(app, limit).await?;
    Ok(session)
}

/// Whether a role sees members of a department.
pub(crate) fn may_see(role: &Role, department: Option<&str>) -> bool {
    role.departments.as_ref().is_none_or(|own| {
        department.is_some_and(|department| own.iter().any(|name| name == department))
    })
}

async fn page(
    app: &App,
    register: Id,
    view: Arc<View>,
    wanted: &Wanted,
    also: impl Fn(&Entry) -> bool,
) -> Result<Found> {
    let (places, next) = view.page(
        &wanted.filter,
        wanted.sort,
        wanted.after,
        wanted.limit,
        &also,
    );
    let total = view.count(&wanted.filter, &also);
    let entries: Vec<&Entry> = places.iter().map(|place| view.at(*place)).collect();
    load_profiles(app, &entries).await?;
    Ok(Found {
        next: next.map(|cursor| seal_cursor(app, register.bytes(), cursor)),
        view,
        places,
        total,
    })
}

/// Brings the sealed profiles of those who were never shown into the view.
async fn load_profiles(app: &App, entries: &[&Entry]) -> Result<()> {
    let missing: HashMap<&[u8], &Entry> = entries
        .iter()
        .filter(|entry| entry.profile.get().is_none())
        .map(|entry| (entry.person.bytes(), *entry))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let mut tx = app.store.read().await?;
    for row in persons::by_ids(&mut tx, &hex_list(missing.keys().copied())).await? {
        if let Some(entry) = missing.get(row.id.as_slice()) {
            // Another request may have brought the same one.
            let _ = entry.profile.set(row.profile.into());
        }
    }
    Ok(())
}

/// The opened profile of a member. One that was tampered with costs nobody else their row.
fn profile_of(app: &App, entry: &Entry) -> Option<Profile> {
    let sealed = entry.profile.get()?;
    Profile::open(app, entry.person, sealed)
        .inspect_err(|error| tracing::error!(%error, "a profile does not open"))
        .ok()
}

/// Reads what was asked for.
fn wanted(
    app: &App,
    view: &View,
    register: Id,
    role: &Role,
    query: &MembersQuery,
) -> Result<Wanted> {
    let mut errors = Vec::new();
    let mut wrong = |field: &str, code| errors.push(FieldError::new(field, code));
    let text = |value: &Option<String>| value.clone().filter(|value| !value.is_empty());
    let verdict = text(&query.verdict).and_then(|text| match text.as_str() {
        "meets" => Some(WantedVerdict::Is(Verdict::Meets)),
        "fails" => Some(WantedVerdict::Is(Verdict::Fails)),
        "unknown" => Some(WantedVerdict::Is(Verdict::Unknown)),
        "expires_tomorrow" => Some(WantedVerdict::ExpiresTomorrow),
        _ => {
            wrong("verdict", "unknown_value");
            None
        }
    });
    let mut item = text(&query.item).and_then(|text| {
        let at = view.items.iter().position(|(item, _)| *item == text);
        if at.is_none() {
            wrong("item", "unknown_item");
        }
        at
    });
    let days = text(&query.days).and_then(|text| match text.as_str() {
        // An unencoded plus arrives as a space.
        "4+" | "4 " => Some(4),
        digit => {
            let days = digit.parse().ok().filter(|days| (0..=3).contains(days));
            if days.is_none() {
                wrong("days", "unknown_value");
            }
            days
        }
    });
    if days.is_some() && item.is_none() && query.item.is_none() {
        item = view.items.iter().position(|(_, kind)| *kind == Kind::Test);
    }
    let state = text(&query.state).and_then(|text| {
        let state = ItemState::ALL
            .into_iter()
            .find(|state| state.as_str() == text);
        if state.is_none() {
            wrong("state", "unknown_value");
        }
        state
    });
    let sort = match query.sort.as_deref() {
        None | Some("" | "verdict") => Sort::Verdict,
        Some("joined_at") => Sort::Joined,
        Some("-joined_at") => Sort::JoinedLast,
        Some("data_time") => Sort::DataTime,
        Some(_) => {
            wrong("sort", "unknown_value");
            Sort::Verdict
        }
    };
    let limit = text(&query.limit).map_or(Some(DEFAULT_LIMIT), |text| {
        text.parse()
            .ok()
            .filter(|limit| (1..=MOST_LIMIT).contains(limit))
    });
    if limit.is_none() {
        wrong("limit", "range");
    }
    let value = text(&query.value);
    if value.is_some() && item.is_none() {
        wrong("item", "required");
    }
    let after = text(&query.after).and_then(|text| {
        let cursor = open_cursor(app, register.bytes(), &text);
        if cursor.is_none() {
            wrong("after", "unknown_value");
        }
        cursor
    });
    if !errors.is_empty() {
        return Err(Error::Invalid(errors));
    }
    let departments = departments_for(role, text(&query.department).as_deref());
    let filter = Filter {
        verdict,
        item,
        value,
        days,
        state,
        departments,
    };
    Ok(Wanted {
        filter,
        sort,
        limit: limit.unwrap_or(DEFAULT_LIMIT),
        after,
    })
}

/// A cursor holds a place in the order; sealed, since a place tells a verdict.
fn seal_cursor(app: &App, register: &[u8], cursor: Cursor) -> String {
    let mut plain = [0; 32];
    plain[..8].copy_from_slice(&cursor.rank.to_be_bytes());
    plain[8..16].copy_from_slice(&cursor.joined_at.to_be_bytes());
    plain[16..].copy_from_slice(cursor.id.bytes());
    URL_SAFE_NO_PAD.encode(app.keys.seal(&cursor_place(register), &plain))
}

fn open_cursor(app: &App, register: &[u8], text: &str) -> Option<Cursor> {
    let sealed = URL_SAFE_NO_PAD.decode(text).ok()?;
    let plain = app.keys.open(&cursor_place(register), &sealed).ok()?;
    Some(Cursor {
        rank: i64::from_be_bytes(plain.get(..8)?.try_into().ok()?),
        joined_at: i64::from_be_bytes(plain.get(8..16)?.try_into().ok()?),
        id: Id::from_slice(plain.get(16..)?)?,
    })
}

fn cursor_place(register: &[u8]) -> Place<'_> {
    Place {
        table: Table::Registers,
        column: "cursor",
        row: register,
        bound: b"",
    }
}

/// Leaves one event for the views of a session in ten minutes.
async fn log_view(app: &App, actor: &Actor, register: Id, view: &View, role: &Role) -> Result<()> {
    let key = (actor.signed_in()?.id, register);
    let now = app.now();
    if app
        .seen
        .get(&key)
        .await
        .is_some_and(|last| (0..VIEW_EVENT_MS).contains(&(now - last)))
    {
        return Ok(());
    }
    let mut tx = app.store.write().await?;
    registers::opened(&mut tx, register.bytes(), now).await?;
    record_look(app, &mut tx, actor, "viewed", register, view, role).await?;
    tx.commit().await?;
    app.seen.insert(key, now).await;
    Ok(())
}

/// Records that somebody looked at a register's rows, and which fields they had.
async fn record_look(
    app: &App,
    tx: &mut Tx,
    actor: &Actor,
    action: &str,
    register: Id,
    view: &View,
    role: &Role,
) -> Result<()> {
    let items = view.items.iter().map(|(item, _)| item.as_str());
    let detail = json(&Look::at_rows(items, role))?;
    let event = audit::Event {
        actor: Some(actor.signed_in()?.person),
        from: Some(actor),
        action,
        register: Some(register),
        detail: Some(&detail),
        ..audit::Event::default()
    };
    audit::record(app, tx, event).await
}
