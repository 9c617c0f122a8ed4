//! What is wrong with the simulator on purpose.
use super::Problem;
use crate::{crypto::random::Random, source::contract::PersonAnswer};
use axum::{
    body::{Body, to_bytes},
    http::header,
    response::{IntoResponse, Response},
};
use futures_util::stream;
use std::{io, time::Duration};

/// What is wrong. Shares are of 0 to 1.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Faults {
    /// Milliseconds before each answer.
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pub latency_ms: u64,
    /// Share of requests that are told to come later (503).
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    pub error_rate: f64,
    /// Share of answers that break off in the middle.
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    pub half_rate: f64,
    /// Share of people of a reading whose answer is missing.
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    pub missing_rate: f64,
    /// Seconds that its clock is ahead; behind where negative.
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 0,
        allow_negative_numbers = true
    )]
    pub clock_skew_seconds: i64,
    /// Everybody is answered twice.
    #[arg(long)]
    pub duplicates: bool,
    /// The answers stand in another order.
    #[arg(long)]
    pub out_of_order: bool,
}

fn share(text: &str) -> Result<f64, String> {
    let share: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.0..=1.0).contains(&share) {
        Ok(share)
    } else {
        Err("0 to 1".to_owned())
    }
}

impl Faults {
    /// Waits, and refuses where that is drawn.
    pub(super) async fn before(&self, random: &dyn Random) -> Option<Response> {
        if self.latency_ms > 0 {
            tokio::time::sleep(Duration::from_millis(self.latency_ms)).await;
        }
        drawn(random, self.error_rate).then(|| Problem::later().into_response())
    }

    /// Breaks an answer off where that is drawn.
    pub(super) async fn after(&self, random: &dyn Random, answer: Response) -> Response {
        if !drawn(random, self.half_rate) {
            return answer;
        }
        let (mut parts, body) = answer.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
        parts
            .headers
            .insert(header::CONTENT_LENGTH, body.len().into());
        let half = body.slice(..body.len() / 2);
        let broken = io::Error::other("broken off on purpose");
        let body = Body::from_stream(stream::iter([Ok(half), Err(broken)]));
        Response::from_parts(parts, body)
    }

    /// Leaves some out, doubles and turns round.
    pub(super) fn answers(
        &self,
        random: &dyn Random,
        mut answers: Vec<PersonAnswer>,
    ) -> Vec<PersonAnswer> {
        answers.retain(|_| !drawn(random, self.missing_rate));
        if self.duplicates {
            answers = answers
                .into_iter()
                .flat_map(|one| [one.clone(), one])
                .collect();
        }
        if self.out_of_order {
            answers.reverse();
        }
        answers
    }
}

fn drawn(random: &dyn Random, share: f64) -> bool {
    if share <= 0.0 {
        return false;
    }
    let mut bytes = [0; 4];
    random.fill(&mut bytes);
    f64::from(u32::from_be_bytes(bytes)) < share * f64::from(u32::MAX)
}
