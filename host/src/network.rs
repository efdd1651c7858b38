//! Which network addresses a guest may use: an allow-list as a value, and the question to it.
//!
//! Knows addresses; knows nothing of sockets or WASI.

use std::error::Error as StdError;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::str::FromStr;

/// A block of addresses and a range of ports.
///
/// Written `ADDRESS[/PREFIX]:PORT`, where the port is a number, a range such as `8000-8099`, or
/// `*`, and an IPv6 address stands in brackets.
///
/// ```
/// # fn main() -> Result<(), prewarm::AddressRangeError> {
/// use prewarm::AddressRange;
///
/// let one: AddressRange = "10.0.0.7:5432".parse()?;
/// let net: AddressRange = "10.0.0.0/8:8000-8099".parse()?;
/// let all: AddressRange = "[::]/0:*".parse()?;
/// assert!(net.contains("10.1.2.3:8080".parse().unwrap()));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressRange {
    network: IpAddr,
    prefix: u8,
    ports: RangeInclusive<u16>,
}

impl AddressRange {
    /// Whether `address` lies in this range. An IPv4 address written as IPv6 counts as IPv4.
    #[must_use]
    pub fn contains(&self, address: SocketAddr) -> bool {
        let same_block = match (self.network, address.ip().to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(ip)) => {
                let shift = 32_u32.saturating_sub(self.prefix.into());
                let cut = |bits: u32| bits.checked_shr(shift).unwrap_or(0);
                cut(network.to_bits()) == cut(ip.to_bits())
            }
            (IpAddr::V6(network), IpAddr::V6(ip)) => {
                let shift = 128_u32.saturating_sub(self.prefix.into());
                let cut = |bits: u128| bits.checked_shr(shift).unwrap_or(0);
                cut(network.to_bits()) == cut(ip.to_bits())
            }
            _ => false,
        };
        same_block && self.ports.contains(&address.port())
    }
}

impl From<SocketAddr> for AddressRange {
    fn from(address: SocketAddr) -> Self {
        let network = address.ip().to_canonical();
        let prefix = if network.is_ipv4() { 32 } else { 128 };
        Self {
            network,
            prefix,
            ports: address.port()..=address.port(),
        }
    }
}

impl FromStr for AddressRange {
    type Err = AddressRangeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).ok_or_else(|| AddressRangeError {
            text: text.to_owned(),
        })
    }
}

fn parse(text: &str) -> Option<AddressRange> {
    let (block, ports) = text.rsplit_once(':')?;
    let (address, prefix) = match block.rsplit_once('/') {
        Some((address, prefix)) => (address, Some(prefix.parse::<u8>().ok()?)),
        None => (block, None),
    };
    let network: IpAddr = match address.strip_prefix('[') {
        Some(rest) => IpAddr::V6(rest.strip_suffix(']')?.parse().ok()?),
        None => IpAddr::V4(address.parse().ok()?),
    };
    let longest = if network.is_ipv4() { 32 } else { 128 };
    let prefix = prefix.unwrap_or(longest);
    let ports = match ports.split_once('-') {
        _ if ports == "*" => 0..=u16::MAX,
        Some((first, last)) => first.parse().ok()?..=last.parse().ok()?,
        None => {
            let port = ports.parse().ok()?;
            port..=port
        }
    };
    (prefix <= longest && !ports.is_empty()).then_some(AddressRange {
        network,
        prefix,
        ports,
    })
}

/// Text that is no [`AddressRange`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AddressRangeError {
    /// What was given.
    pub text: String,
}

impl fmt::Display for AddressRangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is no address range: expected one like `10.0.0.0/8:443`, `[::1]:8000-8099` or `10.0.0.7:*`",
            self.text
        )
    }
}

impl StdError for AddressRangeError {}

/// What a guest does with an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    TcpConnect,
    TcpBind,
    TcpListen,
    TcpAccept,
    UdpBind,
    UdpSend,
    UdpReceive,
}

/// The addresses that a guest may use. None until they are listed.
///
/// ```
/// # fn main() -> Result<(), prewarm::AddressRangeError> {
/// use prewarm::{Grants, Network};
///
/// let database = Network::none().tcp("10.0.0.7:5432".parse()?);
/// let grants = Grants::none().network(database);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Network {
    tcp: Vec<AddressRange>,
    udp: Vec<AddressRange>,
    tcp_listen: Vec<AddressRange>,
    udp_listen: Vec<AddressRange>,
    name_lookup: bool,
}

impl Network {
    /// No addresses.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Also TCP connections to `range`.
    #[must_use]
    pub fn tcp(mut self, range: AddressRange) -> Self {
        self.tcp.push(range);
        self
    }

