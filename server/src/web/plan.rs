//! A drawn plan of where somebody is: the newest position with its accuracy, how they came there, rings of distance, and
//! below it, where the desk names a tile server, that one's map.
//!
//! Everything is drawn here, so that a page shows where somebody is without asking anybody. A tile server learns from
//! which tiles are asked for where an alarm is; that is for the desk to decide (`[map]` of `desk.toml`).

use crate::desk::{MapTiles, PlaceView};

/// Size of the drawing in its own units, which are a map's pixels.
const WIDTH: f64 = 640.0;
/// Its height.
const HEIGHT: f64 = 380.0;
/// How close it may come: one unit is then about 0.4 m in the Netherlands.
const CLOSEST: u8 = 18;
/// How far away it may go.
const FURTHEST: u8 = 5;
/// Size of a tile.
const TILE: f64 = 256.0;
/// Metres round the equator, in the sphere that maps on the web use.
const EQUATOR_M: f64 = 40_075_016.686;
/// Distances that a ring or the scale may have, in metres.
const ROUND_M: [u32; 18] = [
    10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000,
    2_000_000, 5_000_000,
];

/// A place on the way, in the drawing's units.
#[derive(Debug, Clone, PartialEq)]
pub struct Spot {
    /// From the left.
    pub x: f64,
    /// From the top.
    pub y: f64,
    /// When it came in.
    pub when: String,
}

/// A piece of map.
#[derive(Debug, Clone, PartialEq)]
pub struct Tile {
    /// Its address.
    pub href: String,
    /// From the left.
    pub x: f64,
    /// From the top.
    pub y: f64,
}

/// A ring of distance.
#[derive(Debug, Clone, PartialEq)]
pub struct Ring {
    /// In the drawing's units.
    pub radius: f64,
    /// Where its name stands.
    pub label_y: f64,
    /// "100 m".
    pub name: String,
}

/// What is drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Size in its own units.
    pub width: f64,
    /// Size in its own units.
    pub height: f64,
    /// The newest position.
    pub x: f64,
    /// The newest position.
    pub y: f64,
    /// Radius that the fix is good to.
    pub accuracy: f64,
    /// The way, the newest first.
    pub trail: Vec<Spot>,
    /// Rings of distance.
    pub rings: Vec<Ring>,
    /// Pieces of map, where there is a tile server.
    pub tiles: Vec<Tile>,
    /// Where the scale stands.
    pub scale_y: f64,
    /// How long it is.
    pub scale_px: f64,
    /// "200 m".
    pub scale_name: String,
    /// What the drawing shows, in words.
    pub label: String,
    /// Whose map it is; empty without one.
    pub attribution: String,
}

/// A place on the sphere, in units of the whole map at its coarsest: 0 to 1 in both directions.
fn project(place: &PlaceView) -> Option<(f64, f64)> {
    let (latitude, longitude): (f64, f64) = (place.latitude.parse().ok()?, place.longitude.parse().ok()?);
    let sine = latitude.to_radians().sin();
    // Nearer to a pole the map has no end.
    (latitude.abs() < 85.0)
        .then(|| (longitude / 360.0 + 0.5, 0.5 - ((1.0 + sine) / (1.0 - sine)).ln() / (4.0 * std::f64::consts::PI)))
}

fn metres(count: u32) -> String {
    if count < 1_000 { format!("{count} m") } else { format!("{} km", count / 1_000) }
}

/// One decimal is finer than any screen.
fn round(units: f64) -> f64 {
    (units * 10.0).round() / 10.0
}

impl Plan {
    /// The plan of the newest place, and of the places before it with when each came in. `None` where it cannot be drawn.
    pub fn draw(
        now: &PlaceView,
        before: &[(PlaceView, String)],
        map: Option<&MapTiles>,
        label: String,
    ) -> Option<Self> {
        let centre = project(now)?;
        let latitude: f64 = now.latitude.parse().ok()?;
        let metre = 1.0 / (EQUATOR_M * latitude.to_radians().cos());
        let way: Vec<((f64, f64), &String)> =
            before.iter().filter_map(|(place, when)| Some((project(place)?, when))).collect();
        // All of the circle, and of the way what fits when the newest place stays in the middle.
        let reach =
            |at: &(f64, f64)| ((at.0 - centre.0).abs() / (WIDTH / 2.2), (at.1 - centre.1).abs() / (HEIGHT / 2.2));
        let of_way = way.iter().map(|(at, _)| reach(at)).map(|(x, y)| x.max(y)).fold(0.0, f64::max);
        let of_circle = f64::from(now.accuracy_m) * metre / (HEIGHT / 2.6);
        let at_least = 60.0 * metre / (HEIGHT / 2.0);
        let needed = of_way.max(of_circle).max(at_least);
        let zoom = (FURTHEST..=CLOSEST).rev().find(|zoom| needed * units_at(*zoom) <= 1.0).unwrap_or(FURTHEST);
        let units = units_at(zoom);
        let place = |at: (f64, f64)| {
            (
                round((at.0 - centre.0).mul_add(units, WIDTH / 2.0)),
                round((at.1 - centre.1).mul_add(units, HEIGHT / 2.0)),
            )
        };
        let (x, y) = place(centre);
        let first = Spot { x, y, when: String::new() };
        let spots = way.iter().map(|(at, when)| {
            let (x, y) = place(*at);
            Spot { x, y, when: (*when).clone() }
        });
        let trail: Vec<Spot> = std::iter::once(first).chain(spots).collect();
        let unit_of_metre = metre * units;
        let rounds = || ROUND_M.into_iter().map(|count| (count, f64::from(count) * unit_of_metre));
        let rings = rounds().filter(|(_, radius)| (50.0..HEIGHT / 2.0).contains(radius)).map(|(count, radius)| Ring {
            radius: round(radius),
            label_y: round(y - radius - 4.0),
            name: metres(count),
        });
        let (scale, scale_px) = rounds().rfind(|(_, length)| *length <= 160.0).unwrap_or((1, unit_of_metre));
        Some(Self {
            width: WIDTH,
            height: HEIGHT,
            x,
            y,
            accuracy: round((f64::from(now.accuracy_m) * unit_of_metre).max(1.0)),
            trail,
            rings: rings.collect(),
            tiles: map.map(|map| tiles(map, centre, zoom)).unwrap_or_default(),
            scale_y: HEIGHT - 22.0,
            scale_px: round(scale_px),
            scale_name: metres(scale),
            label,
            attribution: map.map(|map| map.attribution.clone()).unwrap_or_default(),
        })
    }

