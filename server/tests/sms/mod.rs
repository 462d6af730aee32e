//! SMS over gateways shaped like Twilio's and CM.com's, with their callbacks to a desk's console over TLS.

use std::sync::Arc;

use baken_schemas::alarm::{Alarm, ReceiptState};
use baken_schemas::signed::Signed;
use baken_server::channel::Why;
use baken_server::desk::run::RelayLink;
use baken_server::desk::{DeliveryView, Desk};
use baken_server::folder::DataFolder;
use baken_server::tls;
use baken_server::web::Console;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::desk::town::{ANY, listen, until};
use crate::desk::world::{MAYOR, World, open};
use crate::peer::Peer;

const ACCOUNT: &str = "AC00112233445566778899aabbccddeeff";
const TOKEN: &str = "horse-battery-staple";
const SECRET: &str = "0123456789abcdefghijklmnop";

/// A desk with an SMS channel, its console over TLS, and the gateway.
struct Stage {
    world: World,
    desk: Arc<Desk>,
    gateway: Peer,
    _link: watch::Sender<RelayLink>,
    _stop: watch::Sender<bool>,
}

/// `entry` is what the channel's entry says besides gateway, addresses and secrets.
async fn stage(kind: &str, entry: &str, gateway: &[&str]) -> Stage {
    let (listener, address) = listen(ANY).await;
    let console = format!("https://{address}");
    // The certificate is made first: the gateway checks callbacks' TLS with its root.
    let certificates = tempfile::tempdir().unwrap();
    let folder = DataFolder::open(certificates.path()).unwrap();
    let root = tls::make(&folder, "desk", &["127.0.0.1".to_owned()]).unwrap();
    let pem =
        format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", data_encoding::BASE64.encode(&root));
    let root_file = certificates.path().join("root.pem");
    std::fs::write(&root_file, pem).unwrap();

    let arguments = [&["--root", root_file.to_str().unwrap()], gateway].concat();
    let callback = format!("{console}/callbacks/piket%20sms/{SECRET}");
    let environment = [("SMS_ACCOUNT", ACCOUNT), ("SMS_TOKEN", TOKEN), ("SMS_CALLBACK", &callback)];
    let (gateway, port) = Peer::listening("sms_gateway.py", &arguments, &environment).await;

    let path = if kind == "cm" { "v1.0/message" } else { "" };
    let mut channels = format!(
        "[[sms]]\nname = \"piket sms\"\ngateway = \"{kind}\"\nurl = \"http://127.0.0.1:{port}/{path}\"\n\
         own_network = true\ntoken = \"{TOKEN}\"\ncallback_url = \"{console}\"\nfrom = \"Baken\"\n{entry}"
    );
    channels += &match kind {
        "cm" => format!("callback_secret = \"{SECRET}\"\n"),
        _ => format!("account = \"{ACCOUNT}\"\n"),
    };
    let world = World::with_channels(&channels).await;
    let desk = Arc::new(open(world.dir.path(), &world.keys, &world.org, &world.clock));
    let (link, links) = watch::channel(RelayLink::Live { since: desk.now() });
    let (stop, stops) = watch::channel(false);
    let router = Console::new(Arc::clone(&desk), links, stops.clone()).router();
    let config = tls::server_config(&folder).unwrap();
    let mut stopped = stops;
    tokio::spawn(async move {
        let _certificates = (folder, certificates);
        tls::serve(listener, config, router, async move { drop(stopped.wait_for(|stop| *stop).await) }).await;
    });
    Stage { world, desk, gateway, _link: link, _stop: stop }
}

impl Stage {
    /// An alarm comes in, and what is due goes out.
    async fn ring(&mut self) -> Signed<Alarm> {
        let phone = self.world.phone().await;
        let (alarm, _) = self.world.ringing(&phone).await;
        self.desk.deliver_all().await.unwrap();
        alarm
    }

    fn deliveries(&self, alarm: &Signed<Alarm>) -> Vec<DeliveryView> {
        self.world.view(alarm).deliveries
    }

    /// The next line of the gateway that says this.
    async fn gateway_says(&mut self, key: &str) -> Value {
        loop {
            let line = self.gateway.next().await;
            if line.get(key).is_some() {
                return line;
            }
        }
    }
}

const ONE: &str = "to = [\"+31612345678\"]\n";

