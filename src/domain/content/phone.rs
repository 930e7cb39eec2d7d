//! Phone numbers in one form, so that the same person is found again: `+` and digits, E.164.

/// Why a text is not a phone number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PhoneError {
    /// A character that no phone number has.
    #[error("holds a character that is neither a digit nor one of `+ - ( )` or a space")]
    Character,
    /// Fewer than 7 or more than 15 digits (ITU-T E.164).
    #[error("has {0} digits; a number with its country code has 7 to 15")]
    Length(usize),
    /// No country code begins with 0: a national number, or `00` for `+`.
    #[error("begins with 0, which no country code does")]
    Zero,
}

/// `+` and the digits of a number written with or without `+`, spaces, `-`, `(`, `)`. The digits must begin with the
/// country code: without one Meta would put the business's own before it and may write to a stranger.
///
/// # Errors
/// See [`PhoneError`].
pub fn phone(text: &str) -> Result<String, PhoneError> {
    let mut normal = String::from("+");
    for (at, c) in text.trim().char_indices() {
        match c {
            '0'..='9' => normal.push(c),
            '+' if at == 0 => {}
            ' ' | '-' | '(' | ')' => {}
            _ => return Err(PhoneError::Character),
        }
        // Bounds the copy: more digits than any number has are counted from the text instead.
        if normal.len() > 16 {
            return Err(PhoneError::Length(text.bytes().filter(u8::is_ascii_digit).count()));
        }
    }
    match normal.len() - 1 {
        7..=15 if normal.starts_with("+0") => Err(PhoneError::Zero),
        7..=15 => Ok(normal),
        digits => Err(PhoneError::Length(digits)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_number_has_one_form() {
        for text in ["+12025550123", "12025550123", "+1 (202) 555-0123", " +1 202 555 0123 ", "1-202-555-0123"] {
            assert_eq!(phone(text).as_deref(), Ok("+12025550123"), "{text}");
        }
        assert_eq!(phone("1234567").as_deref(), Ok("+1234567"));
        assert_eq!(phone("123456789012345").as_deref(), Ok("+123456789012345"));
    }

    #[test]
    fn what_is_no_number_says_why() {
        assert_eq!(phone(""), Err(PhoneError::Length(0)));
        assert_eq!(phone("123456"), Err(PhoneError::Length(6)));
        assert_eq!(phone("1234567890123456"), Err(PhoneError::Length(16)));
        assert_eq!(phone("0049301234567"), Err(PhoneError::Zero));
        assert_eq!(phone("1202+5550123"), Err(PhoneError::Character));
        assert_eq!(phone("Z3JvdXA6OTAw"), Err(PhoneError::Character));
        assert_eq!(phone("+१२३४५६७८"), Err(PhoneError::Character));
    }
}
