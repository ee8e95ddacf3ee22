//! What a browser may ask, and what it is answered.
//!
//! In scope: the route table, who may ask what, one file per page or action, security headers,
//! cookies, forms, the embedded assets. Out of scope: how bytes travel (`http`), what a
//! posta-server says (`posta`), what changed and who must know (`live`).
//!
//! Start reading at `routes.rs`, then `app.rs`.
mod address;
mod agent;
mod app;
mod assets;
mod ceremony;
mod conversation;
mod cookie;
mod events;
mod failure;
mod form;
mod handover;
mod headers;
mod home;
mod html;
mod install;
mod keeper;
mod key;
#[cfg(test)]
mod lean;
mod login;
mod logout;
mod media;
mod messages;
mod new;
mod origin;
mod page;
mod picture;
mod plain;
mod read;
mod register;
mod retry;
mod routes;
mod search;
mod send;
mod settings;
mod sidebar;
mod statics;
mod thread;

pub use app::App;
pub use ceremony::origin_of;
pub use handover::Handover;
