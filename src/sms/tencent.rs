//! Tencent Cloud's short messages (sms 2021-01-11): a template of theirs and the code in it.
use super::{
    Handed, NotSent, Sms, SmsSender, Taken, Wrong, http, plain_code,
    tc3::{self, Signer},
    templates::{self, Approved},
};
use crate::{clock::Clock, config, outbound::transport};
use async_trait::async_trait;
use reqwest::{Response, header};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{fmt, sync::Arc, time::Duration};
use url::Url;
use zeroize::Zeroizing;

const ENDPOINT: &str = "https://sms.tencentcloudapi.com";
const VERSION: &str = "2021-01-11";
const CONTENT: &str = "application/json";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    response: Body,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Body {
    error: Option<Coded>,
    #[serde(default)]
    send_status_set: Vec<Coded>,
    #[serde(default)]
    describe_template_status_set: Vec<TemplateStatus>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Coded {
    code: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TemplateStatus {
    template_id: u64,
    status_code: i64,
}

/// Sends by Tencent Cloud.
pub struct Tencent {
    http: reqwest::Client,
    endpoint: Url,
    key_id: String,
    secret: Zeroizing<Vec<u8>>,
    region: String,
    application: String,
    signature: String,
    templates: Approved,
    clock: Arc<dyn Clock>,
}

impl Tencent {
    /// The gateway that the settings describe.
    ///
    /// # Errors
    /// The key that is wrong.
    pub fn new(settings: &config::Sms, clock: Arc<dyn Clock>) -> Result<Self, Wrong> {
        let is_number =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if settings.account.is_empty() {
            return Err(Wrong::new("account", "the SecretId"));
        }
        if !is_number(&settings.application) {
            return Err(Wrong::new("application", "the SdkAppId, digits"));
        }
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
            region: settings.region.clone(),
            application: settings.application.clone(),
            signature: templates::signature(&settings.sender)?,
            templates: Approved::new(&settings.templates, |id| {
                !id.is_empty() && id.len() <= 18 && id.bytes().all(|byte| byte.is_ascii_digit())
            })?,
            clock,
        })
    }

    /// Signs an action with its body and sends it.
    async fn ask(&self, action: &str, body: &Value) -> Result<Response, reqwest::Error> {
        let now = self.clock.now();
        let host = http::authority(&self.endpoint);
        let body = body.to_string();
        let signer = Signer {
            key_id: &self.key_id,
            secret: &self.secret,
            service: "sms",
        };
        let authorization = tc3::authorization(&signer, (CONTENT, &host), now, body.as_bytes());
        let mut url = self.endpoint.clone();
        url.set_path("/");
        self.http
            .post(url)
            .header(header::AUTHORIZATION, authorization)
            .header(header::CONTENT_TYPE, CONTENT)
            .header(header::HOST, host)
            .header("x-tc-action", action)
            .header("x-tc-region", &self.region)
            .header("x-tc-timestamp", now.as_second().to_string())
            .header("x-tc-version", VERSION)
            .body(body)
            .send()
            .await
    }
}

impl fmt::Debug for Tencent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tencent(…)")
    }
}

#[async_trait]
impl SmsSender for Tencent {
    fn kind(&self) -> &'static str {
        "tencent"
    }

    async fn send(&self, sms: &Sms<'_>, handed: &Handed) -> Result<Taken, NotSent> {
        let body = json!({
            "PhoneNumberSet": [sms.phone.e164()],
            "SmsSdkAppId": self.application,
            "TemplateId": self.templates.of(sms)?,
            "SignName": self.signature,
            "TemplateParamSet": templates::code(sms)?.into_iter().collect::<Vec<_>>(),
            "SessionContext": sms.id.to_string(),
        });
        handed.over();
        let response = self
            .ask("SendSms", &body)
            .await
            .map_err(|error| http::not_sent(&error))?;
        let status = response.status();
        let Some(Answer { response: answer }) = http::json(response).await else {
            return Err(http::unreadable(status));
        };
        match (&answer.error, answer.send_status_set.first()) {
            (Some(error), _) => Err(not_taken(&error.code)),
            (None, Some(sent)) if sent.code == "Ok" => Ok(Taken::default()),
            (None, Some(sent)) => Err(not_taken(&sent.code)),
            (None, None) => Err(http::unreadable(status)),
        }
    }

    async fn check(&self) -> Result<Vec<String>, String> {
        let ids = self.templates.ids();
        let ids: Vec<u64> = ids.iter().filter_map(|id| id.parse().ok()).collect();
        let body = json!({ "International": 0, "TemplateIdSet": ids });
        let response = self.ask("DescribeSmsTemplateList", &body).await;
        let response = response.map_err(|error| transport(&error))?;
        let status = response.status();
        let mut seen = vec![http::clocks(&response, self.clock.now())];
        let answer = http::json::<Answer>(response)
            .await
            .ok_or_else(|| format!("status {} and no answer of theirs", status.as_u16()))?
            .response;
        if let Some(error) = answer.error {
            return Err(plain_code(&error.code).to_owned());
        }
        for id in ids {
            let found = answer.describe_template_status_set.iter();
            let status = found.clone().find(|each| each.template_id == id);
            seen.push(match status.map(|each| each.status_code) {
                Some(0) => format!("{id} is approved"),
                Some(1) => format!("{id} is waiting for approval"),
                Some(_) => format!("{id} is not approved"),
                None => format!("{id} is not there"),
            });
        }
        Ok(seen)
    }
}

/// What a code says: whether it is about this text, or about us and the gateway.
fn not_taken(code: &str) -> NotSent {
    /// Numbers, and how often a number may be written to.
    const OF_THE_TEXT: [&str; 7] = [
        "FailedOperation.PhoneNumberInBlacklist",
        "InvalidParameterValue.IncorrectPhoneNumber",
        "LimitExceeded.PhoneNumberDailyLimit",
        "LimitExceeded.PhoneNumberOneHourLimit",
        "LimitExceeded.PhoneNumberSameContentDailyLimit",
        "LimitExceeded.PhoneNumberThirtySecondLimit",
        "UnsupportedOperation.UnsupportedRegion",
    ];
    let words = plain_code(code).to_owned();
    if OF_THE_TEXT.contains(&code) {
        NotSent::Refused(words)
    } else if code.starts_with("InternalError") {
        NotSent::Unknown(words)
    } else {
        NotSent::Down(words)
    }
}
