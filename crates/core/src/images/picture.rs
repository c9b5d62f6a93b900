//! From the bytes of a stranger to a small square picture: the header is read first and refused when it promises too
//! much; what comes out was written by us, without the place, the profile and whatever else the file carried along.

use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageDecoder as _, ImageFormat, ImageReader, Limits, imageops};
use std::io::Cursor;

/// The most pixels that are decoded.
const MAX_PIXELS: u64 = 32_000_000;
/// The longest side that is decoded.
const MAX_SIDE: u32 = 16_384;
/// The most memory that a decoder may ask for, in bytes; the decoded picture may take as much again.
pub(super) const MAX_MEMORY: u64 = 160 * 1024 * 1024;
/// The side of what is kept.
const SIDE: u32 = 512;
/// The quality of a JPEG, in percent.
const QUALITY: u8 = 88;

/// A picture that may be served.
#[derive(Debug)]
pub(super) struct Picture {
    pub content_type: &'static str,
    pub bytes: Vec<u8>,
}

/// Why a file is no picture.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    Format,
    Size,
}

/// Reads a picture, turns it the way it was taken, cuts the middle out and makes it small.
pub(super) fn read(bytes: &[u8]) -> Result<Picture, Refused> {
    let format = image::guess_format(bytes).map_err(|_| Refused::Format)?;
    if !matches!(format, ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::Gif | ImageFormat::WebP) {
        return Err(Refused::Format);
    }
    let mut limits = Limits::default();
    (limits.max_image_width, limits.max_image_height, limits.max_alloc) = (Some(MAX_SIDE), Some(MAX_SIDE), Some(MAX_MEMORY));
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(refused)?;
    let (width, height) = decoder.dimensions();
    if width == 0 || height == 0 {
        return Err(Refused::Format);
    }
    if u64::from(width) * u64::from(height) > MAX_PIXELS || decoder.total_bytes() > MAX_MEMORY {
        return Err(Refused::Size);
    }
    let orientation = decoder.orientation().map_err(refused)?;
    let image = DynamicImage::from_decoder(decoder).map_err(refused)?;
    let square = width.min(height);
    let middle = imageops::crop_imm(&image, (width - square) / 2, (height - square) / 2, square, square);
    let side = square.min(SIDE);
    let mut small = DynamicImage::ImageRgba8(imageops::thumbnail(&*middle, side, side));
    small.apply_orientation(orientation);
    write(&small)
}

fn write(image: &DynamicImage) -> Result<Picture, Refused> {
    let opaque = image.as_rgba8().is_some_and(|pixels| pixels.pixels().all(|pixel| pixel.0[3] == u8::MAX));
    let mut bytes = Vec::new();
    if opaque {
        image.to_rgb8().write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, QUALITY)).map_err(refused)?;
        return Ok(Picture { content_type: "image/jpeg", bytes });
    }
    image.write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png).map_err(refused)?;
    Ok(Picture { content_type: "image/png", bytes })
}

