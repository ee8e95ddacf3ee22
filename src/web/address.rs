//! `GET /address.svg`: one's own address as a QR code (ISO/IEC 18004), for a friend's camera.
use super::app::App;
use super::failure::{Answer, Failure};
use super::routes::Params;
use crate::http::{Request, Response};
use crate::posta::PeerUrl;
use crate::session::Session;
use qrcodegen::{QrCode, QrCodeEcc};
use std::fmt::Write;
use std::sync::Arc;

/// Modules of white around the code (§6.3.8); it has a ground of its own, at night too.
const QUIET: i32 = 4;

pub fn code(app: &App, session: &Arc<Session>, _: &mut Request<'_>, _: &Params<'_>) -> Answer {
    // As it was when the account was made: a posta-server that is away changes nothing about it.
    let user = app.store.user_find(session.user)?.ok_or(Failure::SignedOut)?;
    let me = PeerUrl::parse(&user.identity_url).map_err(|_| Failure::NotFound)?;
    let svg = draw(me.canonical()).ok_or(Failure::NotFound)?;
    Ok(Response::new(200).bytes("image/svg+xml", svg.into_bytes()))
}

/// `None` when it is too long for any code.
fn draw(text: &str) -> Option<String> {
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).ok()?;
    let size = code.size();
    let side = size + 2 * QUIET;
    let mut path = String::new();
    for y in 0..size {
        let mut x = 0;
        while x < size {
            let run = (x..size).take_while(|&x| code.get_module(x, y)).count() as i32;
            if run > 0 {
                let _ = write!(path, "M{} {}h{run}v1h-{run}z", x + QUIET, y + QUIET);
            }
            x += run.max(1);
        }
    }
    Some(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" width=\"{side}\" \
         height=\"{side}\" shape-rendering=\"crispEdges\"><path fill=\"#fff\" \
         d=\"M0 0h{side}v{side}h-{side}z\"/><path fill=\"#000\" d=\"{path}\"/></svg>"
    ))
}

#[cfg(test)]
mod tests {
    use super::draw;

    #[test]
    fn every_dark_module_is_drawn_inside_the_quiet_zone() {
        let svg = draw("https://alice.example").unwrap();
        let code = super::QrCode::encode_text("https://alice.example", super::QrCodeEcc::Medium);
        let code = code.unwrap();
        let dark = |y| (0..code.size()).filter(|&x| code.get_module(x, y)).count();
        let path = svg.rsplit("d=\"").next().unwrap();
        let runs = path.split('M').skip(1).map(|run| {
            let (at, rest) = run.split_once('h').unwrap();
            let (x, y) = at.split_once(' ').unwrap();
            let length: usize = rest.split('v').next().unwrap().parse().unwrap();
            (x.parse::<i32>().unwrap(), y.parse::<i32>().unwrap(), length)
        });
        let runs: Vec<_> = runs.collect();
        assert!(runs.iter().all(|&(x, y, length)| {
            x >= 4 && y >= 4 && x + length as i32 <= code.size() + 4 && y < code.size() + 4
        }));
        let drawn: usize = runs.iter().map(|run| run.2).sum();
        assert_eq!(drawn, (0..code.size()).map(dark).sum::<usize>());
        assert_eq!(draw(&"x".repeat(3_000)), None);
    }
}
