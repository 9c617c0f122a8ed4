//! The parts of a form that a register's terms are typed in: items, requirements, departments.
use super::{
    fields::{Field, Kind, Problems},
    form::Form,
    words::Words,
};
use crate::model::{
    catalogue::Item,
    health::{Kind as ItemKind, Progress},
    register::{AskedItem, TypedRequirement},
    requirement::{Requirement, Rule},
};
use jiff::ToSpan;

/// Days that the form offers for a test.
const TEST_DAYS: [u16; 7] = [0, 1, 2, 3, 5, 7, 14];
/// Days that the form offers for the last dose of a vaccine.
const DOSE_DAYS: [u16; 3] = [180, 365, 730];

/// One item of the catalogue in the form.
pub(super) struct ItemFields<'a> {
    pub(super) name: String,
    pub(super) hint: String,
    pub(super) asked: Field<'a>,
    pub(super) rule: Field<'a>,
    /// How days are counted, by an example.
    pub(super) example: String,
}

/// Every item of the catalogue with what was chosen.
pub(super) fn item_fields<'a>(
    words: Words<'a>,
    form: &Form,
    problems: &Problems<'_>,
) -> Vec<ItemFields<'a>> {
    let items = &words.app.catalogue.items;
    items
        .iter()
        .map(|item| {
            let chosen = form.get(&rule_name(&item.id)).to_owned();
            let mut rules = rules_of(words, item);
            let known = rules.iter().any(|(value, _)| *value == chosen);
            if let (false, Some(rule)) = (known, parse_rule(&chosen)) {
                rules.push((chosen.clone(), rule_words(words, &item.id, &rule)));
            }
            let needs = [
                ("", "item-not-asked"),
                ("required", "item-required"),
                ("optional", "item-optional"),
            ];
            let needs = needs
                .iter()
                .map(|(value, key)| ((*value).to_owned(), words.t(key)))
                .collect();
            ItemFields {
                name: item.name_in(words.tag()).to_owned(),
                hint: words.item_hint(&item.id),
                asked: Field::new(words, &asked_name(&item.id), Kind::Select(needs))
                    .label(words.t("item-asked"))
                    .value(form.get(&asked_name(&item.id))),
                rule: Field::new(words, &rule_name(&item.id), Kind::Select(rules))
                    .label(words.t("item-rule"))
                    .value(&chosen)
                    .checked(problems),
                example: match parse_rule(&chosen) {
                    Some(Rule::MaxDays(days)) if item.kind == ItemKind::Test => {
                        example(words, days)
                    }
                    _ => String::new(),
                },
            }
        })
        .collect()
}

/// The form of a new register: every item with the requirement that the catalogue proposes.
pub(super) fn suggested(words: Words<'_>) -> Vec<(String, String)> {
    let items = words.app.catalogue.items.iter();
    items
        .filter_map(|item| {
            let rule = item.suggested.as_ref()?;
            Some((rule_name(&item.id), rule_value(rule)))
        })
        .collect()
}

/// The form of a register that is there.
pub(super) fn chosen(items: &[AskedItem], requirements: &[Requirement]) -> Vec<(String, String)> {
    let asked = items.iter().map(|asked| {
        let need = if asked.required {
            "required"
        } else {
            "optional"
        };
        (asked_name(&asked.item), need.to_owned())
    });
    let rules = requirements
        .iter()
        .map(|own| (rule_name(&own.item), rule_value(&own.rule)));
    asked.chain(rules).collect()
}

/// The items that were chosen, in the catalogue's order.
pub(super) fn asked(words: Words<'_>, form: &Form) -> Vec<AskedItem> {
    let items = words.app.catalogue.items.iter();
    items
        .filter_map(|item| {
            let required = match form.get(&asked_name(&item.id)) {
                "required" => true,
                "optional" => false,
                _ => return None,
            };
            Some(AskedItem {
                item: item.id.clone(),
                required,
            })
        })
        .collect()
}

