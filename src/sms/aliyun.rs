//! Alibaba Cloud's short messages (dysmsapi 2017-05-25): a template of theirs and the code in it.
use super::{
    Handed, NotSent, Sms, SmsSender, Taken, Wrong,
    acs3::{self, Request},
    http, plain_code,
    templates::{self, Approved},
};
use crate::{clock::Clock, config, crypto::random::Random, outbound::transport};
use async_trait::async_trait;
use jiff::tz::TimeZone;
use reqwest::{Response, header};
use serde::Deserialize;
use serde_json::json;
use std::{fmt, sync::Arc, time::Duration};
use url::Url;
use zeroize::Zeroizing;

const ENDPOINT: &str = "https://dysmsapi.aliyuncs.com";
const VERSION: &str = "2017-05-25";

/// What is answered to every action.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    code: String,
    #[serde(default)]
    template_status: Option<i64>,
    #[serde(default)]
    sign_status: Option<i64>,
}

/// Sends by Alibaba Cloud.
pub struct Aliyun {
    http: reqwest::Client,
    endpoint: Url,
    key_id: String,
    secret: Zeroizing<Vec<u8>>,
    signature: String,
    templates: Approved,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

impl Aliyun {
    /// The gateway that the settings describe.
    ///
    /// # Errors
    /// The key that is wrong.
    pub fn new(
        settings: &config::Sms,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Self, Wrong> {
        if settings.account.is_empty() {
            return Err(Wrong::new("account", "the AccessKey ID"));
        }
        let is_id = |id: &str| {
            id.strip_prefix("SMS_").is_some_and(|digits| {
                !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
            })
        };
        let endpoint = if settings.url.is_empty() {
            ENDPOINT
        } else {
            &settings.url
        };
        Ok(Self {
            http: http::client(Duration::from_secs(settings.timeout_seconds))?,
            endpoint: http::address(endpoint)?,
            key_id: settings.account.clone(),
            secret: http::secret(settings.secret_file.as_deref())?,
            signature: templates::signature(&settings.sender)?,
            templates: Approved::new(&settings.templates, is_id)?,
            clock,
            random,
        })
    }

    /// Signs an action with its parameters and sends it.
    async fn ask(
        &self,
        action: &str,
        parameters: &[(&str, &str)],
    ) -> Result<Response, reqwest::Error> {
        let host = http::authority(&self.endpoint);
        let date = self.clock.now().to_zoned_datetime(TimeZone::UTC);
        let date = date.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let mut nonce = [0; 16];
        self.random.fill(&mut nonce);
        let nonce = hex::encode(nonce);
        let body_hash = acs3::hash(b"");
        let headers = [
            ("accept", "application/json"),
            ("host", &host),
            ("x-acs-action", action),
            ("x-acs-content-sha256", &body_hash),
            ("x-acs-date", &date),
            ("x-acs-signature-nonce", &nonce),
            ("x-acs-version", VERSION),
        ];
        let request = Request {
            method: "POST",
            path: "/",
            query: parameters,
            headers: &headers,
            body_hash: &body_hash,
        };
        let authorization = acs3::authorization(&self.key_id, &self.secret, &request);
        let mut url = self.endpoint.clone();
        url.set_path("/");
        url.set_query(Some(&acs3::query(parameters)));
        let mut post = self
            .http
            .post(url)
            .header(header::AUTHORIZATION, authorization);
        for (name, value) in headers {
            post = post.header(name, value);
        }
        post.send().await
    }

    /// One question that sends nothing.
    async fn question(&self, action: &str, name: &str, value: &str) -> Result<Response, String> {
        let response = self.ask(action, &[(name, value)]).await;
        response.map_err(|error| transport(&error))
    }
}

impl fmt::Debug for Aliyun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Aliyun(…)")
    }
}

#[async_trait]
impl SmsSender for Aliyun {
    fn kind(&self) -> &'static str {
        "aliyun"
    }

    async fn send(&self, sms: &Sms<'_>, handed: &Handed) -> Result<Taken, NotSent> {
        let template = self.templates.of(sms)?;
        let values = templates::code(sms)?.map(|code| json!({ "code": code }).to_string());
        let values = Zeroizing::new(values.unwrap_or_default());
        let number = if sms.phone.is_mainland() {
            sms.phone.national()
        } else {
            sms.phone.e164().trim_start_matches('+')
        };
        let id = sms.id.to_string();
        let mut parameters = vec![
            ("OutId", id.as_str()),
            ("PhoneNumbers", number),
            ("SignName", &self.signature),
            ("TemplateCode", template),
        ];
        if !values.is_empty() {
            parameters.push(("TemplateParam", &values));
        }
        handed.over();
        let response = self
            .ask("SendSms", &parameters)
            .await
            .map_err(|error| http::not_sent(&error))?;
        let status = response.status();
        match http::json::<Answer>(response).await {
            Some(answer) if answer.code == "OK" => Ok(Taken::default()),
            Some(answer) => Err(not_taken(&answer.code)),
            None => Err(http::unreadable(status)),
        }
    }

    async fn check(&self) -> Result<Vec<String>, String> {
        let mut seen = Vec::new();
        let response = self
            .question("QuerySmsSign", "SignName", &self.signature)
            .await?;
        seen.push(http::clocks(&response, self.clock.now()));
        let answer = read(response).await?;
        seen.push(format!("the signature is {}", approved(answer.sign_status)));
        for id in self.templates.ids() {
            let response = self
                .question("QuerySmsTemplate", "TemplateCode", id)
                .await?;
            let answer = read(response).await?;
            seen.push(format!("{id} is {}", approved(answer.template_status)));
        }
        Ok(seen)
    }
}

async fn read(response: Response) -> Result<Answer, String> {
    let status = response.status();
    let answer: Answer = http::json(response)
        .await
        .ok_or_else(|| format!("status {} and no answer of theirs", status.as_u16()))?;
    if answer.code != "OK" {
        return Err(plain_code(&answer.code).to_owned());
    }
    Ok(answer)
}

fn approved(status: Option<i64>) -> &'static str {
    match status {
        Some(0) => "waiting for approval",
        Some(1) => "approved",
        Some(_) => "not approved",
        None => "there",
    }
}

/// What a code says: whether it is about this text, or about us and the gateway.
fn not_taken(code: &str) -> NotSent {
    /// Numbers, and how often a number may be written to.
    const OF_THE_TEXT: [&str; 5] = [
        "isv.BUSINESS_LIMIT_CONTROL",
        "isv.DAY_LIMIT_CONTROL",
        "isv.MOBILE_COUNT_OVER_LIMIT",
        "isv.MOBILE_NUMBER_ILLEGAL",
        "isv.BLACK_KEY_CONTROL_LIMIT",
    ];
    let words = plain_code(code).to_owned();
    if OF_THE_TEXT.contains(&code) {
        NotSent::Refused(words)
    } else if code.starts_with("isp.") || code.contains("Internal") || code.contains("Unavailable")
    {
        NotSent::Unknown(words)
    } else {
        NotSent::Down(words)
    }
}
