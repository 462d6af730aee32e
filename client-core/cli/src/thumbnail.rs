//! A small picture of a picture, for the record that names an attachment: shown before the file itself is fetched.
//!
//! It is drawn anew, so nothing else of the photo comes along: no place, no time, no camera. The way the camera was held
//! is applied first. A picture may come from anyone: what would take too much memory is refused by its header, before it
//! is decoded. Only JPEG and PNG are read, which is what phones make.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ExtendedColorType, ImageDecoder, ImageReader, Limits, Rgb, RgbImage};

/// The longest side in pixels.
const SIDE_PX: u32 = 256;
/// The most bytes that it may have.
const MAX_BYTES: usize = 64_000;
/// The longest side of a picture that is read, in pixels.
const MAX_SIDE_PX: u32 = 16_384;
/// The most memory that a decoded picture may take: 50 million pixels of a phone's largest photos, and some more.
const MAX_DECODED_BYTES: u64 = 256 * 1024 * 1024;
/// Qualities to try until it is small enough. Of 256 pixels, the first nearly always is.
const QUALITIES: [u8; 3] = [80, 50, 20];

/// A JPEG of at most 256 pixels and 64 kB; `None` for what is no picture, or none that is safe to draw.
pub fn thumbnail(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut decoder = safe_decoder(bytes)?;
    let held = decoder.orientation().ok()?;
    let mut picture = DynamicImage::from_decoder(decoder).ok()?;
    if picture.width() > SIDE_PX || picture.height() > SIDE_PX {
        picture = picture.thumbnail(SIDE_PX, SIDE_PX);
    }
    picture.apply_orientation(held);
    let drawn = on_white(&picture);
    QUALITIES.iter().find_map(|quality| encoded(&drawn, *quality))
}

/// What reads a picture that takes no more memory than it may, by its header.
fn safe_decoder(bytes: &[u8]) -> Option<impl ImageDecoder + '_> {
    let mut limits = Limits::no_limits();
    limits.max_image_width = Some(MAX_SIDE_PX);
    limits.max_image_height = Some(MAX_SIDE_PX);
    limits.max_alloc = Some(MAX_DECODED_BYTES);
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().ok()?;
    reader.limits(limits);
    let decoder = reader.into_decoder().ok()?;
    (decoder.total_bytes() <= MAX_DECODED_BYTES).then_some(decoder)
}

/// What is transparent shows white.
fn on_white(picture: &DynamicImage) -> RgbImage {
    let picture = picture.to_rgba8();
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        let [red, green, blue, alpha] = picture.get_pixel(x, y).0.map(u32::from);
        // At most 255 each: a mean of two bytes.
        Rgb([red, green, blue].map(|colour| ((colour * alpha + 255 * (255 - alpha)) / 255) as u8))
    })
}

/// It as a JPEG, if that is small enough.
fn encoded(drawn: &RgbImage, quality: u8) -> Option<Vec<u8>> {
    let mut jpeg = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut jpeg, quality);
    encoder.encode(drawn, drawn.width(), drawn.height(), ExtendedColorType::Rgb8).ok()?;
    (jpeg.len() <= MAX_BYTES).then_some(jpeg)
}

#[cfg(test)]
mod tests {
    use image::ImageFormat;

    use super::*;