/// The requirements that were chosen on items asked for.
pub(super) fn requirements(words: Words<'_>, form: &Form) -> Vec<TypedRequirement> {
    asked(words, form)
        .into_iter()
        .filter_map(|asked| {
            let rule = parse_rule(form.get(&rule_name(&asked.item)))?;
            let mut typed = TypedRequirement {
                item: asked.item,
                ..TypedRequirement::default()
            };
            match rule {
                Rule::MaxDays(days) => typed.max_days = Some(days.into()),
                Rule::Allowed(values) => typed.allowed = Some(values),
                Rule::AtLeast(value) => typed.at_least = Some(value),
            }
            Some(typed)
        })
        .collect()
}

/// The departments, one a line.
pub(super) fn departments(form: &Form) -> Vec<String> {
    form.get("departments")
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect()
}

/// A requirement in words: 3 天内阴性, 只有“未见异常”.
pub(super) fn rule_words(words: Words<'_>, item: &str, rule: &Rule) -> String {
    let kind = words.app.catalogue.get(item).map(|item| item.kind);
    match (rule, kind) {
        (Rule::MaxDays(days), Some(ItemKind::Immunization)) => {
            words.t1("rule-dose-days", "days", *days)
        }
        (Rule::MaxDays(days), _) => words.t1("rule-test-days", "days", *days),
        (Rule::Allowed(values), Some(ItemKind::Certificate)) if values.len() == 1 => {
            words.t("rule-certificate")
        }
        (Rule::Allowed(values), _) => {
            let names: Vec<String> = values
                .iter()
                .map(|value| super::state::value_name(words, item, value))
                .map(|name| words.t1("rule-quoted", "value", name))
                .collect();
            words.t1("rule-allowed", "values", names.join(&words.t("rule-or")))
        }
        (Rule::AtLeast(value), _) => words.t1("rule-at-least", "value", words.of("vaccine", value)),
    }
}

/// The rules that the form offers on an item.
fn rules_of(words: Words<'_>, item: &Item) -> Vec<(String, String)> {
    let mut rules = Vec::new();
    match item.kind {
        ItemKind::Status => {
            let mut values: Vec<_> = item.values.iter().collect();
            values.sort_by_key(|value| value.severity);
            for most in 1..values.len() {
                let allowed = values.iter().take(most).map(|own| own.value.clone());
                rules.push(Rule::Allowed(allowed.collect()));
            }
        }
        ItemKind::Test => rules.extend(TEST_DAYS.map(Rule::MaxDays)),
        ItemKind::Immunization => {
            for progress in [Progress::Complete, Progress::Booster] {
                rules.push(Rule::AtLeast(progress.as_str().to_owned()));
            }
            rules.extend(DOSE_DAYS.map(Rule::MaxDays));
        }
        ItemKind::Certificate => rules.push(Rule::Allowed(vec!["valid".to_owned()])),
    }
    let none = (String::new(), words.t("rule-none"));
    let offered = rules
        .iter()
        .map(|rule| (rule_value(rule), rule_words(words, &item.id, rule)));
    std::iter::once(none).chain(offered).collect()
}

/// 从采样那天算起 …
fn example(words: Words<'_>, days: u16) -> String {
    let today = words.app.today();
    let sampled = today.checked_sub(i64::from(days).days()).unwrap_or(today);
    let over = today.tomorrow().unwrap_or(today);
    words.with(
        "rule-example",
        &[
            ("sampled", words.day(&sampled.to_string()).into()),
            ("last", words.day(&today.to_string()).into()),
            ("over", words.day(&over.to_string()).into()),
        ],
    )
}

fn asked_name(item: &str) -> String {
    format!("asked-{item}")
}

fn rule_name(item: &str) -> String {
    format!("rule-{item}")
}

/// A rule as the value of an option: `max_days:3`.
fn rule_value(rule: &Rule) -> String {
    match rule {
        Rule::MaxDays(days) => format!("max_days:{days}"),
        Rule::Allowed(values) => format!("allowed:{}", values.join(",")),
        Rule::AtLeast(value) => format!("at_least:{value}"),
    }
}

fn parse_rule(value: &str) -> Option<Rule> {
    let (kind, rest) = value.split_once(':')?;
    match kind {
        "max_days" => rest.parse().ok().map(Rule::MaxDays),
        "allowed" => Some(Rule::Allowed(rest.split(',').map(str::to_owned).collect())),
        "at_least" => Some(Rule::AtLeast(rest.to_owned())),
        _ => None,
    }
}
