use std::collections::BTreeMap;
use std::net::IpAddr;

/// What a record says: texts and what holds them.
#[derive(Clone, Debug)]
pub enum Mmdb {
    /// A text.
    Text(&'static str),
    /// Named values.
    Map(BTreeMap<&'static str, Mmdb>),
    /// A list.
    List(Vec<Mmdb>),
    /// A whole number of a type of the format and so many bytes.
    Number(u8, u64, usize),
}

/// A database of addresses in MaxMind's format (version 2.0): networks with what is said of them.
pub fn mmdb(networks: &[(&str, u8, Mmdb)]) -> Vec<u8> {
    // A node is two records: nothing (0), a node (positive), or data (negative: one below its offset).
    let mut nodes: Vec<[i64; 2]> = vec![[0, 0]];
    let mut data = Vec::new();
    for (address, length, value) in networks {
        let bits = match address.parse().unwrap() {
            IpAddr::V4(ip) => (u128::from(u32::from(ip)), length + 96),
            IpAddr::V6(ip) => (u128::from(ip), *length),
        };
        let mut at = 0;
        for depth in 0..bits.1 {
            let side = usize::from(bits.0 >> (127 - depth) & 1 == 1);
            if depth + 1 == bits.1 {
                nodes[at][side] = -1 - i64::try_from(data.len()).unwrap();
            } else {
                if nodes[at][side] == 0 {
                    nodes.push([0, 0]);
                    nodes[at][side] = i64::try_from(nodes.len() - 1).unwrap();
                }
                at = usize::try_from(nodes[at][side]).unwrap();
            }
        }
        value.write(&mut data);
    }
    let count = i64::try_from(nodes.len()).unwrap();
    let record = |it: i64| match it {
        0 => count,
        node if node > 0 => node,
        offset => count + 16 - 1 - offset,
    };
    let mut out = Vec::new();
    for it in nodes.iter().flatten() {
        out.extend_from_slice(&record(*it).to_be_bytes()[5..]);
    }
    out.extend([0; 16]);
    out.extend(data);
    out.extend(b"\xab\xcd\xefMaxMind.com");
    let number = |kind, value, bytes| Mmdb::Number(kind, value, bytes);
    let described = [
        ("binary_format_major_version", number(5, 2, 2)),
        ("binary_format_minor_version", number(5, 0, 2)),
        ("build_epoch", number(9, 1_767_225_600, 8)),
        ("database_type", Mmdb::Text("Test-City")),
        ("description", Mmdb::Map(BTreeMap::new())),
        ("ip_version", number(5, 6, 2)),
        ("languages", Mmdb::List(vec![Mmdb::Text("en")])),
        ("node_count", number(6, u64::try_from(count).unwrap(), 4)),
        ("record_size", number(5, 24, 2)),
    ];
    Mmdb::Map(described.into()).write(&mut out);
    out
}

impl Mmdb {
    /// A record as the databases of cities have it.
    pub fn city(city: &'static str, country: &'static str) -> Self {
        let map = |name, value| Self::Map([(name, value)].into());
        let city = map("names", map("en", Self::Text(city)));
        Self::Map([("city", city), ("country", map("iso_code", Self::Text(country)))].into())
    }

    fn write(&self, out: &mut Vec<u8>) {
        let head = |out: &mut Vec<u8>, kind: u8, size: usize| {
            let (short, long) = if size < 29 { (u8::try_from(size).unwrap(), None) } else { (29, Some(u8::try_from(size - 29).unwrap())) };
            if kind < 8 {
                out.push(kind << 5 | short);
            } else {
                out.extend([short, kind - 7]);
            }
            out.extend(long);
        };
        match self {
            Self::Text(text) => {
                head(out, 2, text.len());
                out.extend(text.as_bytes());
            }
            Self::Map(values) => {
                head(out, 7, values.len());
                for (name, value) in values {
                    Self::Text(name).write(out);
                    value.write(out);
                }
            }
            Self::List(values) => {
                head(out, 11, values.len());
                values.iter().for_each(|value| value.write(out));
            }
            Self::Number(kind, value, bytes) => {
                head(out, *kind, *bytes);
                out.extend_from_slice(&value.to_be_bytes()[8 - bytes..]);
            }
        }
    }
}
