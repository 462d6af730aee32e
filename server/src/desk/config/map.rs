//! `[map]` of `desk.toml`: a tile server whose map lies below the drawn plan of where somebody is.

use serde::Deserialize;

use super::{ChannelsError, wrong};

/// The longest address, in bytes.
const MAX_ADDRESS_BYTES: usize = 300;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    tiles: String,
    #[serde(default)]
    attribution: String,
}

/// Where pieces of map come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MapTiles {
    /// `https://…` with `{z}`, `{x}` and `{y}` in it: level, column and row, as maps on the web count them.
    pub template: String,
    /// Whose map it is, as its licence asks.
    pub attribution: String,
}

impl MapTiles {
    /// The address of a piece.
    pub fn address(&self, level: u8, column: i64, row: i64) -> String {
        let fill = |text: String, name: &str, number: i64| text.replace(name, &number.to_string());
        fill(fill(fill(self.template.clone(), "{z}", level.into()), "{x}", column), "{y}", row)
    }

    /// The server, as a browser's policy names it: `https://host[:port]`.
    pub fn origin(&self) -> &str {
        let start = "https://".len();
        let end =
            self.template.get(start..).and_then(|rest| rest.find('/')).map_or(self.template.len(), |at| start + at);
        self.template.get(..end).unwrap_or_default()
    }
}

impl Entry {
    pub(super) fn read(self) -> Result<MapTiles, ChannelsError> {
        let why = "tiles is an https address of at most 300 letters, digits and -._~/:?=&%, with {z}, {x} and {y} in its path";
        // It goes into a header and into pages.
        let plain = |letter: char| letter.is_ascii_alphanumeric() || "-._~/:?=&%{}".contains(letter);
        let map = MapTiles { template: self.tiles, attribution: self.attribution };
        let good = map.template.starts_with("https://")
            && map.template.len() <= MAX_ADDRESS_BYTES
            && map.template.chars().all(plain)
            && map.origin().len() > "https://".len()
            && !map.origin().contains('{')
            && ["{z}", "{x}", "{y}"].iter().all(|part| map.template.matches(part).count() == 1);
        if good { Ok(map) } else { Err(wrong("map", &why)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(tiles: &str) -> Option<MapTiles> {
        Entry { tiles: tiles.to_owned(), attribution: String::new() }.read().ok()
    }

    #[test]
    fn only_an_https_address_with_its_three_places_is_taken() {
        let map = read("https://tiles.example:8443/{z}/{x}/{y}.png?key=a").unwrap();
        assert_eq!(map.origin(), "https://tiles.example:8443");
        assert_eq!(map.address(7, 65, 42), "https://tiles.example:8443/7/65/42.png?key=a");
        for bad in [
            "http://tiles.example/{z}/{x}/{y}.png",
            "https://tiles.example/{z}/{x}.png",
            "https:///{z}/{x}/{y}.png",
            "https://{z}.example/{x}/{y}.png",
            "https://tiles.example/{z}/{x}/{y}.png; script-src *",
            "https://tiles.example/{z}/{x}/{y}/\"><script>",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
