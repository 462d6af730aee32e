//! Where a message may go: by default only to the internet, never to the network this desk stands in.
//!
//! Who may write a webhook's address, or runs the names of the host in it, could otherwise have the desk knock on
//! machines that only the desk can reach: itself, its neighbours, a cloud's metadata service. So every address is looked
//! at after its name was resolved, on each connection anew, and an entry that means such a machine says `own_network =
//! true`. Redirects are not followed at all.

use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// A name that leads nowhere but into this desk's own network.
#[derive(Debug, thiserror::Error)]
#[error("the name leads into this desk's own network")]
pub(super) struct LeadsInside;

/// Resolves names as the system does, and keeps only what lies on the internet.
#[derive(Debug, Clone, Copy)]
pub(super) struct OutsideOnly;

impl Resolve for OutsideOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let outside: Vec<SocketAddr> = found.iter().copied().filter(|found| is_public(found.ip())).collect();
            if outside.is_empty() && !found.is_empty() {
                return Err(LeadsInside.into());
            }
            Ok(Box::new(outside.into_iter()) as Addrs)
        })
    }
}

/// Whether an error comes of [`LeadsInside`].
pub(super) fn leads_inside(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<LeadsInside>() {
            return true;
        }
        cause = error.source();
    }
    false
}

/// Whether an address is one of the internet. Ranges that IANA's special-purpose registries keep from it are not, nor
/// are IPv6 addresses that wrap such an IPv4 address.
pub(super) fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let special = match ip.octets() {
        [0 | 10 | 127, ..] | [169, 254, ..] | [192, 168, ..] => true,
        [100, second, ..] => (64..128).contains(&second),
        [172, second, ..] => (16..32).contains(&second),
        [192, 0, 0 | 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => true,
        [198, 18 | 19, ..] => true,
        // Multicast, reserved, broadcast.
        [first, ..] => first >= 224,
    };
    !special
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let wrapped = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match ip.segments() {
        // ::ffff:a.b.c.d, and the translations 64:ff9b:: and 2002::.
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => wrapped(high, low),
        [0x2002, high, low, ..] => wrapped(high, low),
        // Documentation, Teredo and the like.
        [0x2001, 0xdb8 | 0..=0x1ff, ..] | [0x3fff, ..] => false,
        // Only 2000::/3 is given out.
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

/// Whether a host is this machine or one beside it, by its literal address or as `localhost`.
pub(super) fn is_inside(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']).trim_end_matches('.');
    host.eq_ignore_ascii_case("localhost") || host.parse().is_ok_and(|ip: IpAddr| !is_public(ip))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_inside_is_told_from_the_internet_however_it_is_written() {
        for inside in [
            "127.0.0.1",
            "127.8.8.8",
            "0.0.0.0",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "100.127.255.255",
            "192.0.2.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::10.0.0.1",
            "2002:7f00:1::1",
            "fe80::1",
            "fd00::1",
            "fec0::1",
            "ff02::1",
            "2001:db8::1",
            "2001::1",
        ] {
            assert!(!is_public(inside.parse().unwrap()), "{inside} is taken for the internet");
            assert!(is_inside(inside), "{inside}");
        }
        for outside in
            ["1.1.1.1", "172.15.0.1", "172.32.0.1", "100.63.0.1", "100.128.0.1", "192.0.1.1", "223.255.255.1"]
        {
            assert!(is_public(outside.parse().unwrap()), "{outside} is refused");
        }
        for outside in ["2606:4700:4700::1111", "2a00:1450::1", "::ffff:1.1.1.1", "2002:101:101::1"] {
            assert!(is_public(outside.parse().unwrap()), "{outside} is refused");
        }
        assert!(is_inside("LOCALHOST.") && is_inside("[::1]") && !is_inside("desk.example"));
    }
}
