//! The room as a whole, against a scripted posta-server over loopback.
mod calls;
mod failing;
mod following;
mod history;
mod reading;
mod tabs;
