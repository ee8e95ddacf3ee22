//! Server-Sent Events as bytes (WHATWG HTML §9.2): a parser fed by anyone, and a frame writer.

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The last event id in force when this event was dispatched.
    pub id: Option<String>,
    /// `message` when the stream named none.
    pub name: String,
    pub data: String,
}

/// Bytes of memory kept between lines.
const KEPT: usize = 256;

/// Sans-I/O (§9.2.6). What one event may hold is bounded, past which `feed` fails.
pub struct Parser {
    limit: usize,
    line: Vec<u8>,
    /// The stream's first bytes may be a byte order mark.
    at_start: bool,
    /// The last byte was a CR: a LF now belongs to it.
    after_cr: bool,
    name: String,
    data: String,
    has_data: bool,
    id: Option<String>,
}

/// A line or an event is larger than the limit.
#[derive(Debug, PartialEq, Eq)]
pub struct TooLong;

impl Parser {
    /// `limit`: the most bytes a line, and an event's data, may have.
    pub fn new(limit: usize) -> Self {
        Parser {
            limit,
            line: Vec::new(),
            at_start: true,
            after_cr: false,
            name: String::new(),
            data: String::new(),
            has_data: false,
            id: None,
        }
    }

    /// Feeds bytes, split anywhere; calls `dispatch` for each complete event. An event that the
    /// stream's end cuts off is never dispatched.
    pub fn feed(&mut self, bytes: &[u8], dispatch: &mut dyn FnMut(Event)) -> Result<(), TooLong> {
        let mut rest = bytes;
        while !rest.is_empty() {
            if std::mem::take(&mut self.after_cr) && rest[0] == b'\n' {
                rest = &rest[1..];
                continue;
            }
            let end = rest.iter().position(|b| matches!(b, b'\r' | b'\n'));
            let (part, after) = rest.split_at(end.unwrap_or(rest.len()));
            if self.line.len() + part.len() > self.limit {
                return Err(TooLong);
            }
            self.line.extend_from_slice(part);
            rest = after;
            if let Some((end_of_line, after)) = rest.split_first() {
                self.after_cr = *end_of_line == b'\r';
                rest = after;
                let line = std::mem::take(&mut self.line);
                self.line(&line, dispatch)?;
                // Streams are quiet for hours: only a little is kept for the next line.
                if line.capacity() <= KEPT {
                    self.line = line;
                    self.line.clear();
                }
            }
        }
        Ok(())
    }

    fn line(&mut self, line: &[u8], dispatch: &mut dyn FnMut(Event)) -> Result<(), TooLong> {
        let first = std::mem::take(&mut self.at_start);
        let line = if first { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line) } else { line };
        if line.is_empty() {
            self.dispatch(dispatch);
            return Ok(());
        }
        let line = String::from_utf8_lossy(line);
        let (field, value) = match line.split_once(':') {
            Some((field, value)) => (field, value.strip_prefix(' ').unwrap_or(value)),
            None => (&*line, ""),
        };
        match field {
            "event" => self.name = value.to_owned(),
            "data" => {
                if self.data.len() + value.len() + 1 > self.limit {
                    return Err(TooLong);
                }
                if self.has_data {
                    self.data.push('\n');
                }
                self.data.push_str(value);
                self.has_data = true;
            }
            "id" if !value.contains('\0') => self.id = Some(value.to_owned()),
            // A comment has an empty field name. `retry` is for those who reconnect without a backoff
            // of their own.
            _ => {}
        }
        Ok(())
    }

    fn dispatch(&mut self, dispatch: &mut dyn FnMut(Event)) {
        let name = std::mem::take(&mut self.name);
        let data = std::mem::take(&mut self.data);
        if std::mem::take(&mut self.has_data) {
            let name = if name.is_empty() { "message".to_owned() } else { name };
            // An empty id takes the last one back (§9.2.6).
            let id = self.id.clone().filter(|id| !id.is_empty());
            dispatch(Event { id, name, data });
        }
    }
}

