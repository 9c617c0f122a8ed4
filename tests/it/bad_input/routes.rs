//! Every route by what it reads, so that a new one is not forgotten.
use crate::app::{Person, join_body, terms};
use serde_json::{Value, json};

/// Who asks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    Anybody,
    Member,
    Owner,
}

/// A route with a body: who may, and a body that is right but for what a test breaks in it.
pub(super) struct Route {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) who: Who,
    pub(super) body: Value,
    /// Fields that may be missing or null.
    pub(super) optional: &'static [&'static str],
    /// Fields whose wrong text is no wrong field but something that is not there.
    pub(super) opaque: &'static [&'static str],
    /// Fields that take any text at all: they only narrow what is read.
    pub(super) free: &'static [&'static str],
}

const fn nothing() -> &'static [&'static str] {
    &[]
}

/// What a browser and an authenticator wrote: whatever is wrong with it, one refusal.
const ANSWER: &[&str] = &[
    "id",
    "user_id",
    "client_data",
    "authenticator_data",
    "signature",
    "public_key",
];

/// Every route that reads a body.
pub(super) fn with_body() -> Vec<Route> {
    let route = |method, path, who, body| Route {
        method,
        path,
        who,
        body,
        optional: nothing(),
        opaque: nothing(),
        free: nothing(),
    };
    let person = Person::number(7);
    let mut sign_in = person.identity();
    sign_in["purpose"] = json!("leave");
    let mut join = join_body(&person);
    join["department"] = json!("后勤");
    join["birth_date"] = json!("1980-01-01");
    let mut register = terms();
    register["administrator_title"] = json!("校医");
    register["ends_on"] = json!("2023-01-31");
    register["requirements"][1] = json!({ "item": "vaccination", "at_least": "basic_complete" });
    register["requirements"]
        .as_array_mut()
        .unwrap()
        .push(json!({ "item": "nucleic_acid", "max_days": 3 }));
    let filters = json!({
        "name": "甲", "verdict": "meets", "item": "health_code", "value": "green", "days": "3",
        "state": "ok", "department": "后勤", "sort": "joined_at", "limit": "20", "after": "x",
    });
    let every: &[&str] = &[
        "organisation",
        "contact",
        "administrator_title",
        "street_code",
        "purpose",
        "items",
        "requirements",
        "departments",
        "ends_on",
        "requirements.0.allowed",
        "requirements.1.at_least",
        "requirements.2.max_days",
    ];
    vec![
        Route {
            optional: &["purpose"],
            ..route("POST", "/api/v1/sign-in", Who::Anybody, sign_in)
        },
        route(
            "POST",
            "/api/v1/verifications/{id}/confirm",
            Who::Anybody,
            json!({ "code": "12345" }),
        ),
        Route {
            optional: &[
                "department",
                "birth_date",
                "consent",
                "consent.items",
                "consent.sharing",
            ],
            ..route("POST", "/api/v1/join/{code}", Who::Anybody, join)
        },
        route(
            "POST",
            "/api/v1/join/{code}/report",
            Who::Anybody,
            json!({ "reason": "名称有误" }),
        ),
        Route {
            optional: every,
            ..route("POST", "/api/v1/registers", Who::Owner, register.clone())
        },
        Route {
            optional: every,
            ..route("PATCH", "/api/v1/registers/{id}", Who::Owner, register)
        },
        Route {
            opaque: &["confirmation_token"],
            ..route(
                "DELETE",
                "/api/v1/registers/{id}",
                Who::Owner,
                json!({ "organisation": "青禾实验小学", "confirmation_token": "x" }),
            )
        },
        Route {
            optional: &[
                "verdict",
                "item",
                "value",
                "days",
                "state",
                "department",
                "sort",
                "limit",
                "after",
            ],
            free: &["value", "department"],
            ..route(
                "POST",
                "/api/v1/registers/{id}/members/search",
                Who::Owner,
                filters,
            )
        },
        Route {
            opaque: &["confirmation_token"],
            ..route(
                "POST",
                "/api/v1/registers/{id}/exports",
                Who::Owner,
                json!({ "format": "csv", "purpose": "核对", "confirmation_token": "x" }),
            )
        },
        Route {
            optional: &["departments"],
            opaque: &["confirmation_token"],
            ..route(
                "POST",
                "/api/v1/registers/{id}/administrators",
                Who::Owner,
                json!({ "departments": ["后勤"], "confirmation_token": "x" }),
            )
        },
        Route {
            opaque: &["confirmation_token"],
            ..route(
                "POST",
                "/api/v1/registers/{id}/hand-over",
                Who::Owner,
                json!({ "confirmation_token": "x" }),
            )
        },
        Route {
            opaque: ANSWER,
            ..route(
                "POST",
                "/api/v1/sign-in/passkey",
                Who::Anybody,
                json!({
                    "id": "AAAA", "user_id": "AAAA", "client_data": "AAAA",
                    "authenticator_data": "AAAA", "signature": "AAAA",
                }),
            )
        },
        Route {
            opaque: &["confirmation_token"],
            ..route(
                "POST",
                "/api/v1/me/passkeys/challenge",
                Who::Owner,
                json!({ "confirmation_token": "x" }),
            )
        },
        Route {
            opaque: ANSWER,
            ..route(
                "POST",
                "/api/v1/me/passkeys",
                Who::Owner,
                json!({
                    "label": "手机", "client_data": "AAAA", "authenticator_data": "AAAA",
                    "public_key": "AAAA",
                }),
            )
        },
        Route {
            opaque: &["confirmation_token"],
            ..route(
                "DELETE",
                "/api/v1/me/passkeys/{id}",
                Who::Owner,
                json!({ "confirmation_token": "x" }),
            )
        },
        Route {
            optional: &["register_id"],
            opaque: &["register_id"],
            ..route(
                "POST",
                "/api/v1/me/confirmations",
                Who::Owner,
                json!({ "action": "export", "register_id": "AAAAAAAAAAAAAAAAAAAAAA" }),
            )
        },
        Route {
            optional: &["items", "sharing", "consent"],
            ..route(
                "PATCH",
                "/api/v1/me/authorizations/{id}",
                Who::Member,
                json!({
                    "accepted": true,
                    "version": tuantibu::actions::join_terms::CONSENT_VERSION,
                    "items": ["health_code", "nucleic_acid"],
                    "sharing": "details",
                }),
            )
        },
    ]
}

