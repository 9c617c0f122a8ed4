//! Which of a gateway's own templates a text is.
use super::{NotSent, Sms, Wrong};
use crate::config::{Purpose, Templates};

/// The approved templates of a gateway, complete in one language at least.
pub(super) struct Approved(Templates);

impl Approved {
    /// Takes templates whose ids look like the gateway's, for every purpose in some language.
    pub(super) fn new(templates: &Templates, is_id: fn(&str) -> bool) -> Result<Self, Wrong> {
        for (language, purposes) in templates {
            for (purpose, id) in purposes {
                if !is_id(id) {
                    let words = format!("{language}.{}: not a template's id", purpose.name());
                    return Err(Wrong::new("templates", words));
                }
            }
        }
        for purpose in Purpose::ALL {
            if !templates.values().any(|all| all.contains_key(&purpose)) {
                let words = format!("none for {} in any language", purpose.name());
                return Err(Wrong::new("templates", words));
            }
        }
        Ok(Self(templates.clone()))
    }

    /// The template of a text, in its language or, where that lacks it, in another.
    pub(super) fn of(&self, sms: &Sms<'_>) -> Result<&str, NotSent> {
        let primary = |tag: &str| tag.split(['-', '_']).next().map(str::to_ascii_lowercase);
        let wanted = primary(sms.language);
        let (own, others): (Vec<_>, Vec<_>) =
            self.0.iter().partition(|(tag, _)| primary(tag) == wanted);
        own.into_iter()
            .chain(others)
            .find_map(|(_, purposes)| purposes.get(&sms.purpose))
            .map(String::as_str)
            .ok_or_else(|| NotSent::Refused("no template for it".to_owned()))
    }

    /// Every template's id, once.
    pub(super) fn ids(&self) -> Vec<&str> {
        let mut ids: Vec<&str> = self
            .0
            .values()
            .flat_map(|purposes| purposes.values().map(String::as_str))
            .collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }
}

/// The code of a text, where it keeps to what both clouds let a code be: 4 to 6 digits.
pub(super) fn code<'a>(sms: &Sms<'a>) -> Result<Option<&'a str>, NotSent> {
    let fits = |code: &str| {
        (4..=6).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_digit())
    };
    match sms.code {
        Some(code) if !fits(code) => Err(NotSent::Refused("no code of 4 to 6 digits".to_owned())),
        code => Ok(code),
    }
}

/// The approved signature, as the gateway wants it: without the brackets that it puts around.
pub(super) fn signature(sender: &str) -> Result<String, Wrong> {
    let sender = sender.trim();
    let length = sender.chars().count();
    if !(2..=16).contains(&length) || sender.contains(['【', '】', '[', ']']) {
        let words = "the approved signature, of 2 to 16 characters without brackets";
        return Err(Wrong::new("sender", words));
    }
    Ok(sender.to_owned())
}
