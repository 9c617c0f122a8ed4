//! `/j/{code}`: what a register asks, consent, and who joins; nothing is typed before it was shown.
use super::{
    failure::{self, Again},
    fields::{Choice, Choices, Field, Kind, Problems},
    flow,
    form::Form,
    identity::{self, IdentityFields},
    page::{Page, Visit, sign_in_address, status},
    words::{Html, rich},
};
use crate::{
    actions::{
        join_register::{self, Joining},
        join_terms::{TypedConsent, TypedJoin},
        my,
        preview_register::{Preview, preview_register},
        profile::TypedIdentity,
    },
    error::{Error, FieldError, Result},
    web::cookies,
};
use askama::Template;
use axum::{
    extract::Path,
    http::StatusCode,
    response::{IntoResponse, Response},
};

#[derive(Template)]
#[template(path = "join.html")]
struct Join<'a> {
    p: Page<'a>,
    steps: Html,
    problems: Problems<'a>,
    code: String,
    preview: Preview,
    /// What is kept of the second step while this one is shown again.
    kept: Vec<(String, String)>,
    items: Choices<'a>,
    required: Vec<String>,
    sharing: Choices<'a>,
    whom: Option<Choices<'a>>,
    accepted: Choices<'a>,
    consent: Vec<String>,
    times: usize,
}

#[derive(Template)]
#[template(path = "join_identity.html")]
struct JoinIdentity<'a> {
    p: Page<'a>,
    steps: Html,
    problems: Problems<'a>,
    code: String,
    lead: String,
    kept: Vec<(String, String)>,
    fields: IdentityFields<'a>,
    birth_date: Field<'a>,
    department: Option<Field<'a>>,
    mismatch: bool,
    correction: String,
    signed_in: bool,
    guardian_link: String,
    has_code: bool,
}

#[derive(Template)]
#[template(path = "guardian.html")]
struct Guardian<'a> {
    p: Page<'a>,
    signed_in: bool,
    link: String,
}

/// The fields of the first step.
const FIRST_STEP: [&str; 5] = ["items", "sharing", "accepted", "version", "whom"];

/// `GET /j/{code}`
pub(super) async fn show(visit: Visit, Path(code): Path<String>) -> Response {
    let result = terms_page(&visit, &code, &Form::default(), None).await;
    visit.answer(result)
}

/// `POST /j/{code}`
pub(super) async fn post(visit: Visit, Path(code): Path<String>, form: Form) -> Response {
    let result = match form.get("step") {
        "back" => terms_page(&visit, &code, &form, None).await,
        "send" => send(&visit, &code, &form).await,
        _ => consented(&visit, &code, &form).await,
    };
    visit.answer(result)
}

/// The second step, where the consent is complete: the action says so, before it knows of anybody.
async fn consented(visit: &Visit, code: &str, form: &Form) -> Result<Response> {
    let nobody = TypedJoin {
        identity: TypedIdentity::default(),
        ..typed(form)
    };
    match join_register::join_register(&visit.app, &visit.actor, code, &nobody).await {
        Err(Error::Invalid(errors) | Error::ConsentRequired(errors)) => {
            let of_consent: Vec<FieldError> = errors.into_iter().filter(is_of_consent).collect();
            if of_consent.is_empty() {
                identity_page(visit, code, &prefilled(visit, form).await?, None).await
            } else {
                let error = Error::ConsentRequired(of_consent);
                terms_page(visit, code, form, Some(&error)).await
            }
        }
        Err(error) => Err(error),
        Ok(_) => Err(Error::unexpected("nobody joined")),
    }
}

