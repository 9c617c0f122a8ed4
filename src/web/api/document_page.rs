//! The OpenAPI document as a page without scripts, and the codes of problems.
use crate::web::{error::CODES, pages};
use askama::Template;
use serde_json::Value;
use utoipa::openapi::OpenApi as Document;

#[derive(Template)]
#[template(path = "docs/api.html")]
struct OperationsPage {
    style: &'static str,
    tags: Vec<Tag>,
}

struct Tag {
    name: String,
    operations: Vec<Shown>,
}

struct Shown {
    method: String,
    path: String,
    summary: String,
    parameters: Vec<Field>,
    body: Vec<Field>,
    answers: Vec<Answer>,
}

struct Answer {
    status: String,
    description: String,
    fields: Vec<Field>,
}

struct Field {
    name: String,
    kind: String,
    description: String,
}

/// Every operation, by tag.
pub(super) fn operations(document: &Document) -> String {
    let document = serde_json::to_value(document).unwrap_or_default();
    let mut tags: Vec<Tag> = Vec::new();
    for (path, item) in entries(&document["paths"]) {
        for (method, operation) in entries(item) {
            let name = text(&operation["tags"][0]);
            let shown = Shown {
                method: method.to_uppercase(),
                path: path.clone(),
                summary: text(&operation["summary"]),
                parameters: parameters(operation),
                body: fields(&document, schema_of(&operation["requestBody"])),
                answers: answers(&document, operation),
            };
            match tags.iter_mut().find(|tag| tag.name == name) {
                Some(tag) => tag.operations.push(shown),
                None => tags.push(Tag {
                    name,
                    operations: vec![shown],
                }),
            }
        }
    }
    OperationsPage {
        style: style(),
        tags,
    }
    .render()
    .unwrap_or_default()
}

fn style() -> &'static str {
    pages::asset("style.css")
}

fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn parameters(operation: &Value) -> Vec<Field> {
    let list = operation["parameters"].as_array().into_iter().flatten();
    list.map(|parameter| Field {
        name: text(&parameter["name"]),
        kind: text(&parameter["in"]),
        description: text(&parameter["description"]),
    })
    .collect()
}

fn answers(document: &Value, operation: &Value) -> Vec<Answer> {
    entries(&operation["responses"])
        .filter(|(status, _)| *status != "default")
        .map(|(status, response)| Answer {
            status: status.clone(),
            description: text(&response["description"]),
            fields: fields(document, schema_of(response)),
        })
        .collect()
}

fn schema_of(holder: &Value) -> &Value {
    entries(&holder["content"])
        .next()
        .map_or(&Value::Null, |(_, content)| &content["schema"])
}

/// The fields of a schema; those of each choice where there are several.
fn fields(document: &Value, schema: &Value) -> Vec<Field> {
    let schema = resolve(document, schema);
    if schema["items"].is_object() {
        return fields(document, &schema["items"]);
    }
    let mut all: Vec<Field> = entries(&schema["properties"])
        .map(|(name, property)| Field {
            name: name.clone(),
            kind: kind(property),
            description: text(&property["description"]),
        })
        .collect();
    for list in ["oneOf", "anyOf", "allOf"] {
        for choice in schema[list].as_array().into_iter().flatten() {
            all.extend(fields(document, choice));
        }
    }
    all
}

fn resolve<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let name = schema["$ref"]
        .as_str()
        .and_then(|path| path.rsplit('/').next());
    name.map_or(schema, |name| &document["components"]["schemas"][name])
}

/// A property's type in a word or two.
fn kind(property: &Value) -> String {
    if let Some(name) = property["$ref"].as_str() {
        return name.rsplit('/').next().unwrap_or_default().to_owned();
    }
    if property["items"].is_object() {
        return format!("[{}]", kind(&property["items"]));
    }
    match &property["type"] {
        Value::String(one) => one.clone(),
        Value::Array(several) => several.iter().map(text).collect::<Vec<_>>().join(" or "),
        _ => {
            let choices = property["oneOf"].as_array().into_iter().flatten();
            choices.map(kind).collect::<Vec<_>>().join(" or ")
        }
    }
}

#[derive(Template)]
#[template(path = "docs/problems.html")]
struct ProblemsPage {
    style: &'static str,
    codes: &'static [(&'static str, &'static str)],
}

/// Every code of a problem.
pub(super) fn problems() -> String {
    ProblemsPage {
        style: style(),
        codes: CODES,
    }
    .render()
    .unwrap_or_default()
}
