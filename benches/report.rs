//! Figures, each with what the raw engine does beside it.
use crate::{Res, world::Engine};
use serde::Serialize;
use std::path::Path;

/// What is wanted of a figure.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Target {
    /// As much as this, or more.
    AtLeast(f64),
    /// Less than this.
    Below(f64),
    /// Nothing is said.
    None,
}

/// A figure: one value a round, ours and beside it others'.
#[derive(Serialize)]
pub(crate) struct Figure {
    name: String,
    engine: &'static str,
    unit: &'static str,
    target: Target,
    ours: Vec<f64>,
    raw: Vec<(&'static str, Vec<f64>)>,
}

impl Figure {
    pub(crate) fn new(
        name: impl Into<String>,
        engine: Engine,
        unit: &'static str,
        target: Target,
    ) -> Self {
        Self {
            name: name.into(),
            engine: engine.name(),
            unit,
            target,
            ours: Vec::new(),
            raw: Vec::new(),
        }
    }

    pub(crate) fn ours(&mut self, value: f64) {
        self.ours.push(value);
    }

    pub(crate) fn raw(&mut self, label: &'static str, value: f64) {
        match self.raw.iter_mut().find(|(other, _)| *other == label) {
            Some((_, values)) => values.push(value),
            None => self.raw.push((label, vec![value])),
        }
    }

    /// Prints a line for ours, and one for each beside it.
    pub(crate) fn print(&self) {
        let ours = median(&self.ours);
        let target = match self.target {
            Target::AtLeast(least) => format!(">= {} {}", number(least), met(ours >= least)),
            Target::Below(most) => format!("<  {} {}", number(most), met(ours < most)),
            Target::None => String::new(),
        };
        let first = format!(
            "{:11} {:46} {:>10} {:9}",
            self.engine,
            self.name,
            number(ours),
            self.unit
        );
        if self.raw.is_empty() {
            println!("{first} {:>44} {target}", "");
        }
        for (at, (label, values)) in self.raw.iter().enumerate() {
            let raw = median(values);
            let beside = format!("{:>10} {:24} {:>7.3}", number(raw), label, ours / raw);
            match at {
                0 => println!("{first} {beside} {target}"),
                _ => println!("{:79} {beside}", ""),
            }
        }
    }
}

/// The head of the table.
pub(crate) fn head() {
    println!(
        "{:11} {:46} {:>10} {:9} {:>10} {:24} {:>7} target",
        "engine", "figure", "ours", "", "beside", "", "ratio"
    );
}

/// Writes the figures as JSON.
pub(crate) fn write(path: &Path, figures: &[Figure]) -> Res<()> {
    Ok(std::fs::write(path, serde_json::to_vec_pretty(figures)?)?)
}

fn met(met: bool) -> &'static str {
    if met { "met" } else { "MISSED" }
}

fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => values[n / 2],
        n => f64::midpoint(values[n / 2 - 1], values[n / 2]),
    }
}

fn number(value: f64) -> String {
    if value < 100.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
