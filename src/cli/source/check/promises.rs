//! Each promise of docs/HEALTH-SOURCE-API.md, and how it is seen whether it is kept.
use super::{
    Broken, Checker,
    sample::{nobody, rules},
};
use crate::{
    clock::Clock,
    model::{catalogue::Catalogue, document::Document, name::Name},
    source::{
        SourceError,
        contract::{
            MatchAnswer, MatchAsked, Matching, PersonAnswer, PersonAsked, ReadAnswer, ReadAsked,
            Reading, Refusal, SKEW_SECONDS,
        },
        record::HealthRecord,
    },
};
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use reqwest::{Method, Response, StatusCode, header};

type Outcome = Result<String, Broken>;

/// A promise.
pub(super) struct Promise {
    /// What is promised.
    pub(super) words: &'static str,
    /// Whether seeing it takes somebody whom the server knows.
    pub(super) needs_sample: bool,
    /// Looks; what was seen, where that is worth a word.
    pub(super) check: for<'a> fn(&'a mut Checker) -> BoxFuture<'a, Outcome>,
}

macro_rules! promises {
    ($($sample:literal $words:literal => $check:ident;)+) => {
        /// In the order in which they are checked.
        pub(super) const PROMISES: &[Promise] = &[$(Promise {
            words: $words,
            needs_sample: $sample,
            check: |checker| Box::pin(checker.$check()),
        }),+];
    };
}
promises! {
    false "GET /about says health-source, version 1, its items and how many people a reading takes" => about;
    false "the clocks are less than 300 seconds apart" => clock;
    false "a wrong signature is refused with 401 and not_signed" => wrong_signature;
    false "a request signed an hour ago is refused with 401 and clock" => old_signature;
    false "a question that is no JSON is refused with 400" => bad_json;
    false "a document that nobody has is matched as no_record" => match_nobody;
    false "a reading of nobody answers no_record for each, in the order asked" => read_nobody;
    false "as many people as /about says are read at once, within the time" => read_most;
    false "one more is refused with 413" => read_too_many;
    false "GET /changes tells where the changes stand, and little or nothing since then" => changes;
    false "a cursor that it never gave is refused with 410 and cursor_gone" => strange_cursor;
    true "the sample is matched by document, name and phone" => match_sample;
    true "the sample with another phone is not_matched" => match_other_phone;
    true "the sample under another name is not_matched" => match_other_name;
    true "the sample is read as found, under its own document and name, with items that can be read" => read_sample;
    true "of the sample no item comes that was not asked for" => read_one_item;
    true "under another name the sample is read as not_matched, without a record" => read_other_name;
    true "between two whom nobody knows the sample keeps its place" => read_in_order;
}

const REFUSAL: &str =
    "answer with that status and a body of application/problem+json whose code says why";
const PHONE_OF_NOBODY: &str = "+8613800000000";
const OTHER_PHONE: &str = "+8613900000000";
const OTHER_NAME: &str = "某某某";

impl Checker {
    async fn about(&mut self) -> Outcome {
        const MEND: &str = "see About in the OpenAPI document";
        let about = self.client.about().await.map_err(|error| unheard(&error))?;
        if !(1..=1000).contains(&about.most) {
            return Err(Broken::new(
                format!("most is {}", about.most),
                "say 1 to 1000",
            ));
        }
        let catalogue = Catalogue::embedded();
        let known = about
            .items
            .iter()
            .filter(|item| catalogue.get(item).is_some());
        if known.count() == 0 {
            return Err(Broken::new("no item of the catalogue", MEND));
        }
        (self.most, self.changes) = (about.most, about.changes);
        let items = about.items.join(", ");
        Ok(format!("version {}, {items}", about.version))
    }

    async fn clock(&mut self) -> Outcome {
        let about = self.client.about().await.map_err(|error| unheard(&error))?;
        let time: Timestamp = about.time.parse().map_err(|_| {
            Broken::new("a time that cannot be read", "say RFC 3339 with an offset")
        })?;
        let apart = time.as_second() - self.clock.millis().div_euclid(1000);
        if apart.abs() > SKEW_SECONDS {
            return Err(Broken::new(
                format!("{apart} seconds"),
                "run NTP on both sides",
            ));
        }
        Ok(format!("{apart} s"))
    }