    /// The way as a line.
    pub fn line(&self) -> String {
        self.trail.iter().map(|at| format!("{},{}", at.x, at.y)).collect::<Vec<_>>().join(" ")
    }

    /// The places before the newest.
    pub fn earlier(&self) -> &[Spot] {
        self.trail.get(1..).unwrap_or_default()
    }
}

/// How many units the whole map is wide.
fn units_at(zoom: u8) -> f64 {
    TILE * f64::from(1_u32 << zoom)
}

fn tiles(map: &MapTiles, centre: (f64, f64), zoom: u8) -> Vec<Tile> {
    let (units, count) = (units_at(zoom), i64::from(1_u32 << zoom));
    let (left, top) = (centre.0 * units - WIDTH / 2.0, centre.1 * units - HEIGHT / 2.0);
    // Both are within the map's own width, far from what an i64 cannot hold.
    let range = |from: f64, length: f64| (from / TILE).floor() as i64..=((from + length) / TILE).floor() as i64;
    let mut tiles = Vec::new();
    for row in range(top, HEIGHT).filter(|row| (0..count).contains(row)) {
        for column in range(left, WIDTH) {
            let (x, y) = (column as f64 * TILE - left, row as f64 * TILE - top);
            let href = map.address(zoom, column.rem_euclid(count), row);
            tiles.push(Tile { href, x: round(x), y: round(y) });
        }
    }
    tiles
}

#[cfg(test)]
mod tests {
    use baken_schemas::alarm::Position;

    use super::*;

    fn at(latitude_e7: i32, longitude_e7: i32, accuracy_m: u32) -> PlaceView {
        PlaceView::from(&Position { latitude_e7, longitude_e7, accuracy_m, age_s: 0 })
    }

    #[test]
    fn the_newest_place_is_in_the_middle_and_distances_are_true() {
        let home = at(523_717_500, 48_903_500, 12);
        // A hundred metres north, by the length of a degree at this latitude (111,267 m).
        let north = at(523_717_500 + 8_988, 48_903_500, 5);
        let plan = Plan::draw(&home, &[(north, "08:00".to_owned())], None, String::new()).unwrap();
        assert_eq!((plan.x, plan.y), (WIDTH / 2.0, HEIGHT / 2.0));
        let hundred = plan.rings.iter().find(|ring| ring.name == "100 m").unwrap();
        let before = &plan.earlier()[0];
        assert!(before.y < plan.y && (before.x - plan.x).abs() < 0.2);
        // The sphere of web maps and the ellipsoid differ by half a per cent.
        assert!(((plan.y - before.y) / hundred.radius - 1.0).abs() < 0.01, "{} {}", plan.y - before.y, hundred.radius);
        assert!((plan.accuracy / hundred.radius - 0.12).abs() < 0.001);
    }

    #[test]
    fn the_whole_circle_and_the_whole_way_are_on_it() {
        for (accuracy, away) in [(5, 0), (3_000, 0), (20, 400_000), (400_000, 9_000_000), (0, 1)] {
            let now = at(523_717_500, 48_903_500, accuracy);
            let then = (at(523_717_500 - away, 48_903_500 + away, 10), String::new());
            let plan = Plan::draw(&now, &[then], None, String::new()).unwrap();
            assert!(plan.accuracy < HEIGHT / 2.0, "{plan:?}");
            for spot in &plan.trail {
                assert!((0.0..=WIDTH).contains(&spot.x) && (0.0..=HEIGHT).contains(&spot.y), "{plan:?}");
            }
        }
    }

    #[test]
    fn tiles_cover_the_drawing_and_are_those_of_the_place() {
        let map =
            MapTiles { template: "https://tiles.example/{z}/{x}/{y}.png".to_owned(), attribution: "©".to_owned() };
        let plan = Plan::draw(&at(523_717_500, 48_903_500, 40), &[], Some(&map), String::new()).unwrap();
        let (left, right) = (plan.tiles.iter().map(|tile| tile.x), plan.tiles.iter().map(|tile| tile.x + TILE));
        assert!(left.fold(f64::MAX, f64::min) <= 0.0 && right.fold(0.0, f64::max) >= WIDTH);
        // Amsterdam's Dam square is on this tile of level 17 (OpenStreetMap's "Slippy map tilenames").
        let dam = Plan::draw(&at(523_730_000, 48_930_000, 90), &[], Some(&map), String::new()).unwrap();
        assert!(
            dam.tiles.iter().any(|tile| tile.href == "https://tiles.example/17/67317/43073.png"),
            "{:?}",
            dam.tiles
        );
    }

    #[test]
    fn a_pole_has_no_plan() {
        assert_eq!(Plan::draw(&at(899_000_000, 0, 5), &[], None, String::new()), None);
    }
}
