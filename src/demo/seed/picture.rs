//! Small pictures drawn by code, as real PNG and JPEG files.
use super::random::Random;
use super::{jpeg, png};
use crate::demo::api::uploads::Picture;

type Rgb = [u8; 3];

const WIDTH: usize = 480;
const HEIGHT: usize = 320;
const AVATAR: usize = 96;

/// Colours from the evening.
const SKY_HIGH: Rgb = [120, 160, 190];
const SKY_LOW: Rgb = [240, 205, 160];
const SEA_FAR: Rgb = [110, 150, 170];
const SEA_NEAR: Rgb = [40, 75, 100];

/// A picture that a script names.
pub fn named(name: &str, alt: &str) -> Option<Picture> {
    let draw: fn(f64, f64) -> Rgb = match name {
        "harbour" => |x, y| harbour_at(x, y, 0.62),
        "loaf" => loaf_at,
        "island" => island_at,
        "meadow" => meadow_at,
        _ => return None,
    };
    // Cameras make JPEG; what people draw or crop is PNG.
    let jpeg = matches!(name, "island" | "meadow");
    Some(if jpeg { as_jpeg(draw, alt) } else { as_png(WIDTH, HEIGHT, draw, alt) })
}

/// The harbour, with its boat somewhere else each time.
pub fn harbour(variation: u64) -> Picture {
    let boat = Random::new(variation).within(15, 85) as f64 / 100.0;
    as_png(WIDTH, HEIGHT, |x, y| harbour_at(x, y, boat), "The harbour, drawn from memory")
}

/// A pattern of one's own, mirrored like a face.
pub fn avatar(of: &str) -> Picture {
    const GROUNDS: [Rgb; 5] =
        [[110, 139, 91], [136, 177, 205], [200, 123, 93], [230, 192, 115], [184, 199, 154]];
    let mut random = Random::of(0, of);
    let ground = GROUNDS[random.within(0, 5) as usize];
    let cells: [u8; 15] = random.bytes();
    let draw = |x: f64, y: f64| {
        let (column, row) = ((x * 6.0 - 0.5).floor(), (y * 6.0 - 0.5).floor());
        if !(0.0..5.0).contains(&column) || !(0.0..5.0).contains(&row) {
            return ground;
        }
        let column = if column > 2.0 { 4.0 - column } else { column };
        let on = cells[row as usize * 3 + column as usize] & 1 == 1;
        if on { [251, 246, 232] } else { ground }
    };
    as_png(AVATAR, AVATAR, draw, "")
}

fn as_png(width: usize, height: usize, draw: impl Fn(f64, f64) -> Rgb, alt: &str) -> Picture {
    let pixel = |x, y| draw(x as f64 / width as f64, y as f64 / height as f64);
    let bytes = png::encode(width, height, pixel);
    Picture { bytes, media_type: "image/png", alt: alt.to_owned() }
}

/// In squares: see the encoder.
fn as_jpeg(draw: impl Fn(f64, f64) -> Rgb, alt: &str) -> Picture {
    let (columns, rows) = (WIDTH / jpeg::BLOCK, HEIGHT / jpeg::BLOCK);
    let block = |x, y| draw((x as f64 + 0.5) / columns as f64, (y as f64 + 0.5) / rows as f64);
    let bytes = jpeg::encode(columns, rows, block);
    Picture { bytes, media_type: "image/jpeg", alt: alt.to_owned() }
}

fn mix(from: Rgb, to: Rgb, part: f64) -> Rgb {
    let part = part.clamp(0.0, 1.0);
    std::array::from_fn(|i| {
        (f64::from(from[i]) + (f64::from(to[i]) - f64::from(from[i])) * part) as u8
    })
}

/// In steps, which compress well and look like a print.
fn steps(part: f64) -> f64 {
    (part * 12.0).floor() / 12.0
}

fn sky_and_sea(y: f64) -> Rgb {
    if y < 0.55 {
        mix(SKY_HIGH, SKY_LOW, steps(y / 0.55))
    } else {
        mix(SEA_FAR, SEA_NEAR, steps((y - 0.55) / 0.45))
    }
}

fn circle(x: f64, y: f64, cx: f64, cy: f64, radius: f64) -> bool {
    // The picture is three wide for two high.
    let (dx, dy) = ((x - cx) * 1.5, y - cy);
    dx * dx + dy * dy < radius * radius
}

fn harbour_at(x: f64, y: f64, boat: f64) -> Rgb {
    let (dx, wall) = (x - boat, y > 0.86 - 0.05 * x);
    let hull = (0.60..0.66).contains(&y) && dx.abs() < 0.10 - (y - 0.60) * 0.8;
    let sail = (0.30..0.58).contains(&y) && dx > 0.005 && dx < (y - 0.30) * 0.35;
    let mast = (0.28..0.60).contains(&y) && dx.abs() < 0.004;
    match () {
        () if wall => [92, 84, 72],
        () if hull => [200, 123, 93],
        () if sail => [251, 246, 232],
        () if mast => [60, 50, 40],
        () if circle(x, y, 0.2, 0.4, 0.07) => [250, 225, 170],
        () => sky_and_sea(y),
    }
}

fn loaf_at(x: f64, y: f64) -> Rgb {
    let crust = circle(x, y * 0.8 + 0.12, 0.5, 0.7, 0.4) && y < 0.78;
    let score = crust && ((x * 9.0 + y * 3.0) % 1.0) < 0.12 && y < 0.6;
    match () {
        () if score => [245, 225, 185],
        () if crust => mix([190, 125, 65], [140, 85, 45], steps(y)),
        () if y > 0.74 => [120, 95, 70],
        () => [236, 227, 204],
    }
}

fn island_at(x: f64, y: f64) -> Rgb {
    let hill = 0.55 - 0.16 * (-(x - 0.55) * (x - 0.55) * 30.0).exp();
    let tower = (x - 0.6).abs() < 0.012 && (0.28..0.45).contains(&y);
    match () {
        () if tower => [250, 240, 225],
        () if y > hill && y < 0.56 => [100, 125, 85],
        () => sky_and_sea(y),
    }
}

fn meadow_at(x: f64, y: f64) -> Rgb {
    let cow = circle(x, y, 0.72, 0.6, 0.035);
    let tree = circle(x, y, 0.25, 0.42, 0.11) || ((x - 0.25).abs() < 0.012 && y > 0.45 && y < 0.6);
    match () {
        () if cow => [60, 50, 45],
        () if tree => [77, 106, 62],
        () if y > 0.55 => mix([184, 199, 154], [110, 139, 91], (y - 0.55) / 0.45),
        () => mix(SKY_HIGH, [230, 238, 243], y / 0.55),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_picture_is_small_and_of_its_type() {
        for name in ["harbour", "loaf", "island", "meadow"] {
            let picture = named(name, "words").unwrap();
            let magic: &[u8] =
                if picture.media_type == "image/png" { b"\x89PNG" } else { b"\xff\xd8\xff" };
            assert!(picture.bytes.starts_with(magic), "{name}");
            assert!(picture.bytes.len() < 40_000, "{name}: {}", picture.bytes.len());
        }
        assert!(named("nothing", "").is_none());
        assert_ne!(avatar("a").bytes, avatar("b").bytes);
        assert_ne!(harbour(1).bytes, harbour(2).bytes);
    }
}
