//! Asking wrongly, and what every refusal must look like.
use super::routes::{Route, Who};
use crate::{
    app::{Answer, Client},
    rows::{Rows, rows},
    world::World,
};
use axum::{body::Body, http::Request};
use serde_json::Value;

pub(super) async fn raw(
    client: &Client,
    method: &str,
    path: &str,
    kind: &str,
    body: Vec<u8>,
) -> Answer {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("accept", "application/json")
        .header("content-type", kind);
    if let Some(bearer) = &client.bearer {
        request = request.header("authorization", format!("Bearer {bearer}"));
    }
    client.raw(request.body(Body::from(body)).unwrap()).await
}

/// A program asks, with a body or without one.
pub(super) async fn program(
    client: &Client,
    method: &str,
    path: &str,
    body: &Option<Value>,
) -> Answer {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("accept", "application/json");
    if let Some(bearer) = &client.bearer {
        request = request.header("authorization", format!("Bearer {bearer}"));
    }
    let bytes = match body {
        Some(body) => {
            request = request.header("content-type", "application/json");
            serde_json::to_vec(body).unwrap()
        }
        None => Vec::new(),
    };
    client.raw(request.body(Body::from(bytes)).unwrap()).await
}

pub(super) async fn json_body(client: &Client, route: &Route, path: &str, body: &Value) -> Answer {
    let bytes = serde_json::to_vec(body).unwrap();
    raw(client, route.method, path, "application/json", bytes).await
}

impl World {
    pub(super) fn client(&self, who: Who) -> Client {
        match who {
            Who::Anybody => self.app.client(),
            Who::Member => self.member.clone(),
            Who::Owner => self.owner.clone(),
        }
    }

    /// What must not change; counters of limits may.
    pub(super) async fn state(&self) -> Rows {
        rows(&self.app).await.without(&["counters"])
    }
}

/// Every place of a value in JSON, as `requirements.0.item`.
pub(super) fn places(value: &Value, at: &str, all: &mut Vec<String>) {
    if !at.is_empty() {
        all.push(at.to_owned());
    }
    let inner = |key: &str| {
        if at.is_empty() {
            key.to_owned()
        } else {
            format!("{at}.{key}")
        }
    };
    match value {
        Value::Object(entries) => entries
            .iter()
            .for_each(|(key, value)| places(value, &inner(key), all)),
        Value::Array(values) => values
            .iter()
            .enumerate()
            .for_each(|(key, value)| places(value, &inner(&key.to_string()), all)),
        _ => {}
    }
}

pub(super) fn pointer(place: &str) -> String {
    format!("/{}", place.replace('.', "/"))
}

pub(super) fn with(body: &Value, place: &str, value: Value) -> Value {
    let mut body = body.clone();
    *body.pointer_mut(&pointer(place)).unwrap() = value;
    body
}

/// The problem names the field, or the one that holds it.
#[track_caller]
pub(super) fn assert_names(answer: &Answer, place: &str, what: &str) {
    assert_problem(answer, what);
    assert_eq!(answer.status, 422, "{what}: {}", answer.body);
    let named = answer.body["errors"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let names = |field: &str| {
        let field = if place.starts_with("consent") || field.is_empty() {
            field
        } else {
            // A changed consent has the same fields, with or without the object around them.
            field.strip_prefix("consent.").unwrap_or(field)
        };
        place == field
            || place.starts_with(&format!("{field}."))
            || field.starts_with(&format!("{place}."))
    };
    assert!(
        named
            .iter()
            .any(|error| names(error["field"].as_str().unwrap())),
        "{what}: {}",
        answer.body
    );
}

/// A clear answer: 4xx, a problem with a code, and no words of the program's inside.
#[track_caller]
pub(super) fn assert_problem(answer: &Answer, what: &str) {
    assert!(
        (400..500).contains(&answer.status),
        "{what}: {} {}",
        answer.status,
        answer.body
    );
    assert_eq!(
        answer.headers["content-type"], "application/problem+json",
        "{what}"
    );
    assert!(!answer.body["code"].as_str().unwrap().is_empty(), "{what}");
    let text = answer.body.to_string();
    for word in [
        "serde",
        "sqlx",
        "sqlite",
        "panicked",
        "src/",
        "expected `",
        "line 1 column",
    ] {
        assert!(!text.contains(word), "{what}: {text}");
    }
}
