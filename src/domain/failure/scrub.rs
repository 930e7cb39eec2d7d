//! A provider's words, made fit to be kept and shown.

/// Longest kept text of a refusal, characters.
pub const DETAIL_MAX: usize = 256;

/// A provider's words, fit for events, logs and pages: one line, at most [`DETAIL_MAX`] characters, and without what may
/// name a person or be a secret: seven or more digits in a row (spaces and `+-().` between them do not count), words
/// with an `@`, and long mixed words as tokens and message ids are.
#[must_use]
pub fn scrub(text: &str) -> String {
    // The bound goes first, so that a long text costs little; four times the length leaves room for what is cut out.
    let line: String = text.chars().take(4 * DETAIL_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect();
    let words: Vec<&str> = line.split_whitespace().map(|word| if telling(word) { "#" } else { word }).collect();
    without_numbers(&words.join(" ")).chars().take(DETAIL_MAX).collect()
}

fn telling(word: &str) -> bool {
    let has = |f: fn(char) -> bool| word.chars().any(f);
    // 24: Meta's tokens, message ids and key hashes are longer, words of a language with digits in them are not.
    word.contains('@')
        || (word.chars().count() >= 24
            && has(|c| c.is_ascii_uppercase())
            && has(|c| c.is_ascii_lowercase())
            && has(|c| c.is_ascii_digit()))
}

fn without_numbers(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut run = String::new();
    for c in text.chars() {
        if c.is_numeric() || (matches!(c, ' ' | '+' | '-' | '(' | ')' | '.') && !run.is_empty()) {
            run.push(c);
        } else {
            close(&mut kept, &mut run);
            kept.push(c);
        }
    }
    close(&mut kept, &mut run);
    kept
}

/// Ends a run of digits and separators: a number as long as a subscriber's is cut out, the rest stays.
fn close(kept: &mut String, run: &mut String) {
    if run.chars().filter(|c| c.is_numeric()).count() >= 7 {
        kept.push('#');
        let tail = run.trim_end_matches(|c: char| !c.is_numeric());
        kept.push_str(&run[tail.len()..]);
    } else {
        kept.push_str(run);
    }
    run.clear();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detail_names_nobody() {
        let said = "User +1 (202) 555-0123 (ada@example.com)\nwamid.HBgLMTIwMjU1NTAxMjMVAgARGBJF code 131056.";
        assert_eq!(scrub(said), "User +# # # code 131056.");
        let template = "template name (order_ready) does not exist in en_GB";
        assert_eq!(scrub(template), template);
        assert_eq!(scrub(&"é".repeat(2_000)).chars().count(), DETAIL_MAX);
    }
}
