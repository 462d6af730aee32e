//! Positions in the `X` and `Y` elements: degrees, a hemisphere's letter, decimal minutes.
//!
//! `X004E53.4210` and `Y52N22.3050` are 4.89035° E, 52.37175° N. Reckoned in whole ten-thousandths of a minute
//! (19 cm), so no rounding can carry a position into another degree. Some diallers write plain decimal degrees
//! instead; those are read too.

/// 10⁻⁴ minutes in one degree.
const UNITS: i64 = 600_000;

/// Writes a longitude in 10⁻⁷ degrees as the content of an `X` element. Beyond ±180° it is clamped.
pub fn write_longitude(longitude_e7: i32) -> String {
    write(longitude_e7, 180, 3, ['E', 'W'])
}

/// Writes a latitude in 10⁻⁷ degrees as the content of a `Y` element. Beyond ±90° it is clamped.
pub fn write_latitude(latitude_e7: i32) -> String {
    write(latitude_e7, 90, 2, ['N', 'S'])
}

/// Reads the content of an `X` element as 10⁻⁷ degrees; `None` where it is no longitude.
pub fn read_longitude(text: &str) -> Option<i32> {
    read(text, 180, ['E', 'W'])
}

/// Reads the content of a `Y` element as 10⁻⁷ degrees; `None` where it is no latitude.
pub fn read_latitude(text: &str) -> Option<i32> {
    read(text, 90, ['N', 'S'])
}

fn write(value_e7: i32, limit_degrees: i64, width: usize, [positive, negative]: [char; 2]) -> String {
    let hemisphere = if value_e7 < 0 { negative } else { positive };
    // 10⁻⁷ degree is 6·10⁻⁶ minute, so 0.06 units; the half is added to round.
    let units = ((i64::from(value_e7).abs() * 3 + 25) / 50).min(limit_degrees * UNITS);
    let (degrees, minutes) = (units / UNITS, units % UNITS);
    format!("{degrees:0width$}{hemisphere}{:02}.{:04}", minutes / 10_000, minutes % 10_000)
}

fn read(text: &str, limit_degrees: i64, [positive, negative]: [char; 2]) -> Option<i32> {
    let limit_e7 = limit_degrees * 10_000_000;
    let e7 = match text.split_once([positive, negative]) {
        Some((degrees, minutes)) => {
            let degrees = fixed_point(degrees, 0)?;
            let minutes_e6 = fixed_point(minutes, 6)?;
            if minutes_e6 >= 60_000_000 {
                return None;
            }
            let magnitude = degrees.checked_mul(10_000_000)?.checked_add((minutes_e6 + 3) / 6)?;
            if text.contains(negative) { -magnitude } else { magnitude }
        }
        None => match text.strip_prefix('-') {
            Some(magnitude) => -fixed_point(magnitude, 7)?,
            None => fixed_point(text, 7)?,
        },
    };
    if e7.abs() > limit_e7 {
        return None;
    }
    i32::try_from(e7).ok()
}

/// An unsigned decimal number times 10^`places`; digits beyond those places fall away.
fn fixed_point(text: &str, places: usize) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 4 || fraction.len() > 12 || !digits(whole) || !digits(fraction) {
        return None;
    }
    let kept: String = fraction.chars().chain(std::iter::repeat('0')).take(places).collect();
    format!("{whole}{kept}").parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{read_latitude, read_longitude, write_latitude, write_longitude};

    #[test]
    fn a_known_square_is_written_and_read() {
        assert_eq!(write_longitude(48_903_500), "004E53.4210");
        assert_eq!(write_latitude(523_717_500), "52N22.3050");
        assert_eq!(read_longitude("004E53.4210"), Some(48_903_500));
        assert_eq!(read_latitude("52N22.3050"), Some(523_717_500));
        assert_eq!(read_longitude("093W23.456"), Some(-933_909_333));
    }

    #[test]
    fn almost_a_degree_never_becomes_sixty_minutes() {
        assert_eq!(write_latitude(529_999_999), "53N00.0000");
        assert_eq!(write_latitude(-529_999_999), "53S00.0000");
        assert_eq!(write_longitude(1_800_000_000), "180E00.0000");
    }

    #[test]
    fn plain_degrees_are_read_and_nonsense_is_not() {
        assert_eq!(read_latitude("52.21"), Some(522_100_000));
        assert_eq!(read_longitude("-4.5"), Some(-45_000_000));
        for bad in ["", "N", "52N60.0", "91N00.0", "52N22.3050N", "52N-1.0", "5e1", "52,21", "--4"] {
            assert_eq!(read_latitude(bad), None, "{bad:?} passed");
        }
        assert_eq!(read_longitude("181E00.0"), None);
    }

    proptest! {
        #[test]
        fn a_position_comes_back_within_ten_centimetres(
            latitude in -900_000_000_i32..=900_000_000,
            longitude in -1_800_000_000_i32..=1_800_000_000,
        ) {
            let there = read_latitude(&write_latitude(latitude)).unwrap();
            prop_assert!((there - latitude).abs() <= 9, "{} became {}", latitude, there);
            let there = read_longitude(&write_longitude(longitude)).unwrap();
            prop_assert!((i64::from(there) - i64::from(longitude)).abs() <= 9, "{} became {}", longitude, there);
        }

        #[test]
        fn no_text_can_make_it_panic(text in "\\PC{0,40}") {
            let _ = (read_latitude(&text), read_longitude(&text));
        }
    }
}
