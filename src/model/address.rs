//! Whether a phone that scans a code can open the address in it (PRODUCT.md, Registers).
use serde::Serialize;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use url::{Host, Url};
use utoipa::ToSchema;

/// Endings of names that only a local network knows.
const LOCAL_NAMES: [&str; 5] = [".local", ".internal", ".lan", ".home.arpa", ".intranet"];

/// Why phones cannot open an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AddressProblem {
    /// There is none, or it is not an http or https address.
    Missing,
    /// It is this machine's own (127.0.0.1, localhost), which every phone takes for itself.
    Loopback,
    /// It is known in a local network alone.
    Private,
    /// It is plain http, outside the demo.
    PlainHttp,
}

/// What keeps phones from opening `public_url`; in a demo on a local network less does.
#[must_use]
pub fn problem_for_phones(public_url: &str, demo: bool) -> Option<AddressProblem> {
    let Some(url) = Url::parse(public_url)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https"))
    else {
        return Some(AddressProblem::Missing);
    };
    let reach = match url.host() {
        None => return Some(AddressProblem::Missing),
        Some(Host::Ipv4(address)) => of_ip(address.into()),
        Some(Host::Ipv6(address)) => of_ip(address.into()),
        Some(Host::Domain(name)) => of_name(name),
    };
    match reach {
        Some(AddressProblem::Private) if demo => None,
        None if url.scheme() == "http" && !demo => Some(AddressProblem::PlainHttp),
        other => other,
    }
}

/// Whether what is sent to this address stays on this machine, so that plain http does.
#[must_use]
pub fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// The same of the host of a database's address: its name or number, or a socket's path. A name is
/// not looked up, as it may lead elsewhere later.
#[must_use]
pub fn is_this_machines_host(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    host == "localhost"
        || host.starts_with('/')
        || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn of_name(name: &str) -> Option<AddressProblem> {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    if name == "localhost" || name.ends_with(".localhost") {
        Some(AddressProblem::Loopback)
    } else if !name.contains('.') || LOCAL_NAMES.iter().any(|ending| name.ends_with(ending)) {
        Some(AddressProblem::Private)
    } else {
        None
    }
}

fn of_ip(address: IpAddr) -> Option<AddressProblem> {
    let address = address.to_canonical();
    if address.is_loopback() || address.is_unspecified() {
        return Some(AddressProblem::Loopback);
    }
    let private = match address {
        IpAddr::V4(v4) => v4.is_private() || v4.is_link_local() || is_shared(v4),
        IpAddr::V6(v6) => is_local(v6),
    };
    private.then_some(AddressProblem::Private)
}

/// 100.64.0.0/10, behind a carrier's translation.
fn is_shared(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    first == 100 && second & 0b1100_0000 == 64
}

/// fc00::/7 and fe80::/10.
fn is_local(address: Ipv6Addr) -> bool {
    let first = address.segments()[0];
    first & 0xfe00 == 0xfc00 || first & 0xffc0 == 0xfe80
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machines_own_addresses_may_do_without_a_verified_certificate() {
        for near in [
            "127.0.0.1",
            "127.9.9.9",
            "[::1]",
            "::1",
            "localhost",
            "/run/postgresql",
        ] {
            assert!(is_this_machines_host(near), "{near}");
        }
        for far in [
            "db.example",
            "10.0.0.1",
            "localhost.example",
            "127.0.0.1.example",
            "0.0.0.0",
            "",
        ] {
            assert!(!is_this_machines_host(far), "{far}");
        }
    }

    #[test]
    fn an_address_that_phones_cannot_open_says_why() {
        use AddressProblem::{Loopback, Missing, PlainHttp, Private};
        let cases = [
            ("https://health.example.cn", None, None),
            ("http://health.example.cn", Some(PlainHttp), None),
            ("", Some(Missing), Some(Missing)),
            ("ftp://health.example.cn", Some(Missing), Some(Missing)),
            ("http://127.0.0.1:8080", Some(Loopback), Some(Loopback)),
            ("https://localhost", Some(Loopback), Some(Loopback)),
            ("http://[::1]:8080", Some(Loopback), Some(Loopback)),
            ("http://[::ffff:127.0.0.1]", Some(Loopback), Some(Loopback)),
            ("http://0.0.0.0:8080", Some(Loopback), Some(Loopback)),
            ("http://192.168.1.5:8080", Some(Private), None),
            ("https://10.1.2.3", Some(Private), None),
            ("https://172.31.0.1", Some(Private), None),
            ("https://172.32.0.1", None, None),
            ("https://100.64.0.1", Some(Private), None),
            ("https://169.254.1.1", Some(Private), None),
            ("https://[fd00::1]", Some(Private), None),
            ("https://[fe80::1]", Some(Private), None),
            ("https://nas.local", Some(Private), None),
            ("https://intranet", Some(Private), None),
            ("https://203.0.113.9", None, None),
        ];
        for (url, served, demo) in cases {
            assert_eq!(problem_for_phones(url, false), served, "{url}");
            assert_eq!(problem_for_phones(url, true), demo, "{url} in the demo");
        }
    }
}
