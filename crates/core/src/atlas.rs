//! Where addresses are: by a database file in MaxMind's format, if there is one. Without it nothing is known of any.

use maxminddb::{PathElement, Reader, path};
use std::net::IpAddr;
use std::path::Path;

/// What is known of addresses.
#[derive(Default)]
pub struct Atlas(Option<Reader<Vec<u8>>>);

/// Where an address is, as far as that is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The city's English name.
    pub city: Option<String>,
    /// Two capital letters (ISO 3166-1).
    pub country: Option<String>,
}

impl Atlas {
    /// Reads a file into memory.
    ///
    /// # Errors
    /// A sentence for the operator, when there is no such file, or none of that format.
    pub fn open(file: &Path) -> Result<Self, String> {
        let bytes = std::fs::read(file).map_err(|error| error.to_string())?;
        Reader::from_source(bytes).map(|reader| Self(Some(reader))).map_err(|error| error.to_string())
    }

    /// Where an address is. A broken record is one that is not there.
    pub fn place(&self, ip: IpAddr) -> Place {
        let Some(found) = self.0.as_ref().and_then(|reader| reader.lookup(ip).ok()) else { return Place::default() };
        let text = |path: &[PathElement<'_>]| found.decode_path::<&str>(path).ok().flatten().filter(|it| !it.is_empty());
        let country = text(&path!["country", "iso_code"]).filter(|it| it.len() == 2 && it.bytes().all(|b| b.is_ascii_alphabetic()));
        let city = text(&path!["city", "names", "en"]);
        Place { city: city.map(str::to_owned), country: country.map(str::to_ascii_uppercase) }
    }
}