    async fn wrong_signature(&mut self) -> Outcome {
        let now = self.clock.now().as_second().to_string();
        let signature = format!("sha256={}", "0".repeat(64));
        self.refused_about(&now, Some(&signature), "not_signed")
            .await
    }

    async fn old_signature(&mut self) -> Outcome {
        let old = (self.clock.now().as_second() - 3600).to_string();
        self.refused_about(&old, None, "clock").await
    }

    async fn refused_about(&self, at: &str, signature: Option<&str>, code: &str) -> Outcome {
        let sent = self
            .client
            .ask_at(Method::GET, "about", None, Vec::new(), at, signature);
        let response = sent.await.map_err(|error| unheard(&error))?;
        refused(response, StatusCode::UNAUTHORIZED, Some(code)).await
    }

    async fn bad_json(&mut self) -> Outcome {
        let sent = self.client.ask(Method::POST, "match", None, b"{".to_vec());
        let response = sent.await.map_err(|error| unheard(&error))?;
        refused(response, StatusCode::BAD_REQUEST, None).await
    }

    async fn match_nobody(&mut self) -> Outcome {
        let document = unknown(0)?;
        let outcome = self.matched(&document, OTHER_NAME, PHONE_OF_NOBODY).await?;
        wanted(outcome, Matching::NoRecord)
    }

    async fn read_nobody(&mut self) -> Outcome {
        let asked = [unknown(0)?, unknown(1)?].map(|document| person(&document, OTHER_NAME, &[]));
        let answers = self.read(asked.to_vec()).await?;
        in_order(&asked, &answers)?;
        for answer in &answers {
            wanted(answer.outcome, Reading::NoRecord)?;
        }
        Ok(String::new())
    }

    async fn read_most(&mut self) -> Outcome {
        let asked = self.nobodies(self.most)?;
        let begun = self.clock.millis();
        let answers = self.read(asked.clone()).await?;
        in_order(&asked, &answers)?;
        Ok(format!(
            "{} in {} ms",
            asked.len(),
            self.clock.millis() - begun
        ))
    }

    async fn read_too_many(&mut self) -> Outcome {
        let people = self.nobodies(self.most + 1)?;
        let body = serde_json::to_vec(&ReadAsked { people })
            .map_err(|_| Broken::new("nothing", REFUSAL))?;
        let sent = self.client.ask(Method::POST, "read", None, body);
        let response = sent.await.map_err(|error| unheard(&error))?;
        refused(response, StatusCode::PAYLOAD_TOO_LARGE, None).await
    }

    async fn changes(&mut self) -> Outcome {
        if !self.changes {
            return Ok("/about says that it does not tell".to_owned());
        }
        const MEND: &str = "answer documents, cursor and more, see ChangesAnswer";
        let none = || Broken::new("status 404, 410 or 501", MEND);
        let now = self
            .client
            .changes(None)
            .await
            .map_err(|error| unheard(&error))?;
        let now = now.ok_or_else(none)?;
        if !now.documents.is_empty() {
            let came = format!("{} documents without a cursor", now.documents.len());
            return Err(Broken::new(came, "without since, say the cursor alone"));
        }
        let since = self.client.changes(Some(&now.cursor)).await;
        let since = since.map_err(|error| unheard(&error))?.ok_or_else(none)?;
        if since.more && since.cursor == now.cursor {
            return Err(Broken::new(
                "more, and the same cursor again",
                "a page that is not the last ends at a cursor of its own",
            ));
        }
        Ok(format!("{} since", since.documents.len()))
    }

    async fn strange_cursor(&mut self) -> Outcome {
        if !self.changes {
            return Ok("not told".to_owned());
        }
        let query = Some(("since", "a-cursor-that-nobody-gave"));
        let sent = self.client.ask(Method::GET, "changes", query, Vec::new());
        let response = sent.await.map_err(|error| unheard(&error))?;
        refused(response, StatusCode::GONE, Some("cursor_gone")).await
    }

