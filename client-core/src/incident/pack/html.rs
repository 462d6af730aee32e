//! A page that stands by itself: no script, nothing fetched, and every text of a person escaped.

use std::fmt::Write as _;

/// Dark on white whatever the reader's computer likes, since it is printed; a heading stays with what it heads, and what
/// belongs to one file stays on one sheet where it fits. A narrow screen gives the names of rows less room.
const HEAD: &str = "<!doctype html>\n<html lang=\"nl\"><head><meta charset=\"utf-8\">\
<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">\
<meta name=\"viewport\" content=\"width=device-width\">\
<style>:root{color-scheme:light}body{font:11pt/1.5 sans-serif;color:#111;background:#fff;max-width:46rem;\
margin:2rem auto;padding:0 1rem}h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:1.6rem;break-after:avoid}\
table{border-collapse:collapse;width:100%;margin:0 0 1rem}th,td{border:1px solid #767676;padding:.3rem .5rem;\
text-align:left;vertical-align:top;overflow-wrap:anywhere}th{width:11rem}figure{margin:0 0 1.5rem}\
img{max-width:100%;max-height:16cm}code{font-size:.85em;overflow-wrap:anywhere}\
@media(max-width:32rem){th{width:6rem}}@page{size:A4;margin:18mm}\
@media print{body{margin:0;padding:0;max-width:none}figure,tr,.file{break-inside:avoid}}</style>";

/// A page that is being written.
pub(super) struct Page(String);

impl Page {
    pub(super) fn new(title: &str) -> Self {
        let title = escaped(title);
        Self(format!("{HEAD}<title>{title}</title></head><body>\n<h1>{title}</h1>\n"))
    }

    pub(super) fn heading(&mut self, text: &str) {
        let _ = writeln!(self.0, "<h2>{}</h2>", escaped(text));
    }

    pub(super) fn paragraph(&mut self, text: &str) {
        let _ = writeln!(self.0, "<p>{}</p>", escaped(text));
    }

    /// Names and values, one a row.
    pub(super) fn rows<'a>(&mut self, rows: impl IntoIterator<Item = (&'a str, String)>) {
        self.0.push_str("<table>\n");
        for (name, value) in rows {
            let value = escaped(&value).replace('\n', "<br>");
            let _ = writeln!(self.0, "<tr><th scope=\"row\">{}</th><td>{value}</td></tr>", escaped(name));
        }
        self.0.push_str("</table>\n");
    }

    /// Names and values of one file, which stay together in print.
    pub(super) fn file<'a>(&mut self, rows: impl IntoIterator<Item = (&'a str, String)>) {
        self.0.push_str("<div class=\"file\">\n");
        self.rows(rows);
        self.0.push_str("</div>\n");
    }

    /// A picture in the page itself.
    pub(super) fn picture(&mut self, media_type: &str, bytes: &[u8], caption: &str) {
        let data = data_encoding::BASE64.encode(bytes);
        let (media_type, caption) = (escaped(media_type), escaped(caption));
        let _ = writeln!(
            self.0,
            "<figure><img alt=\"{caption}\" src=\"data:{media_type};base64,{data}\"><figcaption>{caption}</figcaption></figure>"
        );
    }

    pub(super) fn finish(mut self) -> String {
        self.0.push_str("</body></html>\n");
        self.0
    }
}

/// A text that is nothing but text, also within quotes.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            char => safe.push(char),
        }
    }
    safe
}
