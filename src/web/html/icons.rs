//! Drawn by hand on a 14 or 20 unit grid, stroke 1.5, in the colour of the text around them. They
//! are decoration: words for the same thing stand beside them, seen or unseen.
use super::markup::Markup;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Icon {
    Clock,
    Check,
    Triangle,
    Plus,
    Back,
    Down,
    Send,
    Picture,
    Attach,
    Chevron,
    Passkey,
    Letter,
    Search,
    More,
    Person,
    Room,
    Agent,
}

macro_rules! small {
    ($path:literal) => {
        concat!(
            "<svg class=\"icon small\" viewBox=\"0 0 14 14\" width=\"14\" height=\"14\" fill=\"none\" \
             stroke=\"currentColor\" stroke-width=\"1.5\" stroke-linecap=\"round\" \
             stroke-linejoin=\"round\" aria-hidden=\"true\" focusable=\"false\">",
            $path,
            "</svg>"
        )
    };
}

macro_rules! large {
    ($path:literal) => {
        concat!(
            "<svg class=\"icon\" viewBox=\"0 0 20 20\" width=\"20\" height=\"20\" fill=\"none\" \
             stroke=\"currentColor\" stroke-width=\"1.5\" stroke-linecap=\"round\" \
             stroke-linejoin=\"round\" aria-hidden=\"true\" focusable=\"false\">",
            $path,
            "</svg>"
        )
    };
}

/// The one drawing: a letter, for an empty pane.
const LETTER: &str = "<svg class=\"letter\" viewBox=\"0 0 72 56\" width=\"72\" height=\"56\" \
     fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.5\" stroke-linejoin=\"round\" \
     stroke-linecap=\"round\" aria-hidden=\"true\" focusable=\"false\">\
     <rect x=\"4\" y=\"6\" width=\"64\" height=\"44\" rx=\"4\"/>\
     <path d=\"m5 9 31 23L67 9M5 47l22-21.5M67 47 45 25.5\"/></svg>";

impl Icon {
    fn svg(self) -> &'static str {
        match self {
            Icon::Clock => {
                small!("<circle cx=\"7\" cy=\"7\" r=\"5.25\"/><path d=\"M7 4v3l2 1.5\"/>")
            }
            Icon::Check => small!("<path d=\"m2.5 7.5 3 3 6-7\"/>"),
            Icon::Triangle => {
                small!("<path d=\"M7 1.75 13 12.25H1Z\"/><path d=\"M7 5.5v3M7 10.4v.1\"/>")
            }
            Icon::Down => small!("<path d=\"M7 2v10M3 8l4 4 4-4\"/>"),
            Icon::Plus => large!("<path d=\"M10 4v12M4 10h12\"/>"),
            Icon::Back => large!("<path d=\"m12 4-6 6 6 6\"/>"),
            Icon::Send => large!("<path d=\"M3.5 10 3 3.5 17 10 3 16.5Zm0 0H10\"/>"),
            Icon::Picture => large!(
                "<rect x=\"3\" y=\"4\" width=\"14\" height=\"12\" rx=\"2\"/>\
                 <circle cx=\"7.5\" cy=\"8\" r=\"1.25\"/><path d=\"m4 15 4.5-4 3 2.5L14 11l3 2.5\"/>"
            ),
            Icon::Attach => large!(
                "<path d=\"m15.5 9.5-5.6 5.6a3.5 3.5 0 0 1-5-5l6.4-6.3a2.4 2.4 0 0 1 3.4 3.3l-6.4 \
                 6.4a1.2 1.2 0 0 1-1.7-1.7l5.7-5.7\"/>"
            ),
            Icon::Chevron => small!("<path d=\"m3.5 5.25 3.5 3.5 3.5-3.5\"/>"),
            Icon::Search => {
                large!("<circle cx=\"9\" cy=\"9\" r=\"5.25\"/><path d=\"m13 13 4 4\"/>")
            }
            Icon::More => {
                large!("<path d=\"M4.5 10h.01M10 10h.01M15.5 10h.01\" stroke-width=\"2.5\"/>")
            }
            Icon::Person => {
                small!("<circle cx=\"7\" cy=\"4.5\" r=\"2.75\"/><path d=\"M2 13a5 5 0 0 1 10 0\"/>")
            }
            Icon::Room => small!(
                "<circle cx=\"5\" cy=\"5\" r=\"2.25\"/><path d=\"M1 12.5a4 4 0 0 1 8 0\"/>\
                 <path d=\"M9.25 2.9a2.25 2.25 0 0 1 0 4.2M11 9a4 4 0 0 1 2 3.5\"/>"
            ),
            Icon::Agent => small!(
                "<rect x=\"1.75\" y=\"4.5\" width=\"10.5\" height=\"7.5\" rx=\"2\"/>\
                 <path d=\"M7 4.5V2M5 7.75v.5M9 7.75v.5\"/>"
            ),
            Icon::Letter => LETTER,
            Icon::Passkey => {
                large!(
                    "<circle cx=\"6\" cy=\"10\" r=\"4\"/><path d=\"M10 10h8.5v3.5m-4-3.5v2.5\"/>"
                )
            }
        }
    }
}

pub fn write(out: &mut Markup, icon: Icon) {
    out.trusted_literal(icon.svg());
}
