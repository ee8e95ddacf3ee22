//! The pages and their parts, as markup built from what the rooms below know.
//!
//! In scope: pure functions from views (plain structs of borrowed models) to [`Markup`]. Out of
//! scope: requests, sessions, what is read from where; nothing here asks anybody anything.
//!
//! What the scripts and tests may rely on, beside the ids named at each function:
//! - `time[datetime]` is UTC with a UTC text inside; `data-local` says which form the browser should
//!   put there in its own zone: `clock` (12:04), `short` (12:04 today, else Yesterday, weekday or
//!   date) or `full` (12 May 2026, 12:04).
//! - `#health[data-state]` is `ok`, `unreachable` or `refused`, and for scripts, when this page has
//!   lost its own connection, `offline`, `reconnecting` or `restarting`. Every text is in the page
//!   already; the style sheet shows the one that fits. In a conversation the last three are a word
//!   in its header, `#connection`, which opens the sentence.
//! - `#status` is for screen readers: what a script says there is spoken once.
//! - Slots that are `hidden` until a script needs them: `#session-ending`, `#signed-out`,
//!   `#new-messages`, `#attached`, `#auth-error`, `#offer-end-others`.
//! - A day divider is `<p class="day">Today</p>` before the first bubble of the day.
//! - `.htmx-request` or `.busy` on `#progress` draws the thin line, 400 ms later.
mod actions;
mod attached;
pub mod auth;
mod avatar;
pub mod banner;
mod bubble;
mod cluster;
pub mod composer;
#[cfg(test)]
mod contrast;
mod delivery;
pub mod errors;
mod href;
mod icons;
mod keyboard;
mod kind;
pub mod layout;
mod linkify;
mod markup;
pub mod new;
mod noscript;
pub mod own_address;
pub mod pairing;
#[cfg(test)]
mod preview;
#[cfg(test)]
mod sample;
mod scene;
pub mod search;
pub mod settings;
pub mod sidebar;
mod snippet;
pub mod thread;
mod thread_menu;
pub mod welcome;
mod when;

pub use markup::Markup;
pub use scene::Scene;
