//! What kind of file it is, by its first bytes, and where those say nothing by its name. A guess for showing: nothing is
//! decided by it.

use std::path::Path;

/// How many bytes are looked at.
pub const LOOKED_AT: usize = 16;
/// What is said of a file that nothing is known of.
const UNKNOWN: &str = "application/octet-stream";

/// The media type of a file that begins with `start`.
pub fn media_type(start: &[u8], path: &Path) -> &'static str {
    by_content(start).or_else(|| by_name(path)).unwrap_or(UNKNOWN)
}

fn by_content(start: &[u8]) -> Option<&'static str> {
    let at = |place: usize, bytes: &[u8]| start.get(place..).is_some_and(|rest| rest.starts_with(bytes));
    Some(match () {
        () if at(0, b"\xff\xd8\xff") => "image/jpeg",
        () if at(0, b"\x89PNG\r\n\x1a\n") => "image/png",
        () if at(0, b"GIF8") => "image/gif",
        () if at(0, b"RIFF") && at(8, b"WEBP") => "image/webp",
        () if at(0, b"RIFF") && at(8, b"WAVE") => "audio/wav",
        () if at(0, b"%PDF-") => "application/pdf",
        () if at(4, b"ftyphei") || at(4, b"ftypmif1") => "image/heic",
        () if at(4, b"ftypM4A") => "audio/mp4",
        () if at(4, b"ftypqt") => "video/quicktime",
        () if at(4, b"ftyp") => "video/mp4",
        () if at(0, b"ID3") => "audio/mpeg",
        () if at(0, b"OggS") => "audio/ogg",
        () => return None,
    })
}

fn by_name(path: &Path) -> Option<&'static str> {
    let extension = path.extension()?.to_str()?.to_ascii_lowercase();
    Some(match extension.as_str() {
        "txt" | "md" | "log" => "text/plain",
        "csv" => "text/csv",
        "htm" | "html" => "text/html",
        "eml" => "message/rfc822",
        "msg" => "application/vnd.ms-outlook",
        "json" => "application/json",
        "doc" => "application/msword",
        "docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "odt" => "application/vnd.oasis.opendocument.text",
        "ods" => "application/vnd.oasis.opendocument.spreadsheet",
        "zip" => "application/zip",
        "mp3" => "audio/mpeg",
        "opus" => "audio/ogg",
        "mov" => "video/quicktime",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_content_says_more_than_the_name() {
        for (start, name, expected) in [
            (&b"\xff\xd8\xff\xe0"[..], "foto.txt", "image/jpeg"),
            (b"RIFF\0\0\0\0WEBP", "x", "image/webp"),
            (b"RIFF\0\0\0\0WAVE", "x", "audio/wav"),
            (b"\0\0\0\x20ftypisom", "film.mov", "video/mp4"),
            (b"\0\0\0\x20ftypheic", "foto", "image/heic"),
            (b"PK\x03\x04", "Brief.DOCX", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
            (b"Geachte", "brief.txt", "text/plain"),
            (b"", "leeg", "application/octet-stream"),
            (b"\0\0", ".jpg", "application/octet-stream"),
        ] {
            assert_eq!(media_type(start, Path::new(name)), expected, "{name}");
        }
    }
}