fn refused(error: image::ImageError) -> Refused {
    if matches!(error, image::ImageError::Limits(_)) { Refused::Size } else { Refused::Format }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{GenericImageView as _, Rgb, RgbImage, Rgba, RgbaImage};
    use proptest::prelude::*;

    fn file(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut out = Vec::new();
        image.write_to(&mut Cursor::new(&mut out), format).unwrap();
        out
    }

    /// Red to the left, blue to the right.
    fn flag(width: u32, height: u32) -> DynamicImage {
        let colour = |x, _| if x < width / 2 { Rgb([255, 0, 0]) } else { Rgb([0, 0, 255]) };
        RgbImage::from_fn(width, height, colour).into()
    }

    #[test]
    fn every_format_becomes_a_small_square() {
        for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Gif, ImageFormat::WebP] {
            let picture = read(&file(&flag(1200, 700), format)).unwrap();
            assert_eq!(picture.content_type, "image/jpeg", "{format:?}");
            let shown = image::load_from_memory(&picture.bytes).unwrap();
            assert_eq!(shown.dimensions(), (SIDE, SIDE), "{format:?}");
            let (left, right) = (shown.get_pixel(10, 256).0, shown.get_pixel(500, 256).0);
            assert!(left[0] > 200 && left[2] < 60 && right[0] < 60 && right[2] > 200, "{format:?}: {left:?} {right:?}");
        }
        let small = read(&file(&flag(30, 20), ImageFormat::Png)).unwrap();
        assert_eq!(image::load_from_memory(&small.bytes).unwrap().dimensions(), (20, 20), "nothing is made larger");
        let clear: DynamicImage = RgbaImage::from_pixel(64, 64, Rgba([0, 255, 0, 128])).into();
        let clear = read(&file(&clear, ImageFormat::Png)).unwrap();
        assert_eq!(clear.content_type, "image/png");
        assert_eq!(image::load_from_memory(&clear.bytes).unwrap().get_pixel(5, 5).0[3], 128);
    }

    /// An APP1 segment (Exif 2.3) that says: turn by 90 degrees; and where it was taken.
    fn turned(jpeg: &[u8]) -> Vec<u8> {
        let mut exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0".to_vec();
        exif.extend(b"N 51 30 W 0 7");
        let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
        [&jpeg[..2], &[0xff, 0xe1], &length, &exif, &jpeg[2..]].concat()
    }

    #[test]
    fn a_photograph_stands_upright_and_forgets_where_it_was_taken() {
        let photo = turned(&file(&flag(200, 200), ImageFormat::Jpeg));
        let picture = read(&photo).unwrap();
        assert!(!picture.bytes.windows(4).any(|part| part == b"Exif" || part == b"N 51"));
        let shown = image::load_from_memory(&picture.bytes).unwrap();
        let (top, bottom) = (shown.get_pixel(100, 10).0, shown.get_pixel(100, 190).0);
        assert!(top[0] > 200 && bottom[2] > 200, "red was left and is above now: {top:?} {bottom:?}");
    }

    #[test]
    fn fault_113_what_is_no_picture_is_refused() {
        let svg = br#"<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>"#;
        for text in [&svg[..], b"", b"x", b"<html>", b"%PDF-1.4", b"BM\0\0", b"II*\0", b"\0\0\x01\0"] {
            assert_eq!(read(text).unwrap_err(), Refused::Format);
        }
        let page = [&file(&flag(8, 8), ImageFormat::Png)[..], svg].concat();
        let picture = read(&page).unwrap();
        assert!(!picture.bytes.windows(6).any(|part| part == b"script"), "what hangs on at the end is not kept");
    }

    #[test]
    fn fault_113_a_header_that_promises_too_much_is_not_believed() {
        // Width and height of a PNG stand at bytes 16 to 24, under the checksum of the chunk that holds them.
        let mut png = file(&flag(8, 8), ImageFormat::Png);
        for (width, height) in [(16_000_u32, 16_000_u32), (60_000, 60_000), (u32::MAX, 1), (0, 8)] {
            png[16..20].copy_from_slice(&width.to_be_bytes());
            png[20..24].copy_from_slice(&height.to_be_bytes());
            let sum = checksum(&png[12..29]);
            png[29..33].copy_from_slice(&sum.to_be_bytes());
            read(&png).unwrap_err();
        }
        // The same of a GIF stands at bytes 6 to 10.
        let mut gif = file(&flag(8, 8), ImageFormat::Gif);
        gif[6..10].copy_from_slice(&[0xff; 4]);
        assert_eq!(read(&gif).unwrap_err(), Refused::Size);
    }

    /// CRC-32 as PNG has it (ISO 3309).
    fn checksum(bytes: &[u8]) -> u32 {
        let step =
            |sum: u32, byte: &u8| (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg()));
        !bytes.iter().fold(u32::MAX, step)
    }

    proptest! {
        #[test]
        fn fault_113_broken_files_break_nothing(
            which in 0_usize..4,
            flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
            keep in any::<prop::sample::Index>(),
            cut in any::<bool>(),
        ) {
            let formats = [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Gif, ImageFormat::WebP];
            let mut bytes = file(&flag(40, 24), formats[which]);
            for (at, value) in flips {
                let at = at.index(bytes.len());
                bytes[at] = value;
            }
            if cut {
                bytes.truncate(keep.index(bytes.len()));
            }
            if let Ok(picture) = read(&bytes) {
                let (width, height) = image::load_from_memory(&picture.bytes).unwrap().dimensions();
                prop_assert!(width == height && width <= SIDE);
            }
        }
    }
}
