//! See `check::actor`.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| chat_posta_fuzz::check::actor::check(bytes));