    async fn match_sample(&mut self) -> Outcome {
        let record = self.sample()?;
        let phone = phone_of(record)?;
        let outcome = self
            .matched(&record.document, record.name.as_str(), phone)
            .await?;
        wanted(outcome, Matching::Matched)
    }

    async fn match_other_phone(&mut self) -> Outcome {
        let record = self.sample()?;
        let has = |phone: &str| record.phones.iter().any(|own| own.e164() == phone);
        let other = if has(OTHER_PHONE) {
            PHONE_OF_NOBODY
        } else {
            OTHER_PHONE
        };
        let outcome = self
            .matched(&record.document, record.name.as_str(), other)
            .await?;
        wanted(outcome, Matching::NotMatched)
    }

    async fn match_other_name(&mut self) -> Outcome {
        let record = self.sample()?;
        let phone = phone_of(record)?;
        let outcome = self.matched(&record.document, OTHER_NAME, phone).await?;
        wanted(outcome, Matching::NotMatched)
    }

    async fn read_sample(&mut self) -> Outcome {
        let record = self.sample()?;
        let items: Vec<&str> = record.items.keys().map(String::as_str).collect();
        let asked = person(&record.document, record.name.as_str(), &items);
        let found = self.found(asked, record).await?;
        Ok(format!("{} of {} items", found.items.len(), items.len()))
    }

    async fn read_one_item(&mut self) -> Outcome {
        let record = self.sample()?;
        let one: Vec<&str> = record.items.keys().take(1).map(String::as_str).collect();
        let asked = person(&record.document, record.name.as_str(), &one);
        let found = self.found(asked, record).await?;
        match found.items.keys().find(|id| !one.contains(&id.as_str())) {
            Some(other) => Err(Broken::new(
                format!("{other} came too"),
                "answer the items that are asked for, and no other",
            )),
            None => Ok(String::new()),
        }
    }

    async fn read_other_name(&mut self) -> Outcome {
        let record = self.sample()?;
        let items: Vec<&str> = record.items.keys().map(String::as_str).collect();
        let asked = person(&record.document, OTHER_NAME, &items);
        let answers = self.read(vec![asked.clone()]).await?;
        in_order(&[asked], &answers)?;
        if answers.iter().any(|answer| answer.record.is_some()) {
            return Err(Broken::new(
                "a record came",
                "tell nothing of somebody of another name",
            ));
        }
        wanted(answers[0].outcome, Reading::NotMatched)
    }

    async fn read_in_order(&mut self) -> Outcome {
        let record = self.sample()?;
        let asked = [
            person(&unknown(0)?, OTHER_NAME, &[]),
            person(&record.document, record.name.as_str(), &[]),
            person(&unknown(1)?, OTHER_NAME, &[]),
        ];
        let answers = self.read(asked.to_vec()).await?;
        in_order(&asked, &answers)?;
        wanted(answers[1].outcome, Reading::Found)
    }

    fn sample(&self) -> Result<&HealthRecord, Broken> {
        let sample = self.sample.as_ref().map(|sample| &sample.0);
        sample.ok_or_else(|| Broken::new("no sample", "name one by --sample"))
    }

    fn nobodies(&self, count: usize) -> Result<Vec<PersonAsked>, Broken> {
        let all = (0..count).map(|n| Ok(person(&unknown(n)?, OTHER_NAME, &["nucleic_acid"])));
        all.collect()
    }

    async fn matched(
        &self,
        document: &Document,
        name: &str,
        phone: &str,
    ) -> Result<Matching, Broken> {
        let asked = MatchAsked {
            document_type: document.kind(),
            document_number: document.number().to_owned(),
            name: name.to_owned(),
            phone: phone.to_owned(),
        };
        let body = self.client.post("match", &asked).await;
        let body = body.map_err(|error| unheard(&error))?;
        let answer: MatchAnswer = serde_json::from_slice(&body).map_err(|error| unread(&error))?;
        Ok(answer.outcome)
    }

    async fn read(&self, people: Vec<PersonAsked>) -> Result<Vec<PersonAnswer>, Broken> {
        let body = self.client.post("read", &ReadAsked { people }).await;
        let body = body.map_err(|error| unheard(&error))?;
        let answer: ReadAnswer = serde_json::from_slice(&body).map_err(|error| unread(&error))?;
        Ok(answer.answers)
    }

