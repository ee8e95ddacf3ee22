//! Finds what follows a row. A posta-server pages only downwards (`before=`), and its rows number
//! all threads together, so how far up the next messages of one thread lie is not known: this asks
//! below a bound that moves, further up while too little is found and back where too much is. Pure;
//! who asks is in [`super::history`].
use crate::posta::Message;

/// Messages asked for at once; as many as a posta-server gives.
pub const AT_ONCE: u32 = 200;
/// How far above the row the first question reaches, in rows.
const FIRST_REACH: i64 = 256;
/// How much further the next one reaches when a few were found, and when none was.
const FURTHER: i64 = 4;
const MUCH_FURTHER: i64 = 16;
/// Questions for one page. From the first reach to 2^63 rows takes 14 steps up and few back.
const MAX_ASKED: usize = 40;

/// The messages right above `row`, oldest first, and whether they are all up to `newest`; at least
/// `wanted` of them unless they are all. `ask` gives a page below a row, newest first.
pub fn after<E>(
    row: i64,
    newest: i64,
    wanted: usize,
    mut ask: impl FnMut(i64, u32) -> Result<Vec<Message>, E>,
) -> Result<(Vec<Message>, bool), E> {
    // Up to the first reach there are too few; from the row at the second one on, `upper` is known.
    let (mut few, mut known) = (0_i64, i64::MAX);
    let (mut upper, mut upper_is_all) = (Vec::new(), false);
    let mut reach = FIRST_REACH;
    let mut best = Vec::new();
    for _ in 0..MAX_ASKED {
        let bound = row.saturating_add(reach).min(newest).saturating_add(1);
        let page = ask(bound, AT_ONCE)?;
        let oldest = page.last().map_or(i64::MIN, |message| message.row_id);
        let covers = page.len() < AT_ONCE as usize || oldest <= row;
        let mut found: Vec<_> = page.into_iter().filter(|message| message.row_id > row).collect();
        found.reverse();
        let all = bound > newest;
        let asked = reach;
        if !covers {
            // Nearer to the row there is more; often little more.
            known = oldest.saturating_sub(row);
            (upper, upper_is_all) = (found, all);
            let far = known > asked / 2;
            reach = if far { few + (known - few) / 4 } else { known - 1 };
        } else if all || found.len() >= wanted {
            return Ok((found, all));
        } else if asked == known - 1 {
            found.append(&mut upper);
            return Ok((found, upper_is_all));
        } else {
            few = asked;
            reach = asked.saturating_mul(if found.is_empty() { MUCH_FURTHER } else { FURTHER });
            best = found;
        }
        if known - 1 <= few {
            break; // a server that contradicts itself
        }
        reach = reach.clamp(few + 1, known - 1);
    }
    Ok((best, false))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::testing::{message, peer};
    use std::convert::Infallible;

    /// What is found above `row` in a thread of these rows, and in how many questions.
    fn found(rows: &[i64], row: i64, wanted: usize) -> (Vec<i64>, bool, usize) {
        let mut asked = 0;
        let newest = *rows.last().unwrap();
        let (found, all) = after(row, newest, wanted, |before, limit| {
            asked += 1;
            let below = rows.iter().rev().filter(|row| **row < before).take(limit as usize);
            Ok::<_, Infallible>(below.map(|row| message(&peer("bob"), *row)).collect())
        })
        .unwrap();
        (found.iter().map(|message| message.row_id).collect(), all, asked)
    }

    #[test]
    fn the_next_messages_are_found_however_the_rows_lie() {
        let dense: Vec<i64> = (1..=2_000).collect();
        let sparse: Vec<i64> = (1..=500).map(|n| n * 997).collect();
        let far: Vec<i64> = (1..=30).chain(8_000_000..8_000_400).collect();
        let clumps: Vec<i64> = (0..40).flat_map(|c| (1..=90).map(move |n| c * 5_000 + n)).collect();
        let huge: Vec<i64> = vec![1, 2, i64::MAX - 2, i64::MAX - 1];
        for (name, rows) in
            [("dense", dense), ("sparse", sparse), ("far", far), ("clumps", clumps), ("huge", huge)]
        {
            for at in [0, 1, rows.len() / 3, rows.len() / 2, rows.len() - 2, rows.len() - 1] {
                for row in [rows[at] - 1, rows[at]] {
                    let (got, all, asked) = found(&rows, row, 51);
                    let start = rows.partition_point(|r| *r <= row);
                    assert_eq!(got, rows[start..start + got.len()], "{name} above {row}");
                    assert_eq!(all, start + got.len() == rows.len() && all, "{name} above {row}");
                    assert!(all || got.len() >= 51, "{name} above {row}: {}", got.len());
                    assert!(asked <= 32, "{name} above {row} took {asked}");
                }
            }
        }
        assert_eq!(found(&(1..=2_000).collect::<Vec<_>>(), 1_000, 51).2, 2);
        assert_eq!(found(&[5], i64::MAX, 51), (Vec::new(), true, 1));
    }

    #[test]
    fn a_server_that_contradicts_itself_costs_a_few_questions() {
        let mut asked = 0;
        let found = after(1, i64::MAX, 51, |before, limit| {
            asked += 1;
            let page = (0..i64::from(limit)).map(|n| message(&peer("bob"), before + 9 - n));
            Ok::<_, Infallible>(page.collect())
        });
        assert!(asked <= MAX_ASKED && !found.unwrap().1);
        assert_eq!(after(1, 9, 51, |_, _| Err::<Vec<_>, _>("away")), Err("away"));
    }
}
