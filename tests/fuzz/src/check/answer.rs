//! What an upstream server answers: head, framing and body, however the bytes are split.
use super::{choice, is_line, ways};
use crate::http::Method;
use crate::http::client::answer::{self, Framing, Head, MAX_HEAD, Scanner};

/// What became of the bytes: the head as it was understood, the body, whether that is whole, and
/// what follows it; or why not.
type Seen = Result<(String, Vec<u8>, bool, usize), String>;

fn read(bytes: &[u8], ends: &[usize], method: Method) -> Seen {
    let (mut scanner, mut at, mut head) = (Scanner::default(), 0, None::<(Head, Framing)>);
    let mut body = Vec::new();
    for &end in ends {
        loop {
            let here = &bytes[at..end];
            let Some((_, framing)) = &mut head else {
                let Some(length) = scanner.scan(here).map_err(|e| e.to_string())? else { break };
                let parsed = answer::parse(&here[..length]).map_err(|e| e.to_string())?;
                let framing = Framing::of(&parsed, method).map_err(|e| e.to_string())?;
                at += length;
                head = Some((parsed, framing));
                continue;
            };
            if framing.is_done() {
                break;
            }
            let mut out = [0; 50];
            let (taken, given) = framing.decode(here, &mut out).map_err(|e| e.to_string())?;
            at += taken;
            body.extend_from_slice(&out[..given]);
            if taken == 0 {
                break;
            }
        }
    }
    match head {
        None => Ok((String::new(), body, false, bytes.len() - at)),
        Some((head, framing)) => {
            Ok((format!("{head:?}"), body, framing.is_done(), bytes.len() - at))
        }
    }
}

pub fn check(bytes: &[u8]) {
    let method = if choice(bytes).is_multiple_of(8) { Method::Head } else { Method::Get };
    let mut seen: Option<Seen> = None;
    for ends in ways(bytes) {
        let now = read(bytes, &ends, method);
        match &seen {
            Some(seen) => assert_eq!(*seen, now, "split in {} pieces", ends.len()),
            None => seen = Some(now),
        }
    }
    let Ok(Some(length)) = Scanner::default().scan(bytes) else { return };
    assert!(length <= MAX_HEAD);
    if let Ok(head) = answer::parse(&bytes[..length]) {
        judge(&bytes[..length], &head, method);
    }
}

fn judge(bytes: &[u8], head: &Head, method: Method) {
    assert!((100..600).contains(&head.status));
    let text = String::from_utf8_lossy(bytes);
    let lines: Vec<(String, &str)> = text
        .split("\r\n")
        .skip(1)
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim_matches([' ', '\t'])))
        .collect();
    assert!(lines.iter().all(|(name, value)| is_line(name) && is_line(value)));
    let all = |name: &str| -> Vec<&str> {
        lines.iter().filter(|(n, _)| n == name).map(|(_, v)| *v).collect()
    };
    let lengths: Vec<&str> = all("content-length").iter().flat_map(|v| v.split(',')).collect();
    let codings = all("transfer-encoding");
    let bodiless = method == Method::Head || matches!(head.status, 204 | 304);
    match Framing::of(head, method) {
        Err(_) => return,
        Ok(Framing::Chunked(_)) => {
            assert!(!bodiless && lengths.is_empty() && codings.len() == 1);
            assert!(codings[0].eq_ignore_ascii_case("chunked"));
        }
        Ok(Framing::UntilClose) => assert!(!bodiless && lengths.is_empty() && codings.is_empty()),
        Ok(Framing::Length(0)) if bodiless => assert!(lengths.is_empty() || codings.is_empty()),
        Ok(Framing::Length(length)) => {
            assert!(codings.is_empty() && !lengths.is_empty());
            assert!(lengths.iter().all(|text| text.trim().parse() == Ok(length)));
        }
    }
    // What was understood, written down, is understood alike.
    let version = if text.starts_with("HTTP/1.1") { "1.1" } else { "1.0" };
    let mut printed = format!("HTTP/{version} {}\r\n", head.status);
    for (name, _) in &lines {
        for value in head.fields.all(name) {
            printed.push_str(&format!("{name}: {value}\r\n"));
        }
        if printed.len() > MAX_HEAD {
            return;
        }
    }
    printed.push_str("\r\n");
    let mut names: Vec<&String> = lines.iter().map(|(name, _)| name).collect();
    names.dedup();
    if names.len() != lines.len() || printed.len() > MAX_HEAD {
        return; // a name that comes twice was printed more often
    }
    let again = answer::parse(printed.as_bytes()).unwrap_or_else(|e| panic!("{printed:?}: {e}"));
    assert_eq!((again.status, again.keep_alive), (head.status, head.keep_alive));
}
