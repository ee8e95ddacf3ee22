//! What people write every day without thinking about it: weather, a word game, a choir's chatter.
use super::random::Random;
use std::collections::HashSet;

/// For the word game: each begins where the last one ended.
const WORDS: &str = "anchor apple almond autumn amber beacon bramble bread brisk bucket candle \
    canoe cedar clover compass copper dahlia damson deck dinghy driftwood drizzle dune eel ember \
    evening engine elder fern ferry flint fog forest garlic ginger gull gravel harbour hazel \
    hedgehog herring honey island ivy ink iris jetty jam jigsaw kelp kettle kite knot kernel \
    lantern ladle larch lemon lighthouse lichen mackerel mast meadow mint moss mustard nettle \
    nutmeg north novel nasturtium oar oat ochre onion orchard otter owl paddle parsnip pebble \
    pepper plum puddle quay quince quilt radish raft rain rhubarb rope rosemary rudder sail saffron \
    salt seagull spoon squall sorrel tide thyme tarragon timber toffee trout turnip umbrella upland \
    urchin varnish vinegar velvet violet walnut willow wharf window wool yarn yarrow yeast yawl \
    zest zigzag zephyr";

const REMARKS: &[&str] = &[
    "I had that one ready since Tuesday",
    "Is that a word?",
    "It is in my grandmother's kitchen, so yes",
    "Allowed, grudgingly",
    "You always end on an E",
    "Beautiful",
    "I was hoping you would not think of that",
    "Pilot voted for it",
];

/// One evening of the word game: who (the first or the second), and what they write.
pub struct WordGame {
    used: HashSet<&'static str>,
    last: Option<char>,
    turn: bool,
}

impl WordGame {
    pub fn new() -> WordGame {
        WordGame { used: HashSet::new(), last: None, turn: false }
    }

    pub fn evening(&mut self, random: &mut Random) -> Vec<(bool, String)> {
        let mut said = Vec::new();
        for _ in 0..random.within(5, 8) {
            let words: Vec<&'static str> = WORDS
                .split_whitespace()
                .filter(|w| !self.used.contains(w) && self.last.is_none_or(|c| w.starts_with(c)))
                .collect();
            let text = match words.as_slice() {
                [] => {
                    self.used.clear();
                    let lost = self.last.take();
                    format!(
                        "I have nothing left with {}. Your point, new round",
                        lost.unwrap_or('?')
                    )
                }
                words => {
                    let word = words[random.within(0, words.len() as i64) as usize];
                    self.used.insert(word);
                    self.last = word.chars().last();
                    word.to_uppercase()
                }
            };
            said.push((self.turn, text));
            self.turn = !self.turn;
        }
        if random.within(0, 3) == 0 {
            said.push((self.turn, random.pick(REMARKS).to_owned()));
        }
        said
    }
}

/// The morning's weather, from both of them.
pub fn weather(random: &mut Random) -> [String; 2] {
    const SKIES: &[&str] =
        &["fog", "thin sun", "drizzle", "low cloud", "clear", "wind", "a grey lid"];
    const THOUGHTS: &[&str] = &[
        "Jumper weather",
        "Coffee outside",
        "Boots",
        "The washing risked it",
        "No boats out",
        "Gulls busy",
    ];
    let mut one = |name: &str| {
        let degrees = random.within(7, 19);
        format!("{name}: {degrees}°, {}. {}", random.pick(SKIES), random.pick(THOUGHTS))
    };
    [one("Hill"), one("Harbour")]
}

/// What a busy choir writes.
pub fn choir(random: &mut Random) -> String {
    const VOICES: &[&str] = &["Sopranos", "Altos", "Tenors", "Basses", "The pianist", "Everyone"];
    const WHAT: &[&str] = &[
        "please bring a pencil",
        "we begin at bar 32",
        "the key is with the caretaker",
        "mind the owl",
        "that was lovely yesterday",
        "tea is on me",
        "who has the folder with the rounds?",
        "the second verse again, but as if nobody were angry",
        "car pool leaves at six",
        "a scarf was left on the third chair",
    ];
    format!("{}: {}", random.pick(VOICES), random.pick(WHAT))
}

/// A message of exactly `length` characters.
pub fn long(random: &mut Random, length: usize) -> String {
    const SENTENCES: &[&str] = &[
        "One begins, as one must, with the tide table.",
        "It was never the weather that kept us in the harbour, it was the conversation.",
        "My late husband held that a letter ought to be as long as the walk to post it.",
        "The third edition corrects the second, which corrected nothing.",
        "I enclose no footnotes, since the afternoon is fine.",
        "You will remember the lecture on knots; nobody in that room could afterwards untie one.",
        "There are, to my knowledge, eleven good reasons to keep bees, and one to keep a diary.",
        "In the margin somebody has written “ask the gull”, and I believe it was me.",
    ];
    let mut text = String::new();
    let mut count = 0;
    while count < length {
        let sentence = random.pick(SENTENCES);
        if count > 0 {
            text.push_str(if random.within(0, 6) == 0 { "\n\n" } else { " " });
        }
        text.push_str(sentence);
        count = text.chars().count();
    }
    let mut text: String = text.chars().take(length.saturating_sub(1)).collect();
    text.push('.');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_game_keeps_its_rule() {
        let (mut game, mut random) = (WordGame::new(), Random::new(3));
        let mut last: Option<char> = None;
        for _ in 0..60 {
            for (_, text) in game.evening(&mut random) {
                if text.chars().all(char::is_uppercase) {
                    assert!(last.is_none_or(|c| text.starts_with(c)), "{last:?} {text}");
                    last = text.chars().last();
                } else if text.starts_with("I have nothing") {
                    last = None;
                }
            }
        }
    }

    #[test]
    fn a_long_message_is_as_long_as_asked() {
        assert_eq!(long(&mut Random::new(1), 4000).chars().count(), 4000);
    }
}