/// Routes that take no body: an empty one or `{}` at most.
pub(super) const WITHOUT_BODY: &[(&str, &str)] = &[
    ("POST", "/api/v1/sign-in/passkey/challenge"),
    ("POST", "/api/v1/verifications/{id}/resend"),
    ("POST", "/api/v1/registers/{id}/code"),
    ("POST", "/api/v1/registers/{id}/members/{member}/phone"),
    ("POST", "/api/v1/pending/{id}/send-code"),
    ("POST", "/api/v1/leave/{link}"),
    ("POST", "/api/v1/invitations/{link}"),
    ("POST", "/leave/{link}"),
];

/// Routes that read no body.
pub(super) const WITHOUT_READING: &[(&str, &str)] = &[
    ("GET", "/api/v1/divisions"),
    ("GET", "/api/v1/registers"),
    ("GET", "/api/v1/registers/{id}"),
    ("GET", "/api/v1/registers/{id}/code.png"),
    ("GET", "/api/v1/registers/{id}/code.svg"),
    ("GET", "/api/v1/registers/{id}/summary"),
    ("GET", "/api/v1/registers/{id}/members"),
    ("GET", "/api/v1/registers/{id}/members/{member}"),
    ("DELETE", "/api/v1/registers/{id}/members/{member}"),
    ("GET", "/api/v1/registers/{id}/administrators"),
    (
        "DELETE",
        "/api/v1/registers/{id}/administrators/{administrator}",
    ),
    ("DELETE", "/api/v1/registers/{id}/invitations/{invitation}"),
    ("GET", "/api/v1/invitations/{link}"),
    ("GET", "/api/v1/join/{code}"),
    ("GET", "/api/v1/pending/{id}"),
    ("DELETE", "/api/v1/pending/{id}"),
    ("GET", "/api/v1/leave/{link}"),
    ("GET", "/leave/{link}"),
    ("GET", "/api/v1/me"),
    ("GET", "/api/v1/me/data"),
    ("GET", "/api/v1/me/access-log"),
    ("GET", "/api/v1/me/passkeys"),
    ("GET", "/api/v1/me/sessions"),
    ("DELETE", "/api/v1/me/sessions"),
    ("DELETE", "/api/v1/me/sessions/{id}"),
    ("DELETE", "/api/v1/session"),
    ("GET", "/api/v1/me/authorizations"),
    ("GET", "/api/v1/me/authorizations/{id}"),
    ("DELETE", "/api/v1/me/authorizations/{id}"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
];
