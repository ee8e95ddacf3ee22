//! Field lines of a request or an answer (RFC 9110 §5), in the order they came.
use std::ops::Range;

/// Names are lower-case; values are trimmed. A value that is not UTF-8 was decoded lossily.
///
/// A browser sends some twenty of them with each request: all stand in one text.
#[derive(Debug, Clone, Default)]
pub struct Fields {
    text: String,
    lines: Vec<Line>,
}

/// Where a field stands in the text: its name is followed by its value.
#[derive(Debug, Clone, Copy)]
struct Line {
    start: usize,
    name: usize,
    value: usize,
}

impl Line {
    fn name(self) -> Range<usize> {
        self.start..self.start + self.name
    }

    fn value(self) -> Range<usize> {
        let start = self.start + self.name;
        start..start + self.value
    }
}

impl Fields {
    /// With room for so many fields of so many bytes together.
    pub fn with_capacity(count: usize, bytes: usize) -> Self {
        Fields { text: String::with_capacity(bytes), lines: Vec::with_capacity(count) }
    }

    /// Appends a field; `name` is lower-cased, `value` loses the blanks around it (RFC 9110 §5.5).
    pub fn push(&mut self, name: &str, value: &str) {
        let (start, value) = (self.text.len(), value.trim_matches([' ', '\t']));
        self.text.push_str(name);
        self.text[start..].make_ascii_lowercase();
        self.text.push_str(value);
        self.lines.push(Line { start, name: name.len(), value: value.len() });
    }

    /// Puts one field in the place of all of that name.
    pub fn replace(&mut self, name: &str, value: &str) {
        let text = &self.text;
        self.lines.retain(|line| &text[line.name()] != name);
        self.push(name, value);
    }

    /// The first value of `name` (given in lower case).
    pub fn get(&self, name: &str) -> Option<&str> {
        let line = self.lines.iter().find(|line| &self.text[line.name()] == name)?;
        Some(&self.text[line.value()])
    }

    /// Every value of `name`, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.lines
            .iter()
            .filter(move |line| &self.text[line.name()] == name)
            .map(|line| &self.text[line.value()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_name_in_their_order() {
        let mut fields = Fields::with_capacity(1, 1);
        for (name, value) in [("Cookie", " a=b\t"), ("X-Empty", ""), ("COOKIE", "c=d"), ("x", "é")]
        {
            fields.push(name, value);
        }
        assert_eq!(fields.all("cookie").collect::<Vec<_>>(), ["a=b", "c=d"]);
        assert_eq!((fields.get("x-empty"), fields.get("x")), (Some(""), Some("é")));
        assert_eq!((fields.get("Cookie"), fields.get("")), (None, None));
        fields.replace("cookie", "e=f");
        assert_eq!(fields.all("cookie").collect::<Vec<_>>(), ["e=f"]);
        assert_eq!(fields.get("x"), Some("é"));
    }
}
