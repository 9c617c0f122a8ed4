//! The words of a page: texts in its language, times and days as people say them.
use crate::{
    app::App,
    clock,
    qr::Qr,
    texts::{Lang, Texts},
};
use askama::filters::HtmlSafe;
use fluent::FluentValue;
use jiff::{Timestamp, civil::Date, fmt::strtime};
use std::fmt;

/// Marks in texts: where a heading may break, and what is strong.
const BREAK: char = '¦';
const STRONG: char = '⟦';
const STRONG_END: char = '⟧';

/// Texts in the language of a page.
#[derive(Clone, Copy)]
pub(super) struct Words<'a> {
    pub(super) app: &'a App,
    pub(super) lang: Lang,
}

/// Markup of ours, whatever was put into it escaped.
#[derive(Clone, Default)]
pub(super) struct Html(String);

impl Html {
    /// A rendered piece.
    pub(super) fn of(template: &impl askama::Template) -> Self {
        Self(template.render().unwrap_or_default())
    }

    /// A QR code, drawn in the page; nothing where the text is too long for one.
    pub(super) fn qr(text: &str) -> Self {
        Self(Qr::of(text).map(|qr| qr.svg()).unwrap_or_default())
    }
}

impl fmt::Display for Html {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl askama::FastWritable for Html {
    fn write_into(&self, out: &mut dyn fmt::Write, _: &dyn askama::Values) -> askama::Result<()> {
        out.write_str(&self.0)?;
        Ok(())
    }
}

impl HtmlSafe for Html {}

/// What a text takes as an argument.
pub(super) trait Argument {
    fn value(&self) -> FluentValue<'static>;
}

impl Argument for str {
    fn value(&self) -> FluentValue<'static> {
        FluentValue::from(self.to_owned())
    }
}

impl Argument for String {
    fn value(&self) -> FluentValue<'static> {
        self.as_str().value()
    }
}

macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl Argument for $number {
            fn value(&self) -> FluentValue<'static> {
                FluentValue::from(*self)
            }
        }
    )*};
}
numbers!(i64, i32, u16, usize);

impl<T: Argument + ?Sized> Argument for &T {
    fn value(&self) -> FluentValue<'static> {
        (**self).value()
    }
}

impl<'a> Words<'a> {
    pub(super) fn new(app: &'a App, lang: Lang) -> Self {
        Self { app, lang }
    }

