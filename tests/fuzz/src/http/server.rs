//! How the public server finds and judges a request's head.
#[path = "../../../../src/http/server/framing.rs"]
pub mod framing;
#[path = "../../../../src/http/server/head.rs"]
pub mod head;
#[path = "../../../../src/http/server/head_error.rs"]
pub mod head_error;
#[path = "../../../../src/http/server/scanner.rs"]
pub mod scanner;
#[path = "../../../../src/http/server/target.rs"]
pub mod target;
