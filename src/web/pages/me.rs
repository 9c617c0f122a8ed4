//! `/me`: one's own authorizations and those given for others, and who looked.
use super::{
    page::{Area, Page, Visit},
    state::{self, Badge, State},
    words::Words,
};
use crate::{
    actions::{
        access_log::{self as log, Access},
        my::{self, Me, MyAuthorization, MyData},
        sessions::{self, SessionView},
    },
    error::{Error, Result},
    model::id::Id,
};
use askama::Template;
use axum::{extract::Path, response::Response};

/// Entries of the log that the first page shows.
const FIRST_ENTRIES: usize = 3;

/// An authorization as a card.
pub(super) struct Card<'a> {
    pub(super) own: MyAuthorization,
    badge: Option<Badge>,
    seen: Vec<(String, State<'a>)>,
    /// Whether the group asks for more than what was consented to, or the text is another.
    asks_more: bool,
}

/// A person with their authorizations.
struct Group<'a> {
    name: String,
    is_self: bool,
    cards: Vec<Card<'a>>,
}

#[derive(Template)]
#[template(path = "me.html")]
struct Mine<'a> {
    p: Page<'a>,
    me: Me,
    groups: Vec<Group<'a>>,
    log: Vec<Entry>,
    more: bool,
}

/// An entry of the log in words.
struct Entry {
    at: String,
    who: String,
    what: String,
    fields: String,
    register: String,
}

/// `GET /me`
pub(super) async fn show(visit: Visit) -> Response {
    let result = mine(&visit).await;
    visit.answer(result)
}

async fn mine(visit: &Visit) -> Result<Response> {
    let words = visit.words();
    let me = my::me(&visit.app, &visit.actor).await?;
    let mut groups: Vec<Group<'_>> = Vec::new();
    for own in my::authorizations(&visit.app, &visit.actor).await? {
        let name = own.person.name.clone();
        let is_self = own.person.is_self;
        let id = own.person.id.clone();
        let card = card(words, own);
        match groups
            .iter_mut()
            .find(|group| group.cards.iter().any(|card| card.own.person.id == id))
        {
            Some(group) => group.cards.push(card),
            None => groups.push(Group {
                name,
                is_self,
                cards: vec![card],
            }),
        }
    }
    groups.sort_by_key(|group| !group.is_self);
    let log = log::access_log(&visit.app, &visit.actor).await?;
    let template = Mine {
        p: visit.titled("me-title").within(Area::Own),
        me,
        groups,
        more: log.len() > FIRST_ENTRIES,
        log: log
            .iter()
            .take(FIRST_ENTRIES)
            .map(|access| entry(words, access))
            .collect(),
    };
    Ok(visit.ok(&template))
}

/// An authorization as a card.
pub(super) fn card(words: Words<'_>, own: MyAuthorization) -> Card<'_> {
    let missing = own
        .asked
        .iter()
        .any(|asked| !own.items.contains(&asked.item));
    Card {
        badge: own
            .verdict
            .map(|verdict| state::badge(words, verdict, None)),
        seen: super::joined::seen(words, &own),
        asks_more: missing || own.consent_version != own.present_version,
        own,
    }
}

fn entry(words: Words<'_>, access: &Access) -> Entry {
    let what = match &access.purpose {
        Some(purpose) => words.t1("access-exported-for", "purpose", purpose),
        None => words.of("access", &access.action),
    };
    let who = match (
        &access.administrator_title,
        access.administrator_masked.as_str(),
    ) {
        (_, "") => words.t("access-former"),
        (Some(title), name) => words.t2("access-by-title", "title", title, "name", name),
        (None, name) => name.to_owned(),
    };
    let fields: Vec<String> = access
        .fields
        .iter()
        .map(|field| match field.as_str() {
            "name" | "document_masked" | "phone_masked" | "phone" | "department" | "verdict" => {
                words.of("looked", field)
            }
            item => words.item(item),
        })
        .collect();
    Entry {
        at: words.moment(&access.at),
        who,
        fields: if fields.is_empty() {
            String::new()
        } else {
            words.t1("access-fields", "fields", words.list(&fields))
        },
        what,
        register: access.register.clone(),
    }
}

#[derive(Template)]
#[template(path = "access_log.html")]
struct AccessLog<'a> {
    p: Page<'a>,
    log: Vec<Entry>,
}

/// `GET /me/access-log`
pub(super) async fn access_log(visit: Visit) -> Response {
    let words = visit.words();
    let result = log::access_log(&visit.app, &visit.actor).await.map(|log| {
        visit.ok(&AccessLog {
            p: visit.titled("access-log-title").within(Area::Own),
            log: log.iter().map(|access| entry(words, access)).collect(),
        })
    });
    visit.answer(result)
}

#[derive(Template)]
#[template(path = "sessions.html")]
struct Sessions<'a> {
    p: Page<'a>,
    sessions: Vec<SessionView>,
    /// Whether the others were just ended.
    ended: bool,
}

/// `GET /me/sessions`
pub(super) async fn sessions(visit: Visit) -> Response {
    let result = sessions::list(&visit.app, &visit.actor)
        .await
        .map(|sessions| {
            visit.ok(&Sessions {
                p: visit.titled("sessions-title").within(Area::Own),
                sessions,
                ended: visit.query.is("ended", "others"),
            })
        });
    visit.answer(result)
}

/// `POST /me/sessions/others`
pub(super) async fn end_others(visit: Visit) -> Response {
    let ended = sessions::end_others(&visit.app, &visit.actor).await;
    match ended {
        // What is posted alone is no page to come back to.
        Err(Error::NotSignedIn) => super::page::to(&super::page::sign_in_address("/me/sessions")),
        ended => visit.answer(ended.map(|_| super::page::to("/me/sessions?ended=others"))),
    }
}

/// `POST /me/sessions/{id}`
pub(super) async fn end_session(visit: Visit, Path(id): Path<String>) -> Response {
    let ended = match Id::parse(&id) {
        Some(id) => sessions::end_own(&visit.app, &visit.actor, Some(id)).await,
        None => Err(Error::NotFound),
    };
    let is_own = visit
        .actor
        .session
        .is_some_and(|session| session.id.to_string() == id);
    match ended {
        Ok(()) if is_own => super::page::to("/"),
        Ok(()) => super::page::to("/me/sessions"),
        Err(error) => visit.fail(&error),
    }
}

#[derive(Template)]
#[template(path = "data.html")]
struct Data<'a> {
    p: Page<'a>,
    data: MyData,
}

/// `GET /me/data`
pub(super) async fn data(visit: Visit) -> Response {
    let result = my::data(&visit.app, &visit.actor).await.map(|data| {
        visit.ok(&Data {
            p: visit.titled("data-title").within(Area::Own),
            data,
        })
    });
    visit.answer(result)
}
