//! The OpenAPI document.
use super::document_page::{operations, problems};
use crate::{
    app::App,
    web::{error::ProblemBody, headers::Caching},
};
use axum::{
    Extension, Router,
    body::Bytes,
    http::header,
    response::{Html, IntoResponse},
    routing::get,
};
use std::sync::Arc;
use utoipa::{
    Modify, OpenApi,
    openapi::{
        ContentBuilder, Object, OpenApi as Document, Ref, RefOr, ResponseBuilder, Type,
        path::Operation,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "tuantibu",
        description = "A self-hosted group health register. A session is a bearer token here; \
            times are RFC 3339 with offset; ids are opaque. Errors are problems of RFC 9457 with \
            a stable `code`, listed at /docs/problems."
    ),
    components(schemas(ProblemBody)),
    modifiers(&Bearer)
)]
struct Base;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut Document) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        document
            .components
            .get_or_insert_default()
            .add_security_scheme("bearer", SecurityScheme::Http(scheme));
    }
}

/// The routes of the document of everything that was collected.
pub(in crate::web) fn routes(collected: Document) -> Router<Arc<App>> {
    let document = finish(collected);
    let json = Bytes::from(document.to_json().unwrap_or_default());
    let pages = [operations(&document), problems()].map(Bytes::from);
    let [operations, problems] = pages.map(|page| get(async move || Html(page)));
    let serve = async move || {
        let kind = [(header::CONTENT_TYPE, "application/json")];
        (kind, Extension(Caching::Hour), json).into_response()
    };
    Router::new()
        .route("/api/v1/openapi.json", get(serve))
        .route("/docs/api", operations)
        .route("/docs/problems", problems)
}

/// Adds what every operation has: a problem for whatever fails. The leave link stands under its
/// own address too.
fn finish(mut collected: Document) -> Document {
    if let Some(link) = collected.paths.paths.get("/api/v1/leave/{link}").cloned() {
        let mut link = link;
        for operation in [&mut link.get, &mut link.post].into_iter().flatten() {
            operation.operation_id = operation.operation_id.take().map(|id| id + "_page");
            add_problem(operation);
            for response in operation.responses.responses.values_mut() {
                if let RefOr::T(response) = response {
                    // To people, who do not say that they want JSON.
                    let page = Object::with_type(Type::String);
                    let page = ContentBuilder::new().schema(Some(page)).build();
                    response.content.insert("text/html".to_owned(), page.into());
                }
            }
        }
        collected
            .paths
            .paths
            .insert("/leave/{link}".to_owned(), link);
    }
    for item in collected.paths.paths.values_mut() {
        let operations = [
            &mut item.get,
            &mut item.put,
            &mut item.post,
            &mut item.patch,
            &mut item.delete,
        ];
        for operation in operations.into_iter().flatten() {
            add_problem(operation);
        }
    }
    Base::openapi().merge_from(collected)
}

fn add_problem(operation: &mut Operation) {
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("ProblemBody")))
        .build();
    let problem = ResponseBuilder::new()
        .description("A problem")
        .content("application/problem+json", content)
        .build();
    let responses = &mut operation.responses.responses;
    responses
        .entry("default".to_owned())
        .or_insert_with(|| problem.into());
}