async fn send(visit: &Visit, code: &str, form: &Form) -> Result<Response> {
    let (actor, secret) = flow::tied(visit);
    match join_register::join_register(&visit.app, &actor, code, &typed(form)).await {
        Ok(Joining::Started(started)) => {
            let back = format!("/j/{code}");
            Ok(flow::begin(
                visit,
                &secret,
                &started,
                "/verify",
                &[("back", &back)],
            ))
        }
        Ok(Joining::Pending(pending)) => Ok((
            cookies::set_pending(&visit.app, &pending.pending_id),
            super::page::to("/pending"),
        )
            .into_response()),
        Err(Error::ConsentRequired(errors) | Error::Invalid(errors)) => {
            if errors.iter().any(is_of_consent) {
                let error =
                    Error::ConsentRequired(errors.into_iter().filter(is_of_consent).collect());
                terms_page(visit, code, form, Some(&error)).await
            } else {
                identity_page(visit, code, form, Some(&Error::Invalid(errors))).await
            }
        }
        Err(
            error @ (Error::IdentityMismatch { .. }
            | Error::ResendTooEarly { .. }
            | Error::PhoneLimit),
        ) => identity_page(visit, code, form, Some(&error)).await,
        Err(Error::GuardianRequired) => Ok(guardian_page(visit, code)),
        Err(error @ Error::SmsNotSent) => {
            let again = Again {
                action: format!("/j/{code}"),
                pairs: form.without(&[]),
                label: visit.words().t("resend"),
            };
            Ok(failure::page(visit, &error, Some(again)))
        }
        Err(error) => Err(error),
    }
}

fn is_of_consent(error: &FieldError) -> bool {
    error.field.starts_with("consent.")
}

fn typed(form: &Form) -> TypedJoin {
    TypedJoin {
        identity: identity::typed(form),
        department: form.typed("department"),
        birth_date: form.typed("birth_date"),
        consent: Some(TypedConsent {
            accepted: form.is("accepted", "yes"),
            version: form.get("version").to_owned(),
            items: Some(form.all("items")),
            sharing: form.typed("sharing"),
        }),
    }
}

/// Fills in what is known of who is signed in.
async fn prefilled(visit: &Visit, form: &Form) -> Result<Form> {
    let is_typed = !form.get("name").is_empty() || !form.get("phone").is_empty();
    if is_typed || visit.actor.fully_signed_in().is_err() {
        return Ok(form.clone());
    }
    let Some(own) = my::data(&visit.app, &visit.actor).await?.profile else {
        return Ok(form.clone());
    };
    let mut pairs = form.without(&["name", "document_type", "document_number", "phone"]);
    if form.is("whom", "self") {
        pairs.push(("name".to_owned(), own.name));
        let kind = own.document_type.as_str().to_owned();
        pairs.push(("document_type".to_owned(), kind));
        pairs.push(("document_number".to_owned(), own.document_number));
    }
    pairs.push(("phone".to_owned(), own.phone));
    Ok(pairs.into_iter().collect())
}

async fn terms_page(
    visit: &Visit,
    code: &str,
    form: &Form,
    error: Option<&Error>,
) -> Result<Response> {
    let preview = preview_register(&visit.app, &visit.actor, code).await?;
    let words = visit.words();
    let problems = error.map_or_else(
        || Problems::none(words),
        |error| Problems::of_error(words, error, ""),
    );
    let title = words.t1("join-title", "organisation", &preview.organisation);
    let row = |id: &str, kind, name: &str, value: &str, key: &str| Choice {
        id: id.to_owned(),
        kind,
        name: name.to_owned(),
        value: value.to_owned(),
        label: words.h(key),
        plain: false,
        tag: String::new(),
        must: false,
        hint: words.t(&format!("{key}-hint")),
        checked: form.is(name, value),
    };
    let items = preview.items.iter().map(|asked| Choice {
        id: format!("item-{}", asked.item),
        kind: if asked.required { "fixed" } else { "checkbox" },
        name: "items".to_owned(),
        value: asked.item.clone(),
        label: rich(&words.item(&asked.item)),
        plain: false,
        tag: words.t(if asked.required { "required" } else { "may" }),
        must: asked.required,
        hint: words.item_hint(&asked.item),
        checked: form.is("items", &asked.item),
    });
    let group = |id: &str, key: &str, rows| Choices {
        words,
        id: id.to_owned(),
        legend: words.t(key),
        hint: String::new(),
        error: problems.of(id),
        rows,
    };
    let version = super::parts::version(words, &preview.consent.version);
    let mut accept = row("accepted-yes", "checkbox", "accepted", "yes", "join-accept");
    accept.label = words.h1("join-accept", "version", version);
    accept.hint = String::new();
    accept.plain = true;
    let whom = visit.actor.fully_signed_in().is_ok().then(|| {
        let own = form.get("whom").is_empty();
        let mut rows = vec![
            row("whom-self", "radio", "whom", "self", "join-whom-self"),
            row("whom-other", "radio", "whom", "other", "join-whom-other"),
        ];
        rows[0].checked |= own;
        group("whom", "join-whom", rows)
    });
    let template = Join {
        p: visit
            .page(title)
            .failing(error.is_some())
            .at(format!("/j/{code}")),
        steps: super::parts::steps(words, 1, 3, "step-terms"),
        code: code.to_owned(),
        kept: form.without(&[&FIRST_STEP[..], &["step"]].concat()),
        items: group("items", "join-items", items.collect()),
        required: preview
            .items
            .iter()
            .filter(|asked| asked.required)
            .map(|asked| asked.item.clone())
            .collect(),
        sharing: group(
            "sharing",
            "join-sharing",
            vec![
                row(
                    "sharing-verdict",
                    "radio",
                    "sharing",
                    "verdict",
                    "sharing-verdict",
                ),
                row(
                    "sharing-details",
                    "radio",
                    "sharing",
                    "details",
                    "sharing-details",
                ),
            ],
        ),
        whom,
        accepted: group("accepted", "join-consent", vec![accept]),
        consent: super::about::paragraphs(&preview.consent.text),
        times: preview.refresh_times.len(),
        problems,
        preview,
    };
    Ok(visit.show(error.map_or(StatusCode::OK, status), &template))
}

