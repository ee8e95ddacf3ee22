//! Field lines of a request or an answer (RFC 9110 §5), in the order they came.

/// Names are lower-case; values are trimmed. A value that is not UTF-8 was decoded lossily.
#[derive(Debug, Clone, Default)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    pub fn with_capacity(count: usize) -> Self {
        Fields(Vec::with_capacity(count))
    }

    /// Appends a field; `name` is lower-cased, `value` loses the blanks around it (RFC 9110 §5.5).
    pub fn push(&mut self, name: &str, value: &str) {
        self.0.push((name.to_ascii_lowercase(), value.trim_matches([' ', '\t']).to_owned()));
    }

    /// Puts one field in the place of all of that name.
    pub fn replace(&mut self, name: &str, value: &str) {
        self.0.retain(|(n, _)| n != name);
        self.push(name, value);
    }

    /// The first value of `name` (given in lower case).
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// Every value of `name`, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}
