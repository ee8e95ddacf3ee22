//! Tells what our readers make of each case, for the programs in `tests/differential` that compare
//! them with other people's readers. Cases come on standard input, one JSON document a line, and
//! verdicts go out alike. `verdicts heads|events|ceremonies`.
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use chat_posta_fuzz::check::request::{self, End};
use chat_posta_fuzz::http::sse::Parser;
use chat_posta_fuzz::webauthn::{
    AuthenticationResponse, CredentialJson, Policy, RegistrationResponse, StoredCredential,
    UserKnown, verify_assertion, verify_registration,
};
use serde_json::{Value, json};
use std::io::{self, BufRead, BufWriter, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    let judge: fn(&Value) -> Value = match std::env::args().nth(1).as_deref() {
        Some("heads") => heads,
        Some("events") => events,
        Some("ceremonies") => ceremony,
        _ => {
            eprintln!("usage: verdicts heads|events|ceremonies");
            return ExitCode::from(2);
        }
    };
    let mut out = BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().lines() {
        let line = line.expect("standard input can be read");
        let case = serde_json::from_str(&line).expect("a JSON document a line");
        writeln!(out, "{}", judge(&case)).expect("standard output can be written");
    }
    out.flush().expect("standard output can be written");
    ExitCode::SUCCESS
}

/// Bytes in base64, as each of the other languages has it.
fn bytes(value: &Value) -> Vec<u8> {
    BASE64_STANDARD.decode(value.as_str().expect("base64")).expect("base64")
}

/// base64url, as passkeys have it.
fn url_bytes(value: &Value) -> Vec<u8> {
    BASE64_URL_SAFE_NO_PAD.decode(value.as_str().expect("base64url")).expect("base64url")
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// A connection's bytes: each request as it was understood, and why there is none after them.
fn heads(case: &Value) -> Value {
    let bytes = bytes(case);
    let mut requests = Vec::new();
    let seen = request::read(&bytes, &[bytes.len()], &mut |_, head| {
        let query = head.query.as_ref().map_or(String::new(), |query| format!("?{query}"));
        requests.push(json!({
            "method": head.method.as_str(),
            "target": format!("{}{query}", head.path),
            "host": head.fields.get("host"),
        }));
    });
    for (request, (_, body)) in requests.iter_mut().zip(&seen.requests) {
        request["body"] = body.as_ref().map(|body| BASE64_STANDARD.encode(body)).into();
    }
    let end = match seen.end {
        End::More(_) => "more".to_owned(),
        End::Refused(e) => format!("refused: {e}"),
        End::BadChunk => "refused: chunk".to_owned(),
    };
    json!({ "requests": requests, "end": end })
}

/// A stream's bytes in pieces: its events.
fn events(case: &Value) -> Value {
    let (mut parser, mut events) = (Parser::new(1 << 20), Vec::new());
    for piece in case.as_array().expect("pieces") {
        let mut take = |event: chat_posta_fuzz::http::sse::Event| {
            events.push(json!({ "id": event.id, "event": event.name, "data": event.data }));
        };
        parser.feed(&bytes(piece), &mut take).expect("it is small");
    }
    Value::Array(events)
}

/// A passkey's answer: whether it is taken, or why not.
fn ceremony(case: &Value) -> Value {
    let policy = Policy::strict(text(&case["rp_id"]), text(&case["origin"]));
    let challenge = url_bytes(&case["challenge"]);
    let credential = case["credential"].to_string();
    let parsed: Result<CredentialJson, _> = serde_json::from_str(&credential);
    let refused = |error: String| json!({ "taken": false, "error": error });
    let Ok(parsed) = parsed else { return refused("JSON".into()) };
    if case["kind"] == "create" {
        let verified = RegistrationResponse::from_json(&parsed)
            .map_err(|e| e.to_string())
            .and_then(|r| verify_registration(&policy, &challenge, &r).map_err(|e| e.to_string()));
        return match verified {
            Err(error) => refused(error),
            Ok(credential) => json!({
                "taken": true,
                "id": BASE64_URL_SAFE_NO_PAD.encode(credential.id),
                "count": credential.sign_count,
            }),
        };
    }
    let stored = StoredCredential {
        id: url_bytes(&case["stored"]["id"]),
        public_key: url_bytes(&case["stored"]["point"]),
        sign_count: case["stored"]["count"].as_u64().expect("a number") as u32,
        backup_eligible: case["stored"]["eligible"].as_bool().expect("yes or no"),
        user_handle: url_bytes(&case["stored"]["user"]),
    };
    let verified = AuthenticationResponse::from_json(&parsed).map_err(|e| e.to_string()).and_then(
        |response| {
            let user = UserKnown::ByTheAnswer;
            verify_assertion(&policy, &challenge, &response, &stored, user)
                .map_err(|e| e.to_string())
        },
    );
    match verified {
        Err(error) => refused(error),
        Ok(assertion) => json!({ "taken": true, "count": assertion.sign_count }),
    }
}
