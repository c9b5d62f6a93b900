use doorward_base::{ApiError, codes};
use http::HeaderMap;
use ipnet::IpNet;
use std::net::{IpAddr, Ipv6Addr};

/// Whether an address is that of a proxy whose headers are believed.
pub(crate) fn is_trusted(ip: IpAddr, trusted: &[IpNet]) -> bool {
    trusted.iter().any(|net| net.contains(&ip.to_canonical()))
}

/// The address of whoever is calling: the peer's, or, behind trusted proxies, the one that the outermost of them saw.
/// `X-Forwarded-For` is read from right to left, as each proxy appends to it; what stands left of the first address
/// that is no trusted proxy may be invented and is not looked at.
///
/// # Errors
/// `bad_request` when a trusted proxy sends something that is no address: without a caller nothing can be limited.
pub(crate) fn client_ip(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet], peer_is_proxy: bool) -> Result<IpAddr, ApiError> {
    let mut current = peer.to_canonical();
    if !peer_is_proxy && !is_trusted(current, trusted) {
        return Ok(current);
    }
    let mut hops: Vec<&str> = Vec::new();
    for value in headers.get_all("x-forwarded-for") {
        let text = value.to_str().map_err(|_| ApiError::new(codes::BAD_REQUEST).param("X-Forwarded-For"))?;
        hops.extend(text.split(',').map(str::trim));
    }
    for (n, hop) in hops.iter().rev().enumerate() {
        if n > 0 && !is_trusted(current, trusted) {
            break;
        }
        current = parse(hop).ok_or_else(|| ApiError::new(codes::BAD_REQUEST).param("X-Forwarded-For"))?;
    }
    Ok(current)
}

/// An address, with or without a port; IPv6 with or without brackets.
fn parse(text: &str) -> Option<IpAddr> {
    let bare = text.parse::<IpAddr>().ok();
    bare.or_else(|| text.parse::<std::net::SocketAddr>().ok().map(|a| a.ip()))
        .or_else(|| text.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(IpAddr::V6))
        .map(|ip| ip.to_canonical())
}

/// What limits count by: the address itself for IPv4, the /64 network for IPv6, for one host has all of it.
pub(crate) fn limit_key(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => {
            let s = v6.segments();
            IpAddr::V6(Ipv6Addr::new(s[0], s[1], s[2], s[3], 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(peer: &str, forwarded: Option<&str>, trusted: &[&str]) -> Result<String, ApiError> {
        let mut headers = HeaderMap::new();
        if let Some(text) = forwarded {
            headers.insert("x-forwarded-for", text.parse().unwrap());
        }
        let trusted: Vec<IpNet> = trusted.iter().map(|t| t.parse().unwrap()).collect();
        client_ip(peer.parse().unwrap(), &headers, &trusted, false).map(|ip| ip.to_string())
    }

    #[test]
    fn fault_047_spellings_and_neighbours_of_an_ipv6_address_share_a_key() {
        let key = |text: &str| limit_key(text.parse().unwrap());
        assert_eq!(key("2001:db8:1:2:aaaa::1"), key("2001:DB8:1:2:bbbb:0:0:9"));
        assert_ne!(key("2001:db8:1:2::1"), key("2001:db8:1:3::1"));
        assert_eq!(key("::ffff:192.0.2.7"), key("192.0.2.7"));
    }

    #[test]
    fn fault_048_forwarded_addresses_count_only_behind_trusted_proxies() {
        assert_eq!(ip("198.51.100.1", Some("203.0.113.9"), &[]).unwrap(), "198.51.100.1");
        assert_eq!(ip("10.0.0.1", Some("6.6.6.6, 203.0.113.9"), &["10.0.0.0/8"]).unwrap(), "203.0.113.9");
        assert_eq!(ip("10.0.0.1", Some("6.6.6.6, 203.0.113.9, 10.0.0.2"), &["10.0.0.0/8"]).unwrap(), "203.0.113.9");
        assert_eq!(ip("::ffff:10.0.0.1", Some("203.0.113.9"), &["10.0.0.0/8"]).unwrap(), "203.0.113.9");
        assert_eq!(ip("10.0.0.1", None, &["10.0.0.0/8"]).unwrap(), "10.0.0.1");
        for bad in ["unknown", "203.0.113.9, ", "999.1.1.1", "203.0.113.9, nonsense"] {
            assert!(ip("10.0.0.1", Some(bad), &["10.0.0.0/8"]).is_err(), "{bad}");
        }
    }
}
