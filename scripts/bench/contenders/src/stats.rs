//! Medians, percentiles, and tables for people.

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    at(&values, 0.5)
}

/// The value below which `share` of them lie; they are sorted.
pub fn at(sorted: &[f64], share: f64) -> f64 {
    let last = sorted.len().checked_sub(1).expect("something was measured");
    sorted[((last as f64 * share).round() as usize).min(last)]
}

/// Lines of cells, the first of which is a head.
#[derive(Default)]
pub struct Table(Vec<Vec<String>>);

impl Table {
    pub fn new(head: &[&str]) -> Table {
        Table(vec![head.iter().map(|cell| (*cell).to_owned()).collect()])
    }

    pub fn row(&mut self, cells: &[String]) {
        self.0.push(cells.to_vec());
    }

    pub fn print(&self) {
        let columns = self.0[0].len();
        let wide = |column: usize| self.0.iter().map(|row| row[column].chars().count()).max();
        let widths: Vec<usize> = (0..columns).map(|column| wide(column).unwrap_or(0)).collect();
        for (number, row) in self.0.iter().enumerate() {
            let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| {
                if column == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
            });
            println!("| {} |", cells.collect::<Vec<_>>().join(" | "));
            if number == 0 {
                let rules = widths.iter().enumerate().map(|(column, width)| {
                    let dashes = "-".repeat(width - usize::from(column > 0));
                    if column == 0 { dashes } else { dashes + ":" }
                });
                println!("| {} |", rules.collect::<Vec<_>>().join(" | "));
            }
        }
    }
}

/// What was promised and what was found; the run fails when one does not hold.
#[derive(Default)]
pub struct Targets(Vec<(bool, String)>);

impl Targets {
    pub fn at_most(&mut self, what: &str, found: f64, limit: f64, unit: &str) {
        self.note(found <= limit, format!("{what}: {found:.2} {unit}, at most {limit}"));
    }

    pub fn at_least(&mut self, what: &str, found: f64, limit: f64, unit: &str) {
        self.note(found >= limit, format!("{what}: {found:.2} {unit}, at least {limit}"));
    }

    fn note(&mut self, holds: bool, text: String) {
        println!("{} {text}", if holds { "   ok" } else { "NOT MET" });
        self.0.push((holds, text));
    }

    pub fn print(&self) -> bool {
        println!("\n## Targets");
        for (holds, text) in &self.0 {
            println!("{} {text}", if *holds { "   ok" } else { "NOT MET" });
        }
        self.0.iter().all(|(holds, _)| *holds)
    }
}
