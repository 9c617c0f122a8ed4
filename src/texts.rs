//! Texts for people, in fluent files: a folder of `locales/` is a language.
use fluent::{FluentArgs, FluentResource, FluentValue, concurrent::FluentBundle};
use unic_langid::LanguageIdentifier;

/// A language that texts are there in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Lang(usize);

/// The texts of every language. The first is the default.
pub struct Texts {
    bundles: Vec<(String, FluentBundle<FluentResource>)>,
}

/// Every language with its files; the first is the default.
const LOCALES: &[(&str, &[&str])] = &[
    (
        "zh-CN",
        &[
            include_str!("../locales/zh-CN/sms.ftl"),
            include_str!("../locales/zh-CN/export.ftl"),
        ],
    ),
    (
        "en",
        &[
            include_str!("../locales/en/sms.ftl"),
            include_str!("../locales/en/export.ftl"),
        ],
    ),
];

impl Texts {
    /// The texts that the binary embeds.
    #[must_use]
    pub fn embedded() -> Self {
        let bundles = LOCALES
            .iter()
            .map(|(tag, files)| {
                // cannot fail: a test reads every embedded file.
                let language: LanguageIdentifier = tag.parse().expect("language tag");
                let mut bundle = FluentBundle::new_concurrent(vec![language]);
                bundle.set_use_isolating(false);
                for file in *files {
                    let resource = match FluentResource::try_new((*file).to_owned()) {
                        Ok(resource) | Err((resource, _)) => resource,
                    };
                    bundle.add_resource_overriding(resource);
                }
                ((*tag).to_owned(), bundle)
            })
            .collect();
        Self { bundles }
    }

    /// A language's tag, as `zh-CN`.
    #[must_use]
    pub fn tag(&self, lang: Lang) -> &str {
        &self.bundles[lang.0.min(self.bundles.len() - 1)].0
    }

    /// Every language there is.
    pub fn languages(&self) -> impl Iterator<Item = Lang> + '_ {
        (0..self.bundles.len()).map(Lang)
    }

    /// The language of that tag, by its first part: `en-GB` finds `en`.
    #[must_use]
    pub fn find(&self, tag: &str) -> Option<Lang> {
        let primary = |tag: &str| {
            tag.split('-')
                .next()
                .unwrap_or_default()
                .to_ascii_lowercase()
        };
        let wanted = primary(tag.trim());
        self.bundles
            .iter()
            .position(|(own, _)| primary(own) == wanted)
            .map(Lang)
    }

    /// A text with its arguments; its key, where the language lacks it.
    #[must_use]
    pub fn get(
        &self,
        lang: Lang,
        key: &str,
        arguments: &[(&'static str, FluentValue<'_>)],
    ) -> String {
        let bundle = &self.bundles[lang.0.min(self.bundles.len() - 1)].1;
        let (message, attribute) = key
            .split_once('.')
            .map_or((key, None), |(m, a)| (m, Some(a)));
        let pattern = bundle
            .get_message(message)
            .and_then(|message| match attribute {
                Some(name) => message
                    .get_attribute(name)
                    .map(|attribute| attribute.value()),
                None => message.value(),
            });
        let Some(pattern) = pattern else {
            return key.to_owned();
        };
        let mut args = FluentArgs::new();
        for (name, value) in arguments {
            args.set(*name, value.clone());
        }
        bundle
            .format_pattern(pattern, Some(&args), &mut Vec::new())
            .into_owned()
    }

    /// Whether a language has a text.
    #[must_use]
    pub fn has(&self, lang: Lang, key: &str) -> bool {
        let message = key.split('.').next().unwrap_or_default();
        self.bundles[lang.0.min(self.bundles.len() - 1)]
            .1
            .has_message(message)
    }
}
