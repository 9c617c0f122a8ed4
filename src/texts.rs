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

/// A language's tag and its files, each with its name.
type Locale = (&'static str, &'static [(&'static str, &'static str)]);

/// Every folder of `locales/` with its files; the first is the default.
const LOCALES: &[Locale] = include!(concat!(env!("OUT_DIR"), "/locales.rs"));

impl Texts {
    /// The texts that the binary embeds.
    #[must_use]
    #[expect(clippy::expect_used, reason = "what is embedded is tested")]
    pub fn embedded() -> Self {
        let bundles = LOCALES
            .iter()
            .map(|(tag, files)| {
                // cannot fail: a test reads every embedded file.
                let language: LanguageIdentifier = tag.parse().expect("language tag");
                let mut bundle = FluentBundle::new_concurrent(vec![language]);
                bundle.set_use_isolating(false);
                for (_, text) in *files {
                    let resource = match FluentResource::try_new((*text).to_owned()) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// The keys of a file, and what of it cannot be read.
    fn keys(text: &str) -> BTreeSet<String> {
        let named = |line: &&str| line.starts_with(|first: char| first.is_ascii_lowercase());
        text.lines()
            .filter(named)
            .filter_map(|line| line.split_once(" ="))
            .map(|(key, _)| key.to_owned())
            .collect()
    }

    #[test]
    fn every_file_reads_and_no_key_stands_twice() {
        for (tag, files) in LOCALES {
            let mut seen = BTreeSet::new();
            for (file, text) in *files {
                if let Err((_, errors)) = FluentResource::try_new((*text).to_owned()) {
                    panic!("{tag}/{file}: {errors:?}");
                }
                for key in keys(text) {
                    assert!(seen.insert(key.clone()), "{tag}/{file}: {key} stands twice");
                }
            }
        }
    }

    #[test]
    fn every_language_has_every_file_with_every_key() {
        let (_, first) = LOCALES[0];
        for (tag, files) in LOCALES {
            for (file, text) in first {
                let (_, own) = files
                    .iter()
                    .find(|(name, _)| name == file)
                    .unwrap_or_else(|| panic!("{tag} has no {file}"));
                let (wanted, own) = (keys(text), keys(own));
                let missing: Vec<_> = wanted.difference(&own).collect();
                let more: Vec<_> = own.difference(&wanted).collect();
                assert!(
                    missing.is_empty() && more.is_empty(),
                    "{tag}/{file}: missing {missing:?}, unknown {more:?}"
                );
            }
            assert_eq!(files.len(), first.len(), "{tag} has other files");
        }
    }

    #[test]
    fn texts_of_all_languages_take_the_same_arguments() {
        let arguments = |text: &str| -> BTreeSet<String> {
            text.match_indices('$')
                .map(|(at, _)| {
                    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
                    text[at + 1..].chars().take_while(|c| word(*c)).collect()
                })
                .collect()
        };
        let bodies = |files: &[(&str, &str)]| {
            let mut all = std::collections::BTreeMap::<String, String>::new();
            for (_, text) in files {
                let mut key = String::new();
                for line in text.lines() {
                    match line.split_once(" =") {
                        Some((name, rest)) if keys(line).contains(name) => {
                            key = name.to_owned();
                            all.insert(key.clone(), rest.to_owned());
                        }
                        _ if line.starts_with([' ', '}']) => {
                            all.entry(key.clone()).or_default().push_str(line);
                        }
                        _ => {}
                    }
                }
            }
            all
        };
        let first = bodies(LOCALES[0].1);
        for (tag, files) in LOCALES {
            for (key, text) in bodies(files) {
                let wanted = first.get(&key).map(String::as_str).unwrap_or_default();
                assert_eq!(arguments(&text), arguments(wanted), "{tag}: {key}");
            }
        }
    }
}
