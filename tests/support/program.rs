//! The program under test: cargo's own, or the one that `CHAT_POSTA` names, so that every build can
//! be tested, the static one too.
use std::path::PathBuf;

pub fn program() -> PathBuf {
    let named = std::env::var_os("CHAT_POSTA").filter(|name| !name.is_empty());
    named.map_or_else(|| env!("CARGO_BIN_EXE_chat-posta").into(), PathBuf::from)
}
