//! Each kind of SMS gateway with a server behind it, and a proxy between that breaks the way.
use super::{
    fault_proxy::FaultProxy,
    receiver::{Receiver, Reply, SECRET, write_secret},
    smpp::{Centre, PASSWORD, SYSTEM_ID},
};
use serde_json::{Value, json};
use tuantibu::config::{Purpose, Sms, SmsKind, Templates};

/// The key of both clouds' accounts.
pub(crate) const CLOUD_SECRET: &str = "not-a-key-0123456789abcdefgh";
/// The approved signature there.
pub(crate) const SIGNATURE: &str = "团体簿";

/// What stands behind the proxy.
enum Behind {
    Http(Receiver),
    Centre(Centre),
}

/// A gateway.
pub(crate) struct Gateway {
    pub(crate) kind: SmsKind,
    pub(crate) proxy: FaultProxy,
    behind: Behind,
    folder: tempfile::TempDir,
}

impl Gateway {
    pub(crate) async fn start(kind: SmsKind) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (behind, address) = if kind == SmsKind::Smpp {
            let centre = Centre::start().await;
            let address = centre.address;
            (Behind::Centre(centre), address)
        } else {
            let receiver = Receiver::start().await;
            let url = url::Url::parse(&receiver.url).unwrap();
            let address = url.socket_addrs(|| None).unwrap()[0];
            receiver.answers(taken(kind));
            (Behind::Http(receiver), address)
        };
        let secret = match kind {
            SmsKind::Smpp => PASSWORD,
            SmsKind::Webhook => SECRET,
            _ => CLOUD_SECRET,
        };
        write_secret(&folder.path().join("secret"), secret);
        Self {
            kind,
            proxy: FaultProxy::before(address).await,
            behind,
            folder,
        }
    }

    /// The settings by which a program uses it, through the proxy.
    pub(crate) fn settings(&self) -> Sms {
        let address = self.proxy.address;
        let (url, account, sender, application) = match self.kind {
            SmsKind::Smpp => (format!("smpp://{address}"), SYSTEM_ID, "1069000", ""),
            SmsKind::Webhook => (format!("http://{address}/sms"), "", "", ""),
            SmsKind::Aliyun => (format!("http://{address}"), "not-an-id", SIGNATURE, ""),
            _ => (
                format!("http://{address}"),
                "not-an-id",
                SIGNATURE,
                "1400000000",
            ),
        };
        Sms {
            kind: self.kind,
            url,
            account: account.into(),
            sender: sender.into(),
            application: application.into(),
            secret_file: Some(self.folder.path().join("secret")),
            templates: templates(self.kind),
            timeout_seconds: 1,
            ..Sms::default()
        }
    }

    /// The centre, of the kind that has one.
    pub(crate) fn centre(&self) -> &Centre {
        match &self.behind {
            Behind::Centre(centre) => centre,
            Behind::Http(_) => panic!("not SMPP"),
        }
    }

    /// The HTTP server, of the kinds that have one.
    pub(crate) fn receiver(&self) -> &Receiver {
        match &self.behind {
            Behind::Http(receiver) => receiver,
            Behind::Centre(_) => panic!("SMPP"),
        }
    }

    /// The codes that came here, oldest first, whether or not they were taken.
    pub(crate) async fn codes(&self) -> Vec<String> {
        let digits = |text: &str| -> String {
            let mut runs = text.split(|c: char| !c.is_ascii_digit());
            runs.find(|run| run.len() == 6)
                .unwrap_or_default()
                .to_owned()
        };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        if let Behind::Centre(centre) = &self.behind {
            let submitted = centre.all("submit").await;
            return submitted
                .iter()
                .map(|sms| digits(&text(&sms["text"])))
                .collect();
        }
        let of = |sms: &super::receiver::Received| match self.kind {
            SmsKind::Webhook => text(&sms.body["code"]),
            SmsKind::Tencent => text(&sms.body["TemplateParamSet"][0]),
            _ => {
                let query = sms.uri.query().unwrap_or_default().as_bytes();
                let mut pairs = url::form_urlencoded::parse(query);
                let found = pairs.find(|(name, _)| name == "TemplateParam");
                found.map(|(_, value)| digits(&value)).unwrap_or_default()
            }
        };
        self.receiver().received().iter().map(of).collect()
    }
}

/// How a server of that kind says that it took a text.
pub(crate) fn taken(kind: SmsKind) -> Reply {
    match kind {
        SmsKind::Aliyun => {
            Reply::Json(200, json!({"Code": "OK", "BizId": "1^0", "RequestId": "R"}))
        }
        SmsKind::Tencent => Reply::Json(
            200,
            json!({"Response": {"SendStatusSet": [{"Code": "Ok", "SerialNo": "1"}], "RequestId": "R"}}),
        ),
        _ => Reply::Status(204),
    }
}

fn templates(kind: SmsKind) -> Templates {
    let prefix = match kind {
        SmsKind::Aliyun => "SMS_",
        SmsKind::Tencent => "",
        _ => return Templates::new(),
    };
    let of = |first: usize| {
        let all = Purpose::ALL.into_iter().enumerate();
        all.map(|(at, purpose)| (purpose, format!("{prefix}{}", first + at)))
            .collect()
    };
    Templates::from([("zh-CN".into(), of(1000)), ("en".into(), of(2000))])
}
