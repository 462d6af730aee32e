//! Positions as people at a desk use them: degrees, the Dutch national grid (RD), and a link that opens a map.

use baken_schemas::alarm::Position;
use serde::Serialize;

/// A position, ready to show. How old the fix is counts from the moment the phone made the alarm or update.
#[derive(Clone, PartialEq, Serialize)]
pub struct PlaceView {
    /// Degrees north, seven decimals.
    pub latitude: String,
    /// Degrees east, seven decimals.
    pub longitude: String,
    /// Metres east and north in the Dutch grid (EPSG:28992), to about a metre; `None` outside it.
    pub rd: Option<(i64, i64)>,
    /// Radius in metres that the fix is good to.
    pub accuracy_m: u32,
    /// Age of the fix in seconds when it was sent.
    pub age_s: u32,
    /// `geo:` link (RFC 5870) with the accuracy.
    pub geo: String,
}

impl std::fmt::Debug for PlaceView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PlaceView(…)")
    }
}

impl From<&Position> for PlaceView {
    fn from(position: &Position) -> Self {
        let latitude = degrees(position.latitude_e7);
        let longitude = degrees(position.longitude_e7);
        let geo = format!("geo:{latitude},{longitude};u={}", position.accuracy_m);
        Self {
            rd: rd(f64::from(position.latitude_e7) / 1e7, f64::from(position.longitude_e7) / 1e7),
            latitude,
            longitude,
            accuracy_m: position.accuracy_m,
            age_s: position.age_s,
            geo,
        }
    }
}

/// Written from the whole number, so that no digit is lost or invented.
fn degrees(e7: i32) -> String {
    let sign = if e7 < 0 { "-" } else { "" };
    let digits = e7.unsigned_abs();
    format!("{sign}{}.{:07}", digits / 10_000_000, digits % 10_000_000)
}

/// WGS 84 to RD by the polynomials of Schreutelkamp and Strang van Hees ("Benaderingsformules voor de transformatie
/// tussen RD- en WGS84-kaartcoördinaten", Geodesia 2001): good to about a metre in the Netherlands.
fn rd(latitude: f64, longitude: f64) -> Option<(i64, i64)> {
    /// Power of latitude, power of longitude, factor.
    const EAST: [(i32, i32, f64); 9] = [
        (0, 1, 190_094.945),
        (1, 1, -11_832.228),
        (2, 1, -114.221),
        (0, 3, -32.391),
        (1, 0, -0.705),
        (3, 1, -2.340),
        (1, 3, -0.608),
        (0, 2, -0.008),
        (2, 3, 0.148),
    ];
    const NORTH: [(i32, i32, f64); 10] = [
        (1, 0, 309_056.544),
        (0, 2, 3_638.893),
        (2, 0, 73.077),
        (1, 2, -157.984),
        (3, 0, 59.788),
        (0, 1, 0.433),
        (2, 2, -6.439),
        (1, 1, -0.032),
        (0, 4, 0.092),
        (1, 4, -0.054),
    ];
    if !(50.5..=53.8).contains(&latitude) || !(3.0..=7.4).contains(&longitude) {
        return None;
    }
    let (north, east) = (0.36 * (latitude - 52.155_174_40), 0.36 * (longitude - 5.387_206_21));
    let sum = |terms: &[(i32, i32, f64)]| -> f64 {
        terms.iter().map(|(p, q, factor)| factor * north.powi(*p) * east.powi(*q)).sum()
    };
    let (x, y) = (155_000.0 + sum(&EAST), 463_000.0 + sum(&NORTH));
    // Both are between 0 and 700,000 within these bounds.
    Some((x.round() as i64, y.round() as i64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_points_lie_where_the_dutch_grid_has_them() {
        // The grid's origin at Amersfoort, and the Westertoren and the Martinitoren as the Kadaster publishes them.
        assert_eq!(rd(52.155_174_40, 5.387_206_21), Some((155_000, 463_000)));
        for ((latitude, longitude), (x, y)) in
            [((52.374_532_53, 4.883_525_59), (120_700, 487_525)), ((53.219_383_17, 6.568_201_49), (233_883, 582_065))]
        {
            let (found_x, found_y) = rd(latitude, longitude).unwrap();
            assert!((found_x - x).abs() <= 2 && (found_y - y).abs() <= 2, "{found_x} {found_y}");
        }
        assert_eq!(rd(48.85, 2.35), None);
    }

    #[test]
    fn degrees_keep_every_digit() {
        let position = Position { latitude_e7: 523_717_505, longitude_e7: -1, accuracy_m: 12, age_s: 4 };
        let view = PlaceView::from(&position);
        assert_eq!((view.latitude.as_str(), view.longitude.as_str()), ("52.3717505", "-0.0000001"));
        assert_eq!(view.geo, "geo:52.3717505,-0.0000001;u=12");
    }
}