    /// Also datagrams to `range`, and answers from there.
    #[must_use]
    pub fn udp(mut self, range: AddressRange) -> Self {
        self.udp.push(range);
        self
    }

    /// Also TCP listeners on local addresses in `range`, reached by anyone.
    #[must_use]
    pub fn tcp_listen(mut self, range: AddressRange) -> Self {
        self.tcp_listen.push(range);
        self
    }

    /// Also UDP sockets bound to local addresses in `range`, which then receive from anyone. To
    /// answer, a guest needs its peers listed by [`Network::udp`] as well.
    #[must_use]
    pub fn udp_listen(mut self, range: AddressRange) -> Self {
        self.udp_listen.push(range);
        self
    }

    /// Also name lookup, through the host's resolver. Every lookup tells the resolver a name of the
    /// guest's choosing, which is a way out for data.
    #[must_use]
    pub fn name_lookup(mut self) -> Self {
        self.name_lookup = true;
        self
    }

    pub(crate) fn allows_tcp(&self) -> bool {
        !(self.tcp.is_empty() && self.tcp_listen.is_empty())
    }

    pub(crate) fn allows_udp(&self) -> bool {
        !(self.udp.is_empty() && self.udp_listen.is_empty())
    }

    pub(crate) fn allows_name_lookup(&self) -> bool {
        self.name_lookup
    }

    /// Whether the guest may do this with this address. An ephemeral port on the unspecified
    /// address is what every outgoing socket is bound to, so that needs no listing.
    pub(crate) fn allows(&self, address: SocketAddr, to: Use) -> bool {
        let within = |ranges: &[AddressRange]| ranges.iter().any(|range| range.contains(address));
        let ephemeral = address.ip().is_unspecified() && address.port() == 0;
        match to {
            Use::TcpConnect => within(&self.tcp),
            Use::TcpBind => ephemeral || within(&self.tcp_listen),
            Use::TcpListen => within(&self.tcp_listen),
            Use::TcpAccept => !self.tcp_listen.is_empty(),
            Use::UdpBind => ephemeral || within(&self.udp_listen),
            Use::UdpSend => within(&self.udp),
            Use::UdpReceive => within(&self.udp) || !self.udp_listen.is_empty(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(range: &str, address: &str, expected: bool) {
        let range: AddressRange = range.parse().unwrap();
        assert_eq!(
            range.contains(address.parse().unwrap()),
            expected,
            "{range:?} {address}"
        );
    }

    #[test]
    fn ranges() {
        check("10.0.0.7:5432", "10.0.0.7:5432", true);
        check("10.0.0.7:5432", "10.0.0.7:5433", false);
        check("10.0.0.7:5432", "10.0.0.8:5432", false);
        check("10.0.0.7:5432", "[::ffff:10.0.0.7]:5432", true);
        check("10.0.0.0/8:8000-8099", "10.255.0.1:8099", true);
        check("10.0.0.0/8:8000-8099", "11.0.0.1:8099", false);
        check("0.0.0.0/0:*", "203.0.113.9:1", true);
        check("0.0.0.0/0:*", "[2001:db8::1]:1", false);
        check("[::]/0:*", "[2001:db8::1]:1", true);
        check("[2001:db8::]/32:443", "[2001:db8:1::1]:443", true);
        check("[2001:db8::]/32:443", "[2001:db9::1]:443", false);
    }

    #[test]
    fn what_is_no_range() {
        for text in [
            "",
            "10.0.0.1",
            "10.0.0.1/33:1",
            "::1:80",
            "[::1]/129:1",
            "10.0.0.1:9-8",
            "a:1",
            "[1.2.3.4]:5",
        ] {
            let error = text.parse::<AddressRange>().unwrap_err();
            assert!(error.to_string().contains("is no address range"), "{text}");
        }
    }

    #[test]
    fn an_outgoing_grant_does_not_listen() {
        let network = Network::none().tcp("10.0.0.7:5432".parse().unwrap());
        let peer = "10.0.0.7:5432".parse().unwrap();
        let anywhere = "0.0.0.0:0".parse().unwrap();
        assert!(network.allows(peer, Use::TcpConnect));
        assert!(network.allows(anywhere, Use::TcpBind));
        assert!(!network.allows(anywhere, Use::TcpListen));
        assert!(!network.allows(peer, Use::TcpAccept));
        assert!(!network.allows(peer, Use::UdpSend));
        assert!(network.allows_tcp() && !network.allows_udp() && !network.allows_name_lookup());
    }
}