async fn identity_page(
    visit: &Visit,
    code: &str,
    form: &Form,
    error: Option<&Error>,
) -> Result<Response> {
    let preview = preview_register(&visit.app, &visit.actor, code).await?;
    let words = visit.words();
    let problems = error.map_or_else(
        || Problems::none(words),
        |error| Problems::of_error(words, error, &identity::document_name(words, form)),
    );
    let for_other = form.is("whom", "other");
    let lead = if for_other {
        "join-identity-lead-other"
    } else {
        "join-identity-lead"
    };
    let department = (!preview.departments.is_empty()).then(|| {
        let none = (String::new(), words.t("department-none"));
        let named = preview.departments.iter();
        let options = std::iter::once(none)
            .chain(named.map(|name| (name.clone(), name.clone())))
            .collect();
        Field::new(words, "department", Kind::Select(options))
            .optional()
            .value(form.get("department"))
            .checked(&problems)
    });
    let template = JoinIdentity {
        p: visit
            .titled("join-identity-title")
            .failing(error.is_some())
            .at(format!("/j/{code}")),
        steps: super::parts::steps(words, 2, 3, "step-identity"),
        code: code.to_owned(),
        lead: words.t(lead),
        kept: first_step(form),
        fields: IdentityFields::new(words, form, &problems),
        birth_date: Field::date(words, "birth_date", form.get("birth_date"))
            .optional()
            .checked(&problems),
        department,
        mismatch: matches!(error, Some(Error::IdentityMismatch { .. })),
        correction: super::parts::correction(words),
        signed_in: visit.actor.fully_signed_in().is_ok(),
        guardian_link: sign_in_address(&format!("/j/{code}")),
        has_code: matches!(error, Some(Error::ResendTooEarly { .. }))
            && flow::Flow::of(visit).is_some(),
        problems,
    };
    Ok(visit.show(error.map_or(StatusCode::OK, status), &template))
}

/// What was chosen in the first step, to go along with the second.
fn first_step(form: &Form) -> Vec<(String, String)> {
    form.without(&[])
        .into_iter()
        .filter(|(name, _)| FIRST_STEP.contains(&name.as_str()))
        .collect()
}

fn guardian_page(visit: &Visit, code: &str) -> Response {
    let template = Guardian {
        p: visit
            .titled("guardian-title")
            .failing(true)
            .at(format!("/j/{code}")),
        signed_in: visit.actor.fully_signed_in().is_ok(),
        link: sign_in_address(&format!("/j/{code}")),
    };
    visit.show(status(&Error::GuardianRequired), &template)
}