    fn picture(width: u32, height: u32) -> RgbImage {
        RgbImage::from_fn(width, height, |x, y| {
            // Noise, which is the largest there is of its size.
            let noise = (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503)).wrapping_mul(2_246_822_519);
            Rgb([noise as u8, (noise >> 8) as u8, (noise >> 16) as u8])
        })
    }

    fn written(picture: RgbImage, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        DynamicImage::from(picture).write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    fn size(bytes: &[u8]) -> (u32, u32) {
        let read = image::load_from_memory_with_format(bytes, ImageFormat::Jpeg).unwrap();
        (read.width(), read.height())
    }

    #[test]
    fn a_photo_becomes_a_small_jpeg() {
        for format in [ImageFormat::Jpeg, ImageFormat::Png] {
            for (photo, small) in
                [((1200, 600), (256, 128)), ((40, 30), (40, 30)), ((300, 3), (256, 3)), ((512, 512), (256, 256))]
            {
                let made = thumbnail(&written(picture(photo.0, photo.1), format)).unwrap();
                assert!(made.len() <= MAX_BYTES);
                assert_eq!(size(&made), small, "{format:?} {photo:?}");
            }
        }
    }

    #[test]
    fn a_photo_is_turned_as_it_was_held_and_nothing_else_comes_along() {
        let jpeg = written(picture(400, 200), ImageFormat::Jpeg);
        // An Exif block with one entry, orientation 6 (a quarter turn), and a place written behind it.
        let mut exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0".to_vec();
        exif.extend_from_slice(b"52.3676N 4.9041E");
        let len = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
        let (start, rest) = jpeg.split_at(2);
        let held = [start, &[0xff, 0xe1], &len, &exif, rest].concat();
        let made = thumbnail(&held).unwrap();
        assert_eq!(size(&made), (128, 256));
        assert!(!made.windows(4).any(|window| window == b"Exif" || window == b"52.3"));
    }

    #[test]
    fn what_is_transparent_shows_white() {
        let clear = image::RgbaImage::from_pixel(10, 10, image::Rgba([0, 0, 0, 0]));
        let mut png = Cursor::new(Vec::new());
        DynamicImage::from(clear).write_to(&mut png, ImageFormat::Png).unwrap();
        let made = thumbnail(&png.into_inner()).unwrap();
        let read = image::load_from_memory(&made).unwrap().to_rgb8();
        assert!(read.pixels().all(|pixel| pixel.0.iter().all(|colour| *colour > 250)));
    }

    /// A header that announces gigabytes costs nothing.
    #[test]
    fn a_picture_that_would_take_too_much_memory_is_refused_by_its_header() {
        for (width, height, depth, taken) in [
            (8_000_u32, 8_000_u32, 8_u8, true),
            (60_000, 60_000, 8, false),
            (16_385, 1, 8, false),
            (16_384, 16_384, 8, false),
            (16_000, 5_000, 16, false),
        ] {
            let part = |name: &[u8], content: &[u8]| {
                let named = [name, content].concat();
                let len = u32::try_from(content.len()).unwrap().to_be_bytes();
                [&len[..], &named, &crc32(&named).to_be_bytes()].concat()
            };
            let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[depth, 6, 0, 0, 0]].concat();
            let png = [b"\x89PNG\r\n\x1a\n".to_vec(), part(b"IHDR", &header), part(b"IDAT", &[])].concat();
            assert_eq!(safe_decoder(&png).is_some(), taken, "{width} × {height}");
            assert_eq!(thumbnail(&png), None);
        }
    }

    /// PNG's checksum.
    fn crc32(bytes: &[u8]) -> u32 {
        let step = |sum: u32, _| if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 };
        !bytes.iter().fold(u32::MAX, |sum, byte| (0..8).fold(sum ^ u32::from(*byte), step))
    }

    #[test]
    fn what_is_no_whole_picture_has_none() {
        let png = written(picture(300, 300), ImageFormat::Png);
        for bytes in [&b""[..], b"GIF89a", b"%PDF-1.7", &png[..20], &png[..png.len() / 2], &[0xff, 0xd8, 0xff]] {
            assert_eq!(thumbnail(bytes), None);
        }
        let jpeg = written(picture(60, 60), ImageFormat::Jpeg);
        for at in (0..jpeg.len()).step_by(61) {
            let mut altered = jpeg.clone();
            altered[at] ^= 0x55;
            // Whatever comes of it, it is small or nothing.
            assert!(thumbnail(&altered).is_none_or(|made| made.len() <= MAX_BYTES));
        }
    }
}
