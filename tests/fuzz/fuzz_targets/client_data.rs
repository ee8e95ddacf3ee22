//! See `check::client_data`.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| chat_posta_fuzz::check::client_data::check(bytes));