    /// The language's tag.
    pub(super) fn tag(&self) -> &'a str {
        self.app.texts.tag(self.lang)
    }

    /// Whether there is such a text.
    pub(super) fn has(&self, key: &str) -> bool {
        self.app.texts.has(self.lang, key)
    }

    /// A text.
    pub(super) fn t(&self, key: &str) -> String {
        self.with(key, &[])
    }

    /// A text with one argument.
    pub(super) fn t1(&self, key: &str, name: &'static str, value: impl Argument) -> String {
        self.with(key, &[(name, value.value())])
    }

    /// A text with two.
    pub(super) fn t2(
        &self,
        key: &str,
        name: &'static str,
        value: impl Argument,
        other: &'static str,
        more: impl Argument,
    ) -> String {
        self.with(key, &[(name, value.value()), (other, more.value())])
    }

    /// A text of a family: `state` and `not_matched` make `state-not-matched`.
    pub(super) fn of(&self, family: &str, value: &str) -> String {
        self.t(&format!("{family}-{}", value.replace(['_', '.'], "-")))
    }

    /// A text with any arguments.
    pub(super) fn with(&self, key: &str, arguments: &[(&'static str, FluentValue<'_>)]) -> String {
        self.app.texts.get(self.lang, key, arguments)
    }

    /// A text with its marks as markup.
    pub(super) fn h(&self, key: &str) -> Html {
        rich(&self.t(key))
    }

    /// The same with one argument.
    pub(super) fn h1(&self, key: &str, name: &'static str, value: impl Argument) -> Html {
        rich(&self.t1(key, name, unmarked(value)))
    }

    /// The same with two.
    pub(super) fn h2(
        &self,
        key: &str,
        name: &'static str,
        value: impl Argument,
        other: &'static str,
        more: impl Argument,
    ) -> Html {
        rich(&self.t2(key, name, unmarked(value), other, unmarked(more)))
    }

    /// Words in a row.
    pub(super) fn list<S: AsRef<str>>(&self, words: &[S]) -> String {
        let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
        words.join(&self.t("list-separator"))
    }

    /// 今天 12:00, 昨天 16:00, 11-24 09:00
    pub(super) fn moment(&self, rfc3339: &str) -> String {
        let Some((date, clock)) = self.local(rfc3339) else {
            return String::new();
        };
        let today = self.app.today();
        if date == today {
            self.t1("time-today", "time", clock)
        } else if today.yesterday().is_ok_and(|day| day == date) {
            self.t1("time-yesterday", "time", clock)
        } else if today.tomorrow().is_ok_and(|day| day == date) {
            self.t1("time-tomorrow", "time", clock)
        } else if date.year() == today.year() {
            format!("{} {clock}", format_date("%m-%d", date))
        } else {
            format!("{date} {clock}")
        }
    }

    /// The same without the word for today.
    pub(super) fn short_moment(&self, rfc3339: &str) -> String {
        match self.local(rfc3339) {
            Some((date, clock)) if date == self.app.today() => clock,
            _ => self.moment(rfc3339),
        }
    }

    /// 2026-11-25 12:21
    pub(super) fn full_moment(&self, rfc3339: &str) -> String {
        self.local(rfc3339)
            .map(|(date, clock)| format!("{date} {clock}"))
            .unwrap_or_default()
    }

    /// 11-24
    pub(super) fn month_day(&self, rfc3339: &str) -> String {
        self.local(rfc3339)
            .map(|(date, _)| format_date("%m-%d", date))
            .unwrap_or_default()
    }

    /// 2027 年 1 月 20 日, of a date or a time
    pub(super) fn day(&self, text: &str) -> String {
        let date = text
            .parse::<Date>()
            .ok()
            .or_else(|| self.local(text).map(|(date, _)| date));
        let Some(date) = date else {
            return text.to_owned();
        };
        let number = |number: i64| FluentValue::from(number);
        self.with(
            "date-long",
            &[
                ("year", number(date.year().into())),
                ("month", number(date.month().into())),
                ("day", number(date.day().into())),
            ],
        )
    }

    /// The local day and the time of day, 24 hours.
    fn local(&self, rfc3339: &str) -> Option<(Date, String)> {
        let at: Timestamp = rfc3339.parse().ok()?;
        let local = at.to_zoned_datetime(self.app.zone.clone());
        Some((local.date(), local.strftime("%H:%M").to_string()))
    }

    /// A time in milliseconds as it is handed on by actions.
    pub(super) fn rfc3339(&self, millis: i64) -> String {
        clock::rfc3339(millis, &self.app.zone)
    }

    /// 6:00、9:00、12:00、16:00
    pub(super) fn refresh_times(&self) -> String {
        let times: Vec<String> = self
            .app
            .times
            .iter()
            .map(|time| time.strftime("%-H:%M").to_string())
            .collect();
        self.list(&times)
    }

    /// A health item's name.
    pub(super) fn item(&self, id: &str) -> String {
        self.app
            .catalogue
            .get(id)
            .map_or(id, |item| item.name_in(self.tag()))
            .to_owned()
    }

    /// Several items' names.
    pub(super) fn items<S: AsRef<str>>(&self, ids: &[S]) -> String {
        let names: Vec<String> = ids.iter().map(|id| self.item(id.as_ref())).collect();
        self.list(&names)
    }

    /// What is seen of an item.
    pub(super) fn item_hint(&self, id: &str) -> String {
        let hint = self.app.catalogue.get(id).map(|item| &item.hint);
        hint.and_then(|hint| hint.get(self.tag()).or_else(|| hint.values().next()))
            .cloned()
            .unwrap_or_default()
    }

    /// An icon of the sprite; the word stands beside it.
    pub(super) fn icon(&self, name: &str) -> Html {
        Html(format!(
            "<svg class=\"i\" aria-hidden=\"true\"><use href=\"{}#{name}\"/></svg>",
            super::assets::url("icons.svg")
        ))
    }

    /// An asset's address.
    pub(super) fn asset(&self, name: &str) -> &'static str {
        super::assets::url(name)
    }

    /// The texts, for what is not about this page's language.
    pub(super) fn texts(&self) -> &'a Texts {
        &self.app.texts
    }
}

fn format_date(format: &str, date: Date) -> String {
    strtime::format(format, date).unwrap_or_else(|_| date.to_string())
}

/// An argument without the marks, so that nobody sets any.
fn unmarked(value: impl Argument) -> FluentOwned {
    FluentOwned(match value.value() {
        FluentValue::String(text) => {
            FluentValue::from(text.replace([BREAK, STRONG, STRONG_END], " "))
        }
        other => other,
    })
}

struct FluentOwned(FluentValue<'static>);

impl Argument for FluentOwned {
    fn value(&self) -> FluentValue<'static> {
        self.0.clone()
    }
}

/// Escapes a text and makes its marks markup.
pub(super) fn rich(text: &str) -> Html {
    let mut html = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            BREAK => html.push_str("<wbr>"),
            STRONG => html.push_str("<strong>"),
            STRONG_END => html.push_str("</strong>"),
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            c => html.push(c),
        }
    }
    Html(html)
}

/// A text without its marks.
pub(super) fn plain(text: &str) -> String {
    text.replace([BREAK, STRONG, STRONG_END], "")
}
