//! How often an address may do what needs no signature.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Mutex, PoisonError};

use axum::extract::ConnectInfo;
use baken_schemas::time::Timestamp;
use http::Extensions;

use crate::tls::counted_as;

/// The most of a kind from one address in a minute.
const A_MINUTE: u32 = 20;
/// The most addresses remembered for that.
const MAX_ADDRESSES: usize = 10_000;

/// How many of one kind came from each address in this minute.
#[derive(Debug, Default)]
pub(crate) struct AddressRates(Mutex<HashMap<IpAddr, (i64, u32)>>);

impl AddressRates {
    /// Whether one more may come in this minute from where the request came.
    pub(crate) fn allow(&self, request: &Extensions, now: Timestamp) -> bool {
        let peer = request.get::<ConnectInfo<SocketAddr>>();
        // Without a socket, in a simulation, all come from one address.
        self.allow_from(peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip()), now)
    }

    fn allow_from(&self, address: IpAddr, now: Timestamp) -> bool {
        let address = counted_as(address);
        let minute = now.0.div_euclid(60_000);
        let mut rates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if rates.len() >= MAX_ADDRESSES {
            rates.retain(|_, (of, _)| *of == minute);
        }
        if rates.len() >= MAX_ADDRESSES && !rates.contains_key(&address) {
            return false;
        }
        let (of, count) = rates.entry(address).or_insert((minute, 0));
        if *of != minute {
            (*of, *count) = (minute, 0);
        }
        *count += 1;
        *count <= A_MINUTE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_network_of_a_home_or_a_server_is_one_address() {
        let (rates, now) = (AddressRates::default(), Timestamp(0));
        let from = |text: &str| rates.allow_from(text.parse().unwrap(), now);
        for host in 0..A_MINUTE {
            assert!(from(&format!("2001:db8:0:1::{host:x}")));
        }
        assert!(!from("2001:db8:0:1:ffff::1"), "another address out of the same /64");
        assert!(from("2001:db8:0:2::1"));
        assert!(from("192.0.2.1") && from("::ffff:192.0.2.2"));
    }
}
