//! PURE: addresses that a manifest may not make a pod talk to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What a load may connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AddressRules {
    /// Everything: on a person's own machine.
    Any,
    /// Inside a cluster: not the pod itself, its node's metadata or the API server.
    Pod {
        /// Addresses of the Kubernetes API, as far as they are known.
        api_server: Vec<IpAddr>,
    },
}

impl AddressRules {
    /// Those of this pod, whose environment says where the API server is.
    pub fn of_pod() -> Self {
        let api_server = std::env::var("KUBERNETES_SERVICE_HOST").ok().and_then(|host| host.parse().ok());
        Self::Pod { api_server: api_server.into_iter().collect() }
    }

    /// Why an address is not allowed; `None` when it is.
    pub fn denied(&self, address: IpAddr) -> Option<&'static str> {
        let Self::Pod { api_server } = self else { return None };
        let address = unmapped(address);
        if api_server.iter().any(|known| unmapped(*known) == address) {
            return Some("the Kubernetes API server");
        }
        match address {
            IpAddr::V4(v4) => denied_v4(v4),
            IpAddr::V6(v6) => denied_v6(v6),
        }
    }
}

/// Where clouds give a node's metadata or credentials beside 169.254.0.0/16: Azure's WireServer, Alibaba Cloud, Oracle Cloud.
const METADATA_V4: [Ipv4Addr; 3] =
    [Ipv4Addr::new(168, 63, 129, 16), Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(192, 0, 0, 192)];

fn denied_v4(address: Ipv4Addr) -> Option<&'static str> {
    match address {
        a if METADATA_V4.contains(&a) => Some("a metadata address"),
        a if a.is_loopback() => Some("a loopback address"),
        a if a.is_link_local() => Some("a link-local or metadata address"),
        a if a.octets()[0] == 0 => Some("an unspecified address"),
        a if a.is_multicast() || a.is_broadcast() => Some("a multicast address"),
        _ => None,
    }
}

fn denied_v6(address: Ipv6Addr) -> Option<&'static str> {
    // EC2: instance metadata is fd00:ec2::254, EKS Pod Identity fd00:ec2::23; the prefix is AWS's own. GCE: fd20:ce::254.
    const GCE: Ipv6Addr = Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254);
    match address {
        GCE => Some("a metadata address"),
        a if a.segments()[..6] == [0xfd00, 0xec2, 0, 0, 0, 0] => Some("a metadata address"),
        a if a.is_loopback() => Some("a loopback address"),
        a if a.is_unspecified() => Some("an unspecified address"),
        a if a.is_multicast() => Some("a multicast address"),
        a if a.segments()[0] & 0xffc0 == 0xfe80 => Some("a link-local address"),
        _ => None,
    }
}

/// The IPv4 address inside an IPv6 one: mapped and compatible (RFC 4291), translated (RFC 2765), NAT64 (RFC 6052, and RFC 8215
/// as /96), 6to4 (RFC 3056), Teredo (RFC 4380, inverted).
fn unmapped(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    let v4 = |high: u16, low: u16| IpAddr::V4(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)));
    match v6.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0, 0, 0, 0, 0xffff, 0, high, low] => v4(high, low),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x64, 0xff9b, 1, _, _, _, high, low] => v4(high, low),
        [0x2001, 0, .., high, low] => v4(!high, !low),
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => v4(high, low),
        [0x2002, high, low, ..] => v4(high, low),
        _ => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn denied(address: &str) -> bool {
        let rules = AddressRules::Pod { api_server: vec!["10.96.0.1".parse().unwrap()] };
        rules.denied(address.parse().unwrap()).is_some()
    }

    #[test]
    fn a_pod_may_not_be_sent_to_itself_its_node_its_metadata_or_the_api_server() {
        for address in [
            "127.0.0.1",
            "127.9.9.9",
            "::1",
            "0.0.0.0",
            "0.1.2.3",
            "::",
            "169.254.169.254",
            "169.254.0.1",
            "fe80::1",
            "febf::1",
            "fd00:ec2::254",
            "fd00:ec2::23",
            "fd20:ce::254",
            "168.63.129.16",
            "224.0.0.1",
            "255.255.255.255",
            "ff02::1",
            "10.96.0.1",
        ] {
            assert!(denied(address), "{address}");
        }
    }

    #[test]
    fn the_same_addresses_written_as_ipv6_are_denied_too() {
        for address in [
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::ffff:10.96.0.1",
            "64:ff9b::169.254.169.254",
            "2002:7f00:1::",
            "::127.0.0.1",
            "::ffff:0:127.0.0.1",
            "64:ff9b:1::169.254.169.254",
            "2001:0:1:2:3:4:80ff:fffe",
        ] {
            assert!(denied(address), "{address}");
        }
    }

    #[test]
    fn services_and_pods_are_allowed() {
        for address in ["10.96.0.2", "10.244.1.7", "192.168.1.1", "fd00:10:96::5", "2001:db8::1", "::ffff:10.96.0.2"] {
            assert!(!denied(address), "{address}");
        }
    }

    #[test]
    fn a_laptop_has_no_list() {
        assert_eq!(AddressRules::Any.denied("127.0.0.1".parse().unwrap()), None);
    }
}
