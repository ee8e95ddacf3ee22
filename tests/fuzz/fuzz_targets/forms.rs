//! See `check::forms`.
#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| chat_posta_fuzz::check::forms::check(bytes));
