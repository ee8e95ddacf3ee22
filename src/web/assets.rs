//! What the browser gets beside pages: our CSS and JS, htmx, the fonts and icons, embedded by
//! `build.rs` in one form each: gzip, or as they are where that is no smaller.
//!
//! Every file stands under one content hash, so it can be cached for ever; a URL with another hash
//! belongs to another version of the program and is not found here.
use crate::http::{Body, Request, Response};
use std::borrow::Cow;

pub struct Asset {
    name: &'static str,
    url: &'static str,
    content_type: &'static str,
    /// Bytes of it as it is.
    length: usize,
    /// Whether it is stored as gzip.
    is_gzip: bool,
    stored: &'static [u8],
}

impl Asset {
    /// The file as it is. Hardly anybody asks for what is stored as gzip so.
    fn plain(&self) -> Cow<'static, [u8]> {
        match self.is_gzip {
            true => Cow::Owned(gunzip(self.stored, self.length).unwrap_or_default()),
            false => Cow::Borrowed(self.stored),
        }
    }
}

/// Undoes what `build.rs` did: a member (RFC 1952) with the bare head of ten bytes, and a trailer
/// of eight.
fn gunzip(member: &[u8], length: usize) -> Option<Vec<u8>> {
    let deflated = member.get(10..member.len().checked_sub(8)?)?;
    miniz_oxide::inflate::decompress_to_vec_with_limit(deflated, length).ok()
}

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// The URL of an embedded file, or the empty string for a name that `www/` does not hold (a test
/// walks the markup's names).
pub fn url(name: &str) -> &'static str {
    find(name).map_or("", |asset| asset.url)
}

/// A file of text as it is.
pub fn text(name: &str) -> Option<String> {
    String::from_utf8(find(name)?.plain().into_owned()).ok()
}

fn find(name: &str) -> Option<&'static Asset> {
    ASSETS.binary_search_by(|asset| asset.name.cmp(name)).ok().map(|index| &ASSETS[index])
}

/// Answers `GET /static/<hash>/<name>`, conditionally (RFC 9110 §13.1.2) and in the coding it is
/// stored in, if the client takes that (§12.5.3).
pub fn serve(hash: &str, name: &str, request: &Request<'_>) -> Option<Response> {
    let asset = if hash == HASH { find(name)? } else { return None };
    let accepted = request.fields.get("accept-encoding").unwrap_or("");
    let as_gzip = asset.is_gzip && accepts(accepted, "gzip");
    let etag = format!("\"{HASH}-{}\"", if as_gzip { "gz" } else { "id" });
    let fresh = request
        .fields
        .all("if-none-match")
        .flat_map(|value| value.split(','))
        .any(|tag| tag.trim() == "*" || tag.trim().trim_start_matches("W/") == etag);
    let mut response = Response::new(if fresh { 304 } else { 200 })
        .with("cache-control", "public, max-age=31536000, immutable")
        .with("etag", etag);
    if asset.is_gzip {
        response = response.with("vary", "accept-encoding");
    }
    if fresh {
        return Some(response);
    }
    if as_gzip {
        response = response.with("content-encoding", "gzip");
    }
    response = response.with("content-type", asset.content_type);
    let stored = || Cow::Borrowed(asset.stored);
    response.body = Body::Bytes(if as_gzip { stored() } else { asset.plain() });
    Some(response)
}

/// Whether an `Accept-Encoding` value takes `coding` (a quality of 0 refuses it).
fn accepts(field: &str, coding: &str) -> bool {
    let mut any = false;
    for item in field.split(',') {
        let mut parts = item.split(';').map(str::trim);
        let name = parts.next().unwrap_or("");
        let refused = parts.any(|p| {
            p.strip_prefix("q=").is_some_and(|q| q.parse::<f32>().is_ok_and(|q| q <= 0.0))
        });
        if name.eq_ignore_ascii_case(coding) {
            return !refused;
        }
        any |= name == "*" && !refused;
    }
    any
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_for_the_search() {
        assert!(ASSETS.is_sorted_by(|a, b| a.name < b.name));
        assert!(!url("htmx.min.js").is_empty());
        assert_eq!(url("no-such-file.js"), "");
    }

    #[test]
    fn every_file_can_be_had_as_it_is() {
        for asset in ASSETS {
            assert_eq!(asset.plain().len(), asset.length, "{}", asset.name);
        }
        let style = find("base.css").unwrap();
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/www/base.css");
        let source = std::fs::read_to_string(source).unwrap();
        assert_eq!(style.plain(), super::super::lean::lean("base.css", &source).as_bytes());
        assert_eq!(gunzip(b"short", 10), None);
        assert_eq!(gunzip(&[0; 18], 10), None);
    }

    #[test]
    fn accept_encoding_follows_rfc_9110() {
        for (field, br, gzip) in [
            ("", false, false),
            ("gzip, deflate, br, zstd", true, true),
            ("gzip;q=1.0, br;q=0", false, true),
            ("*", true, true),
            ("br;q=0, *", false, true),
            ("*;q=0", false, false),
            ("GZIP", false, true),
            ("identity", false, false),
        ] {
            assert_eq!(accepts(field, "br"), br, "br in {field:?}");
            assert_eq!(accepts(field, "gzip"), gzip, "gzip in {field:?}");
        }
    }

    #[test]
    fn style_sheets_and_modules_name_only_files_that_are_embedded() {
        let text = |a: &Asset| String::from_utf8_lossy(&a.plain()).into_owned();
        for asset in ASSETS.iter().filter(|a| a.name.ends_with(".css") || a.name.ends_with(".js")) {
            if asset.name.starts_with("htmx") {
                continue;
            }
            let text = text(asset);
            let named = text.split("url(").skip(1).map(|rest| rest.split(')').next().unwrap_or(""));
            let imported = text
                .lines()
                .filter(|line| line.starts_with("import "))
                .filter_map(|line| line.split(['"', '\'']).nth(1));
            for name in named.chain(imported) {
                let name = name.trim_matches(['"', '\'']).trim_start_matches("./");
                assert!(find(name).is_some(), "{} names {name}, which is not embedded", asset.name);
            }
        }
    }
}
