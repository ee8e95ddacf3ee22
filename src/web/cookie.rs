//! The session cookie (RFC 6265bis): 32 random bytes, never readable by a script.
use crate::http::Request;

/// The `__Host-` prefix makes browsers insist on `Secure`, `Path=/` and no `Domain`; it needs https.
const SECURE_NAME: &str = "__Host-session";
const PLAIN_NAME: &str = "session";

fn name(https: bool) -> &'static str {
    if https { SECURE_NAME } else { PLAIN_NAME }
}

/// The session cookie's value, when the request carries one.
pub fn read<'a>(request: &'a Request<'_>, https: bool) -> Option<&'a str> {
    request.fields.all("cookie").flat_map(|field| field.split(';')).find_map(|pair| {
        let (found, value) = pair.trim().split_once('=')?;
        (found == name(https)).then_some(value)
    })
}

/// `Set-Cookie` for a new session. A session cookie without `Max-Age`: the server decides its end.
pub fn set(value: &str, https: bool) -> String {
    let secure = if https { "; Secure" } else { "" };
    format!("{}={value}; Path=/; HttpOnly; SameSite=Lax{secure}", name(https))
}

/// `Set-Cookie` that takes the cookie away.
pub fn clear(https: bool) -> String {
    format!("{}; Max-Age=0", set("", https))
}