/// One event as bytes; `data` may hold line breaks. `name` is ours and holds none.
pub fn frame(name: &str, data: &str) -> Vec<u8> {
    debug_assert!(!name.contains(['\r', '\n']), "{name:?} would end its line");
    let mut out = format!("event: {name}\n");
    for line in data.replace("\r\n", "\n").split(['\r', '\n']) {
        out.push_str("data: ");
        out.push_str(line);
        out.push('\n');
    }
    out.push('\n');
    out.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: Option<&str>, name: &str, data: &str) -> Event {
        Event { id: id.map(str::to_owned), name: name.into(), data: data.into() }
    }

    fn table() -> Vec<(&'static str, Vec<Event>)> {
        let m = |data| event(None, "message", data);
        vec![
            ("data: a\n\n", vec![m("a")]),
            ("data: a\r\n\r\ndata: b\r\rdata: c\n\n", vec![m("a"), m("b"), m("c")]),
            ("\u{feff}data: a\n\n", vec![m("a")]),
            ("\u{feff}\u{feff}data: a\n\n", vec![]),
            ("data: a\ndata\ndata:b\ndata:  c\n\n", vec![m("a\n\nb\n c")]),
            ("data\n\n", vec![m("")]),
            ("data:\n\n", vec![m("")]),
            (": a comment\ndata: a\n:\n\n", vec![m("a")]),
            ("event: x\n\ndata: a\n\n", vec![m("a")]),
            ("event: x\ndata: a\n\n", vec![event(None, "x", "a")]),
            ("event: x\nevent:\ndata: a\n\n", vec![m("a")]),
            (
                "id: 1\ndata: a\n\ndata: b\n\nid\ndata: c\n\n",
                vec![event(Some("1"), "message", "a"), event(Some("1"), "message", "b"), m("c")],
            ),
            ("id: 1\0\ndata: a\n\n", vec![m("a")]),
            ("id: 7\n\ndata: a\n\n", vec![event(Some("7"), "message", "a")]),
            ("retry: 250\nunknown: x\nDATA: y\n data: z\ndata: a\n\n", vec![m("a")]),
            ("data: not finished\n", vec![]),
            ("data: not finished", vec![]),
            ("data: æ🌿: b\n\n", vec![m("æ🌿: b")]),
            ("\n\n\n", vec![]),
        ]
    }

    fn parsed(pieces: &[&[u8]]) -> Vec<Event> {
        let mut events = Vec::new();
        let mut parser = Parser::new(1000);
        for piece in pieces {
            parser.feed(piece, &mut |event| events.push(event)).unwrap();
        }
        events
    }

    #[test]
    fn events_are_the_same_however_the_bytes_come() {
        for (text, expected) in table() {
            let bytes = text.as_bytes();
            assert_eq!(parsed(&[bytes]), expected, "{text:?}");
            let single: Vec<&[u8]> = bytes.chunks(1).collect();
            assert_eq!(parsed(&single), expected, "{text:?}, byte by byte");
            for at in 0..=bytes.len() {
                let (a, b) = bytes.split_at(at);
                assert_eq!(parsed(&[a, b]), expected, "{text:?}, split at {at}");
            }
        }
    }

    #[test]
    fn size_is_bounded() {
        let feed = |text: &str| Parser::new(20).feed(text.as_bytes(), &mut |_| ());
        assert_eq!(feed(&"x".repeat(21)), Err(TooLong));
        assert_eq!(feed("data: 12345678\ndata: 12345678\ndata: 12345678\n"), Err(TooLong));
        assert_eq!(feed(&"data: 1234567\n\n".repeat(50)), Ok(()));
    }

    #[test]
    fn frames_are_read_back() {
        for data in ["", "a", "a\nb", "a\r\nb\rc\n"] {
            let expected = data.replace("\r\n", "\n").replace('\r', "\n");
            assert_eq!(parsed(&[&frame("x", data)]), vec![event(None, "x", &expected)]);
        }
    }
}