#[tokio::test]
async fn an_sms_is_handed_over_and_then_delivered_when_the_gateway_proves_it() {
    for (kind, number) in [("twilio", "+31612345678"), ("cm", "0031612345678")] {
        let mut stage = stage(kind, ONE, &["--fates", "none"]).await;
        let alarm = stage.ring().await;
        let took = stage.gateway_says("took").await;
        assert_eq!((&took["took"], &took["to"], &took["from"]), (&json!(kind), &json!(number), &json!("Baken")));
        let (text, id) = (took["text"].as_str().unwrap(), alarm.value().header.alarm.to_string());
        assert!(text.is_ascii() && text.len() <= 160 && text.ends_with(&format!("/alarms/{id}")), "{text}");
        assert!(text.contains("alarm binnengekomen"), "{text}");
        assert!(!text.contains(MAYOR) && !text.contains("deur") && !text.contains("52."), "{text}");

        let [delivery] = &stage.deliveries(&alarm)[..] else { panic!("one recipient, one delivery") };
        assert_eq!((delivery.state, delivery.channel, delivery.attempts), ("handed-over", "sms", 1));
        assert_eq!((delivery.to.as_deref(), delivery.event), (Some("…678"), ReceiptState::Received));
        assert!(stage.world.view(&alarm).summary.ringing, "a gateway's word is nobody's eye");

        let name = took["name"].as_str().unwrap().to_owned();
        stage.gateway.tell(&format!("report {name} forged")).await;
        assert_eq!(stage.gateway_says("called_back").await["status"], 404, "{kind}");
        assert_eq!(stage.deliveries(&alarm)[0].state, "handed-over");
        stage.gateway.tell(&format!("report {name} delivered")).await;
        assert_eq!(stage.gateway_says("called_back").await["status"], 204, "{kind}");
        let delivery = stage.deliveries(&alarm).remove(0);
        assert_eq!((delivery.state, delivery.answered_by.as_deref()), ("delivered", Some("handset")));
        // Once it arrived, nothing unsays it.
        stage.gateway.tell(&format!("report {name} failed")).await;
        assert_eq!(stage.gateway_says("called_back").await["status"], 204);
        assert_eq!(stage.deliveries(&alarm)[0].state, "delivered");
        assert!(stage.world.view(&alarm).summary.ringing);
    }
}

#[tokio::test]
async fn an_sms_that_did_not_arrive_is_failed_and_says_why() {
    for (kind, number) in [("twilio", 30_005), ("cm", 24)] {
        let mut stage = stage(kind, ONE, &["--fates", "failed"]).await;
        let alarm = stage.ring().await;
        assert_eq!(stage.gateway_says("called_back").await["status"], 204);
        let delivery = stage.deliveries(&alarm).remove(0);
        assert_eq!((delivery.state, delivery.why), ("failed", Some(Why::Gateway { number })), "{kind}");
        let view = &stage.desk.channel_views().unwrap()[0];
        assert_eq!(view.recipients[0].proven_at, None, "what failed in the end proves nothing");
    }
}

#[tokio::test]
async fn each_recipient_has_a_message_of_its_own_and_one_refusal_is_no_others() {
    // The gateway has no way to the second.
    let to = "to = [\"+31612345678\", \"+4915112345678\", \"+31612345679\"]\nkind = true\nperson = true\n";
    let mut stage = stage("cm", to, &["--fates", "none"]).await;
    let alarm = stage.ring().await;
    let deliveries = stage.deliveries(&alarm);
    let states: Vec<_> = deliveries.iter().map(|delivery| (delivery.to.as_deref().unwrap(), delivery.state)).collect();
    assert_eq!(states, [("…678", "handed-over"), ("…678", "failed"), ("…679", "handed-over")]);
    assert_eq!(deliveries[1].why, Some(Why::Gateway { number: 303 }));
    let text = stage.gateway_says("took").await["text"].as_str().unwrap().to_owned();
    assert!(text.contains("Noodalarm") && text.contains(MAYOR), "switched on, it is told: {text}");
}

#[tokio::test]
async fn a_gateway_in_trouble_is_tried_again_and_one_that_does_not_know_the_desk_is_too() {
    let mut stage = stage("twilio", ONE, &["--answers", "503,429,201", "--fates", "delivered"]).await;
    let alarm = stage.ring().await;
    let delivery = until("the gateway's report", || {
        Some(stage.deliveries(&alarm).remove(0)).filter(|delivery| delivery.state == "delivered")
    })
    .await;
    assert_eq!(delivery.attempts, 3);
    assert_eq!(stage.gateway_says("refused").await["refused"], 503);
    let rest = stage.gateway.stop().await;
    assert_eq!(rest.iter().filter(|line| line.get("took").is_some()).count(), 1, "{rest:?}");
}
