//! What makes a browser treat us as an app: the manifest, the service worker, the page it shows when
//! nothing can be reached, and an icon that counts.
use super::app::App;
use super::failure::{Answer, Failure};
use super::html;
use super::routes::Params;
use super::{assets, page};
use crate::http::{Request, Response};
use serde_json::json;

/// What an icon of 16 pixels can show.
const MOST_COUNTED: usize = 9;

/// `GET /manifest.webmanifest` (W3C Web Application Manifest).
pub fn manifest(_: &App, _: &mut Request<'_>, _: &Params<'_>) -> Answer {
    let (_, ground) = html::layout::GROUNDS[0];
    let icon = |name: &str, sizes: &str, purpose: &str| {
        let kind = if name.ends_with(".svg") { "image/svg+xml" } else { "image/png" };
        json!({"src": assets::url(name), "sizes": sizes, "type": kind, "purpose": purpose})
    };
    let manifest = json!({
        "id": "/",
        "name": "chat-posta",
        "short_name": "chat-posta",
        "description": "Write to people who have a posta-server, as you have",
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": ground,
        "theme_color": ground,
        "icons": [
            icon("icon.svg", "any", "any"),
            icon("icon-192.png", "192x192", "any"),
            icon("icon-512.png", "512x512", "any"),
            icon("icon-maskable-512.png", "512x512", "maskable"),
        ],
    });
    let body = manifest.to_string().into_bytes();
    Ok(Response::new(200)
        .with("cache-control", "no-cache")
        .bytes("application/manifest+json", body))
}

/// `GET /sw.js`: names the assets of this version, so that browsers see by its bytes that there is
/// another one (Service Workers §Update). The rest is `www/service-worker.js`.
pub fn worker(_: &App, _: &mut Request<'_>, _: &Params<'_>) -> Answer {
    let script = assets::url("service-worker.js");
    let base = script.trim_end_matches("service-worker.js");
    let body = format!("self.assets = \"{base}\";\nimportScripts(\"{script}\");\n");
    Ok(Response::new(200)
        .with("cache-control", "no-cache")
        .bytes("text/javascript; charset=utf-8", body.into_bytes()))
}

/// `GET /offline`: kept by the service worker.
pub fn offline(_: &App, _: &mut Request<'_>, _: &Params<'_>) -> Answer {
    Ok(page::html(html::errors::offline()))
}

/// `GET /icon/<n>`: the icon with how many are unread, `9+` above nine.
pub fn icon(_: &App, _: &mut Request<'_>, params: &Params<'_>) -> Answer {
    let given = params.raw(0);
    let known = given == "9+"
        || given.len() == 1 && given.parse().is_ok_and(|n: usize| (1..=MOST_COUNTED).contains(&n));
    let plain = assets::text("icon.svg").filter(|_| known).ok_or(Failure::NotFound)?;
    let badge = format!(
        "<circle cx=\"22\" cy=\"10\" r=\"10\" fill=\"#9c4a2e\"/><text x=\"22\" y=\"15\" \
         text-anchor=\"middle\" font-family=\"sans-serif\" font-weight=\"700\" font-size=\"14\" \
         fill=\"#fff\">{given}</text></svg>"
    );
    let body = plain.trim_end().trim_end_matches("</svg>").to_owned() + &badge;
    Ok(Response::new(200)
        .with("cache-control", "public, max-age=86400")
        .bytes("image/svg+xml", body.into_bytes()))
}
