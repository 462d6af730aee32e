//! What the cases are played on: a mayor's phone, which meets the relay as it is, and a tablet that is lied to.

use baken_core::Baken;
use baken_core::pairing::PairInto;
use baken_core::record::RecordView;
use baken_core::sync::{FindingKind, QuarantineReason, StatusView};
use baken_schemas::circle::{CircleKind, MemberRole};
use baken_schemas::id::{CircleId, DeviceId};
use baken_schemas::record::Value;

use super::relay::Evil;
use crate::town::Town;

pub const DAY_MS: i64 = 24 * 3_600_000;

pub struct Stage {
    pub town: Town,
    pub phone: Baken,
    pub tablet: Baken,
    /// What the tablet meets.
    pub evil: Evil,
}

impl Stage {
    /// Both devices in the dossier, with one contact that both have.
    pub async fn set() -> Self {
        let mut town = Town::found().await;
        let phone = town.activated("mayor_phone").await;
        let tablet = town.paired(&phone, "mayor_tablet").await;
        let evil = Evil::before(&town.network);
        let stage = Self { town, phone, tablet, evil };
        stage.phone.create("contact", named("Zus")).unwrap();
        for _ in 0..2 {
            stage.phone.sync(&stage.town.network).await.unwrap();
            stage.tablet.sync(&stage.evil).await.unwrap();
        }
        assert_alike(&stage.phone, &stage.tablet);
        stage
    }

    /// The phone writes these contacts, each in an entry of its own.
    pub async fn phone_writes(&self, names: &[&str]) {
        for name in names {
            self.phone.create("contact", named(name)).unwrap();
            self.phone.sync(&self.town.network).await.unwrap();
        }
    }

    /// The tablet's sync through the liar, and how it stands after it; it ran through.
    pub async fn lied_to(&self) -> StatusView {
        self.tablet.sync(&self.evil).await.unwrap();
        self.tablet.status().unwrap()
    }

    /// The tablet's sync through the liar, which fails with this code.
    pub async fn refused(&self) -> String {
        let error = self.tablet.sync(&self.evil).await.unwrap_err();
        assert_ne!(error.help(), "");
        error.code().to_owned()
    }

    /// The relay stops lying: after a new edit on both sides they are alike, with nothing left that waits.
    pub async fn drains(&self) {
        self.evil.stop();
        self.town.clock.advance_ms(11 * 60_000);
        self.phone.create("contact", named("ten slotte")).unwrap();
        self.tablet.create("contact", named("van de tablet")).unwrap();
        for _ in 0..3 {
            self.phone.sync(&self.town.network).await.unwrap();
            self.tablet.sync(&self.evil).await.unwrap();
        }
        assert_alike(&self.phone, &self.tablet);
        let status = self.tablet.status().unwrap();
        assert_eq!((status.pending, status.waiting, status.stuck_because), (0, 0, None));
        assert!(names(&self.tablet).contains(&"ten slotte".to_owned()));
        assert!(names(&self.phone).contains(&"van de tablet".to_owned()));
    }

    /// A family circle with both devices in it and a plan that both have.
    pub async fn family(&self) -> CircleId {
        let family = self.phone.found_circle(CircleKind::Family, "Thuis").unwrap();
        self.phone.create_in(family, "plan", titled("van thuis")).unwrap();
        for _ in 0..2 {
            self.phone.sync(&self.town.network).await.unwrap();
            self.tablet.sync(&self.evil).await.unwrap();
        }
        family
    }

    /// A partner's phone in the family circle.
    pub async fn partner(&self, family: CircleId) -> Baken {
        let into = PairInto::Circle { circle: family, role: MemberRole::Member };
        let (partner, _) = self.town.pair(&self.phone, "partner", into).await;
        for _ in 0..2 {
            self.phone.sync(&self.town.network).await.unwrap();
            self.tablet.sync(&self.evil).await.unwrap();
        }
        partner
    }

    /// A circle's log as a relay has it on disk.
    pub fn log_of(&self, circle: CircleId) -> Vec<Vec<u8>> {
        let database = rusqlite::Connection::open(self.town.folder.path().join("relay").join("relay.db")).unwrap();
        let mut statement = database.prepare("SELECT bytes FROM log_record WHERE circle = ?1 ORDER BY seq").unwrap();
        statement.query_map([circle.0], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    /// A circle's entries as a relay has them on disk.
    pub fn entries_of(&self, circle: CircleId) -> Vec<Vec<u8>> {
        let database = rusqlite::Connection::open(self.town.folder.path().join("relay").join("relay.db")).unwrap();
        let mut statement = database.prepare("SELECT bytes FROM entry WHERE circle = ?1 ORDER BY cursor").unwrap();
        statement.query_map([circle.0], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    pub fn home(&self) -> CircleId {
        self.phone.status().unwrap().circle
    }
}

pub fn named(name: &str) -> Vec<(String, Value)> {
    vec![("name".to_owned(), Value::Text(name.to_owned()))]
}

pub fn titled(title: &str) -> Vec<(String, Value)> {
    vec![("title".to_owned(), Value::Text(title.to_owned()))]
}

pub fn device(phone: &Baken) -> DeviceId {
    phone.status().unwrap().device
}

/// The names of all contacts, in order.
pub fn names(phone: &Baken) -> Vec<String> {
    let contacts = phone.records(Some("contact")).unwrap().into_iter();
    let values = contacts.flat_map(|record| record.fields).flat_map(|field| field.values);
    let mut names: Vec<String> = values
        .filter_map(|value| match value.value {
            Value::Text(text) => Some(text),
            _ => None,
        })
        .collect();
    names.sort();
    names
}

pub fn records(phone: &Baken) -> Vec<RecordView> {
    let mut views = phone.records(None).unwrap();
    views.sort_by_key(|view| view.record);
    views
}

pub fn assert_alike(one: &Baken, other: &Baken) {
    assert_eq!(records(one), records(other));
}

pub fn found(status: &StatusView) -> Vec<FindingKind> {
    status.findings.iter().map(|finding| finding.kind).collect()
}

pub fn aside(status: &StatusView) -> Vec<QuarantineReason> {
    status.quarantine.iter().map(|entry| entry.reason).collect()
}
