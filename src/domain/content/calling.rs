//! Calling codes: which country a phone number belongs to, as far as its first digits say (ITU-T E.164, annex).
//!
//! One digit for zones 1 and 7, two for the countries that were given two, three for all others. North America, and Russia
//! with Kazakhstan, share theirs: a number does not say more without a plan of its country.

/// Countries with two digits.
const TWO: [u16; 44] = [
    20, 27, 30, 31, 32, 33, 34, 36, 39, 40, 41, 43, 44, 45, 46, 47, 48, 49, 51, 52, 53, 54, 55, 56, 57, 58, 60, 61, 62,
    63, 64, 65, 66, 81, 82, 84, 86, 90, 91, 92, 93, 94, 95, 98,
];

/// The calling code of a number in its one form, `+` and digits; of no other text.
#[must_use]
pub fn calling_code(number: &str) -> Option<u16> {
    let digits = number.strip_prefix('+')?;
    let first =
        |count: usize| digits.get(..count).filter(|head| head.bytes().all(|b| b.is_ascii_digit()))?.parse().ok();
    match first(1)? {
        0 => None,
        code @ (1 | 7) => Some(code),
        _ => first(2).filter(|code| TWO.contains(code)).or_else(|| first(3)),
    }
}

/// A calling code as people write it, with `+` or without, if there may be such a one.
#[must_use]
pub fn read_code(text: &str) -> Option<u16> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    let code = digits.parse().ok().filter(|_| (1..=3).contains(&digits.len()))?;
    (calling_code(&format!("+{digits}")) == Some(code)).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_says_its_calling_code() {
        let codes = [
            ("+12025550123", 1),
            ("+77011234567", 7),
            ("+4915500010000", 49),
            ("+353861234567", 353),
            ("+971501234567", 971),
            ("+5511912345678", 55),
            ("+2348012345678", 234),
        ];
        for (number, code) in codes {
            assert_eq!(calling_code(number), Some(code), "{number}");
        }
        for other in ["", "+", "4915500010000", "+0123", "bsuid:49155", "+4x"] {
            assert_eq!(calling_code(other), None, "{other}");
        }
    }

    #[test]
    fn only_a_whole_code_is_one() {
        assert_eq!(["49", "+49", "1", "353"].map(read_code), [Some(49), Some(49), Some(1), Some(353)]);
        for wrong in ["", "+", "0", "49155", "12", "490", "35", "+ 49", "-49", "DE", "3533", "٤٩"] {
            assert_eq!(read_code(wrong), None, "{wrong}");
        }
    }
}
