//! Twilio's Programmable Messaging: a form under Basic authentication, and callbacks signed by `X-Twilio-Signature`, the
//! HMAC-SHA1 with the account's token over the address that was asked for and the form's fields in the order of their names.

use std::fmt;

use baken_schemas::time::Clock;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Deserialize;
use sha1::Sha1;
use zeroize::Zeroizing;

use super::{
    Callback, Fate, Outcome, Report, SmsConfig, SmsError, SmsMessage, TIMEOUT_MS, is_reference, judge, make_client,
    read_address, read_answer, why, with_part,
};

const USUAL_URL: &str = "https://api.twilio.com";

/// An account at Twilio.
pub struct Twilio {
    client: reqwest::Client,
    messages: reqwest::Url,
    account: String,
    token: Zeroizing<String>,
    from: String,
    callback: reqwest::Url,
}

impl fmt::Debug for Twilio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Twilio(…)")
    }
}

#[derive(Deserialize)]
struct Created {
    sid: String,
}

impl Twilio {
    pub(super) fn new(config: SmsConfig) -> Result<Self, SmsError> {
        let account = config.account.unwrap_or_default();
        let is_sid = account.len() == 34
            && account.starts_with("AC")
            && account.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !is_sid {
            return Err(SmsError::Account);
        }
        let mut messages = read_address(config.url.as_deref().unwrap_or(USUAL_URL), config.own_network)?;
        if let Ok(mut path) = messages.path_segments_mut() {
            path.pop_if_empty().extend(["2010-04-01", "Accounts", &account, "Messages.json"]);
        }
        let client = make_client(config.root_pem.as_deref(), TIMEOUT_MS, config.own_network)?;
        Ok(Self { client, messages, account, token: config.token, from: config.from, callback: config.callback })
    }

    pub(super) async fn send(&self, message: &SmsMessage<'_>, clock: &dyn Clock) -> Outcome {
        let callback = with_part(&self.callback, &message.number.to_string());
        let form = [("To", message.to), ("From", &self.from), ("Body", message.text), ("StatusCallback", &callback)];
        let request = self.client.post(self.messages.clone()).basic_auth(&self.account, Some(self.token.as_str()));
        let mut response = match request.form(&form).send().await {
            Ok(response) => response,
            Err(error) => return Outcome::Retry { why: why(&error, TIMEOUT_MS) },
        };
        let status = response.status();
        let created: Option<Created> = serde_json::from_slice(&read_answer(&mut response).await).ok();
        judge(status, created.map(|created| created.sid).filter(|sid| is_reference(sid)), clock.now())
    }

    /// `None` when it is not Twilio's; no report when it is and says nothing that is known here.
    pub(super) fn read_callback(&self, callback: &Callback<'_>) -> Option<Option<Report>> {
        let mut fields: Vec<(String, String)> = form_fields(callback.body);
        fields.sort();
        let mut mac = Hmac::<Sha1>::new_from_slice(self.token.as_bytes()).ok()?;
        mac.update(with_part(&self.callback, callback.part).as_bytes());
        for (name, value) in &fields {
            mac.update(name.as_bytes());
            mac.update(value.as_bytes());
        }
        let signature = STANDARD.decode(callback.signature?).ok()?;
        // Compared in constant time.
        mac.verify_slice(&signature).ok()?;
        let field = |wanted: &str| fields.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
        let fate = match field("MessageStatus") {
            Some("delivered" | "read") => Fate::Delivered,
            Some("undelivered" | "failed" | "canceled") => {
                Fate::Failed { code: field("ErrorCode").and_then(|code| code.parse().ok()).unwrap_or_default() }
            }
            _ => Fate::OnItsWay,
        };
        let reference = field("MessageSid").filter(|sid| is_reference(sid)).map(str::to_owned);
        Some(reference.zip(callback.part.parse().ok()).map(|(reference, number)| Report { number, reference, fate }))
    }
}

fn form_fields(body: &[u8]) -> Vec<(String, String)> {
    // The form's own reader, by way of a query.
    let Ok(text) = std::str::from_utf8(body) else { return Vec::new() };
    let Ok(mut url) = reqwest::Url::parse("https://form.invalid/") else { return Vec::new() };
    url.set_query(Some(text));
    url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{GatewayKind, Sms};
    use super::*;

    fn twilio() -> Sms {
        Sms::new(SmsConfig {
            gateway: GatewayKind::Twilio,
            url: None,
            own_network: false,
            root_pem: None,
            account: Some(format!("AC{}", "0".repeat(32))),
            token: Zeroizing::new("12345".to_owned()),
            callback_secret: None,
            from: "Baken".to_owned(),
            callback: "https://desk.example/callbacks/piket".parse().unwrap(),
        })
        .unwrap()
    }

    const BODY: &[u8] = b"MessageStatus=undelivered&MessageSid=SM7&ErrorCode=30005&To=%2B31612345678";
    /// By Python's `hmac` over the address and the sorted fields.
    const SIGNATURE: &str = "lJomN6C8YOWcxOvb8gx8dXJ/X6g=";

    #[test]
    fn a_callback_counts_only_with_its_signature_over_all_of_it() {
        let sms = twilio();
        let read = |part, signature, body| sms.read_callback(&Callback { part, signature, body });
        let report = Report { number: 7, reference: "SM7".to_owned(), fate: Fate::Failed { code: 30_005 } };
        assert_eq!(read("7", Some(SIGNATURE), BODY), Some(vec![report]));
        for (part, signature, body) in [
            ("8", Some(SIGNATURE), BODY),
            ("7", None, BODY),
            ("7", Some(""), BODY),
            ("7", Some("AAAA"), BODY),
            ("7", Some(SIGNATURE), &BODY[..BODY.len() - 1]),
            ("7", Some(SIGNATURE), b"MessageStatus=delivered&MessageSid=SM7"),
        ] {
            assert_eq!(read(part, signature, body), None, "{part} {signature:?}");
        }
    }
}
