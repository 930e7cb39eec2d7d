//! Texts of others in front of people: characters that move a cursor, colour a terminal or turn a line around.

/// Whether this character can make a text look like another one: controls (terminals obey them) and marks of direction.
#[must_use]
pub fn disturbs(c: char) -> bool {
    let direction =
        matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || direction || matches!(c, '\u{2028}' | '\u{2029}')
}

/// The text on one line without such characters; breaks become blanks.
#[must_use]
pub fn calm(text: &str) -> String {
    let spaced = text.chars().map(|c| if matches!(c, '\n' | '\r' | '\t') { ' ' } else { c });
    spaced.filter(|c| !disturbs(*c)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_goes_and_every_writing_stays() {
        assert_eq!(calm("\u{1b}]0;owned\u{7}\u{9b}31m a\nb\u{202e}c\u{7f}\u{2028}"), "]0;owned31m a bc");
        let writings = "Grüße, 你好, שלום, مرحبا, 👩\u{200d}👩\u{200d}👧";
        assert_eq!(calm(writings), writings);
    }
}