    /// The record of the sample, as it came.
    async fn found(
        &self,
        asked: PersonAsked,
        sample: &HealthRecord,
    ) -> Result<HealthRecord, Broken> {
        let answers = self.read(vec![asked.clone()]).await?;
        in_order(&[asked], &answers)?;
        wanted(answers[0].outcome, Reading::Found)?;
        let none = || Broken::new("found without a record", "answer the record too");
        let wire = answers[0].record.as_ref().ok_or_else(none)?;
        let record = HealthRecord::check(wire, &rules()).map_err(|error| {
            Broken::new(error.to_string(), "see the form of records in the document")
        })?;
        let same = record.document == sample.document && record.name.key() == sample.name.key();
        let other = || Broken::new("another document or name", "answer of whom was asked for");
        same.then_some(record).ok_or_else(other)
    }
}

fn phone_of(record: &HealthRecord) -> Result<&str, Broken> {
    let phone = record.phones.first().map(|phone| phone.e164());
    phone.ok_or_else(|| Broken::new("no phone in the sample", "name one in --sample"))
}

fn unknown(number: usize) -> Result<Document, Broken> {
    nobody(number).ok_or_else(|| Broken::new("nobody", "say this to whoever made this program"))
}

fn person(document: &Document, name: &str, items: &[&str]) -> PersonAsked {
    // What cannot be a name would be the server's to refuse, and is not what is looked at.
    debug_assert!(Name::parse(name).is_ok());
    PersonAsked {
        document_type: document.kind(),
        document_number: document.number().to_owned(),
        name: name.to_owned(),
        items: items.iter().map(|item| (*item).to_owned()).collect(),
    }
}

fn in_order(asked: &[PersonAsked], answers: &[PersonAnswer]) -> Result<(), Broken> {
    const MEND: &str = "answer once for each who is asked for, in that order, with their documents";
    if answers.len() != asked.len() {
        let came = format!("{} answers to {} people", answers.len(), asked.len());
        return Err(Broken::new(came, MEND));
    }
    let of = |asked: &PersonAsked, answer: &PersonAnswer| {
        answer.document_type == asked.document_type
            && answer.document_number == asked.document_number
    };
    match asked
        .iter()
        .zip(answers)
        .position(|(asked, answer)| !of(asked, answer))
    {
        Some(at) => Err(Broken::new(
            format!("answer {} is somebody else's", at + 1),
            MEND,
        )),
        None => Ok(()),
    }
}

fn wanted<T: PartialEq + std::fmt::Debug>(outcome: T, wanted: T) -> Outcome {
    if outcome == wanted {
        return Ok(String::new());
    }
    Err(Broken::new(
        format!("{outcome:?}"),
        "compare document, name and phone as the document says",
    ))
}

/// Whether a request was refused as it should be.
async fn refused(response: Response, status: StatusCode, code: Option<&str>) -> Outcome {
    let came = response.status();
    if came != status {
        return Err(Broken::new(format!("status {}", came.as_u16()), REFUSAL));
    }
    let kind = response.headers().get(header::CONTENT_TYPE);
    let kind = kind
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or_default()
        .to_owned();
    let body = response.bytes().await.unwrap_or_default();
    let refusal: Refusal = serde_json::from_slice(&body)
        .map_err(|_| Broken::new("a body that is no problem of RFC 9457", REFUSAL))?;
    if !kind.starts_with("application/problem+json") {
        return Err(Broken::new(format!("content type {kind}"), REFUSAL));
    }
    match code {
        Some(code) if refusal.code != code => {
            Err(Broken::new(format!("the code {}", refusal.code), REFUSAL))
        }
        _ => Ok(refusal.code),
    }
}

fn unheard(error: &SourceError) -> Broken {
    Broken::new(
        error.to_string(),
        "see that the address, the secret and the client's name are those of both sides",
    )
}

/// The place alone is told: the parser's own words may quote.
fn unread(error: &serde_json::Error) -> Broken {
    let came = format!("JSON of another form at column {}", error.column());
    Broken::new(came, "see the form of the answer in the OpenAPI document")
}
