//! CM.com's Business Messaging: JSON under a product token, and status reports to an address that is set by hand in its
//! console. They carry no signature, so that address ends in a secret.
//!
//! The answer gives no name of its own but repeats the reference that it was given, and so do the reports. Reports are a
//! template that the customer sets; read here is the one that CM.com proposes for JSON.

use std::fmt;

use baken_schemas::time::Clock;
use serde::Deserialize;
use serde_json::json;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::super::outcome::Why;
use super::{
    Callback, Fate, MIN_SECRET_BYTES, Outcome, Report, SmsConfig, SmsError, SmsMessage, TIMEOUT_MS, judge, make_client,
    read_address, read_answer, why,
};

/// The address that stays off a proxy in a third country.
const USUAL_URL: &str = "https://gw.cmtelecom.com/v1.0/message";
/// The most reports read from one callback.
const MAX_REPORTS: usize = 100;

/// An account at CM.com.
pub struct Cm {
    client: reqwest::Client,
    address: reqwest::Url,
    token: Zeroizing<String>,
    secret: Zeroizing<String>,
    from: String,
}

impl fmt::Debug for Cm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cm(…)")
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    messages: Vec<Answered>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answered {
    status: String,
    reference: String,
    #[serde(default)]
    message_error_code: u32,
}

#[derive(Deserialize)]
struct Reports {
    messages: Messages,
}

#[derive(Deserialize)]
struct Messages {
    msg: OneOrMany,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    Many(Vec<Reported>),
    One(Reported),
}

#[derive(Deserialize)]
struct Reported {
    reference: String,
    status: Status,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    code: Number,
    #[serde(default)]
    error_code: Option<Number>,
}

/// The template's figures come as text or as numbers, as its writer has it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Number {
    Number(u32),
    Text(String),
}

impl Number {
    fn value(&self) -> Option<u32> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => text.parse().ok(),
        }
    }
}

impl Cm {
    pub(super) fn new(config: SmsConfig) -> Result<Self, SmsError> {
        let secret = config.callback_secret.unwrap_or_default();
        if secret.len() < MIN_SECRET_BYTES || !secret.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(SmsError::Secret);
        }
        let address = read_address(config.url.as_deref().unwrap_or(USUAL_URL), config.own_network)?;
        let client = make_client(config.root_pem.as_deref(), TIMEOUT_MS, config.own_network)?;
        Ok(Self { client, address, token: config.token, secret, from: config.from })
    }

    pub(super) async fn send(&self, message: &SmsMessage<'_>, clock: &dyn Clock) -> Outcome {
        let reference = format!("baken-{}", message.number);
        // The form that CM.com asks for: 00 and the country.
        let number = message.to.replacen('+', "00", 1);
        let body = json!({ "messages": { "msg": [{
            "allowedChannels": ["SMS"],
            "from": self.from,
            "to": [{ "number": number }],
            "body": { "type": "auto", "content": message.text },
            "reference": reference,
        }] } });
        let request = self.client.post(self.address.clone()).header("X-CM-PRODUCTTOKEN", self.token.as_str());
        let mut response = match request.json(&body).send().await {
            Ok(response) => response,
            Err(error) => return Outcome::Retry { why: why(&error, TIMEOUT_MS) },
        };
        let status = response.status();
        let answer: Option<Answer> = serde_json::from_slice(&read_answer(&mut response).await).ok();
        let answered = answer.and_then(|answer| answer.messages.into_iter().find(|one| one.reference == reference));
        match answered {
            // It speaks about this message, whatever the status says.
            Some(one) if one.status != "Accepted" => {
                Outcome::Refused { why: Why::Gateway { number: one.message_error_code } }
            }
            Some(_) => judge(status, Some(reference), clock.now()),
            None => judge(status, None, clock.now()),
        }
    }

    pub(super) fn read_callback(&self, callback: &Callback<'_>) -> Option<Vec<Report>> {
        if !bool::from(callback.part.as_bytes().ct_eq(self.secret.as_bytes())) {
            return None;
        }
        let reports = match serde_json::from_slice::<Reports>(callback.body).ok()?.messages.msg {
            OneOrMany::Many(many) => many,
            OneOrMany::One(one) => vec![one],
        };
        Some(reports.into_iter().take(MAX_REPORTS).filter_map(read).collect())
    }
}

/// The codes of CM.com: 0 taken by the operator, 1 refused by CM.com, 2 delivered, 3 failed, 4 read.
fn read(reported: Reported) -> Option<Report> {
    let number = reported.reference.strip_prefix("baken-")?.parse().ok()?;
    let code = reported.status.error_code.as_ref().and_then(Number::value).unwrap_or_default();
    let fate = match reported.status.code.value()? {
        2 | 4 => Fate::Delivered,
        1 | 3 => Fate::Failed { code },
        _ => Fate::OnItsWay,
    };
    Some(Report { number, reference: reported.reference, fate })
}

#[cfg(test)]
mod tests {
    use super::super::{GatewayKind, Sms};
    use super::*;

    const SECRET: &str = "0123456789abcdefghijklmn";

    fn cm() -> Sms {
        Sms::new(SmsConfig {
            gateway: GatewayKind::Cm,
            url: None,
            own_network: false,
            root_pem: None,
            account: None,
            token: Zeroizing::new("11111111-2222-3333-4444-555555555555".to_owned()),
            callback_secret: Some(Zeroizing::new(SECRET.to_owned())),
            from: "Baken".to_owned(),
            callback: "https://desk.example/callbacks/piket".parse().unwrap(),
        })
        .unwrap()
    }

    #[test]
    fn a_report_counts_only_with_the_secret() {
        let sms = cm();
        let body = br#"{"messages":{"msg":{"received":"x","to":"0031612345678","reference":"baken-7",
            "status":{"code":"3","errorCode":"24","errorDescription":"gone"},"operator":"1"}}}"#;
        let read = |part, body: &[u8]| sms.read_callback(&Callback { part, signature: None, body });
        let report = Report { number: 7, reference: "baken-7".to_owned(), fate: Fate::Failed { code: 24 } };
        assert_eq!(read(SECRET, body), Some(vec![report]));
        for wrong in ["", "7", &SECRET[1..], "0123456789abcdefghijklmN"] {
            assert_eq!(read(wrong, body), None, "{wrong}");
        }
        let delivered = br#"{"messages":{"msg":[{"reference":"baken-7","status":{"code":2}},
            {"reference":"other","status":{"code":2}}]}}"#;
        let reports = read(SECRET, delivered).unwrap();
        assert_eq!((reports.len(), reports[0].fate), (1, Fate::Delivered));
        assert_eq!(read(SECRET, b"nonsense"), None);
    }
}
