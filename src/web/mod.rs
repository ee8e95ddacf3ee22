//! Under construction.
mod html;

/// Stands in until the embedded assets are served.
mod assets {
    pub fn url(_: &str) -> &'static str {
        ""
    }
}
