//! A posted form: names with values, names repeated for checkboxes. Reading one never fails.
use crate::app::App;
use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
};
use std::{convert::Infallible, sync::Arc};
use url::form_urlencoded;

/// What was posted, in its order.
#[derive(Clone, Default)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// The value of a field, as it was typed; empty where there is none.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0
            .iter()
            .find(|(own, _)| own == name)
            .map_or("", |(_, value)| value.as_str())
    }

    /// Every value of a field.
    pub(super) fn all(&self, name: &str) -> Vec<String> {
        self.0
            .iter()
            .filter(|(own, _)| own == name)
            .map(|(_, value)| value.clone())
            .collect()
    }

    /// Whether a field is there, as a ticked box or a pressed button.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(own, _)| own == name)
    }

    /// Whether a field has this value among others.
    pub(super) fn is(&self, name: &str, value: &str) -> bool {
        self.0
            .iter()
            .any(|(own, given)| own == name && given == value)
    }

    /// A field's value where something was typed.
    pub(super) fn typed(&self, name: &str) -> Option<String> {
        let value = self.get(name);
        (!value.trim().is_empty()).then(|| value.to_owned())
    }

    /// Every pair but those named, to be posted again.
    pub(super) fn without(&self, names: &[&str]) -> Vec<(String, String)> {
        self.0
            .iter()
            .filter(|(own, _)| !names.contains(&own.as_str()))
            .cloned()
            .collect()
    }

    /// Reads `a=1&b=2`.
    pub(super) fn parse(bytes: &[u8]) -> Self {
        Self(form_urlencoded::parse(bytes).into_owned().collect())
    }
}

impl FromIterator<(String, String)> for Form {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}

impl FromRequest<Arc<App>> for Form {
    type Rejection = Infallible;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Infallible> {
        // The guard has read the body and bounded it.
        let bytes = Bytes::from_request(request, app).await.unwrap_or_default();
        Ok(Self::parse(&bytes))
    }
}
