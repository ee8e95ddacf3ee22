//! What must hold for any input: one module a reader, each with a `check` that panics when something
//! does not.
pub mod actor;
pub mod answer;
pub mod attestation;
pub mod authenticator;
pub mod chunked;
pub mod client_data;
pub mod config;
pub mod events;
pub mod forms;
pub mod messages;
pub mod pairing;
pub mod peer;
pub mod request;

/// A number that follows from the input (FNV-1a), where a check needs to choose: so each input is
/// tried in one way only, and every input is a plain one.
fn choice(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}

/// Ways in which bytes come from a socket: whole, one by one, in two, and in pieces of a size. Each
/// is the ends of its pieces.
fn ways(bytes: &[u8]) -> [Vec<usize>; 4] {
    let (length, choice) = (bytes.len(), choice(bytes) as usize);
    let cut = choice % (length + 1);
    let size = 1 + choice % 13;
    let sized = (1..).map(|n| n * size).take_while(|end| *end < length).chain([length]);
    [vec![length], (1..=length).collect(), vec![cut, length], sized.collect()]
}

/// Says so when a field's value, an id or a name holds what would end its line.
fn is_line(text: &str) -> bool {
    !text.contains(['\r', '\n', '\0'])
}
