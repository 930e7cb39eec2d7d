//! Sizes in bytes as people write them: `"256KiB"`, `"64MiB"`, `"1GiB"`.
//!
//! Only binary units: `MB` means 1,000,000 to some readers and 1,048,576 to others, so it is refused.

use super::setting::text_setting;

/// Units in bytes, largest first.
const UNITS: [(&str, u64); 5] = [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Size(u64);

impl Size {
    /// `n` KiB.
    pub const fn kib(n: u64) -> Self {
        Self(n << 10)
    }

    /// `n` MiB.
    pub const fn mib(n: u64) -> Self {
        Self(n << 20)
    }

    /// `n` GiB.
    pub const fn gib(n: u64) -> Self {
        Self(n << 30)
    }

    /// The bytes.
    pub const fn bytes(self) -> u64 {
        self.0
    }

    /// The bytes as a length in memory; saturates on machines with 32-bit addresses.
    pub fn as_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

text_setting!(
    Size,
    expected: "a size such as \"64MiB\"",
    remedy: "Write a whole number and its unit in double quotes: B, KiB, MiB, GiB or TiB (KB, MB and GB mean different things to different readers)",
    parse: parse,
    spell: spell,
);

fn parse(text: &str) -> Option<Size> {
    let text = text.trim();
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    let (_, bytes) = UNITS.iter().find(|(name, _)| *name == unit.trim_start())?;
    number.parse::<u64>().ok()?.checked_mul(*bytes).map(Size)
}

fn spell(size: &Size) -> String {
    let whole = |unit: &&(&str, u64)| size.0 > 0 && size.0.is_multiple_of(unit.1);
    UNITS.iter().find(whole).map_or_else(|| "0B".into(), |(name, unit)| format!("{}{name}", size.0 / unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_spells_sizes() {
        let cases = [
            ("0B", 0),
            ("512B", 512),
            ("256KiB", 262_144),
            ("64MiB", 67_108_864),
            ("1GiB", 1_073_741_824),
            ("2TiB", 2 << 40),
        ];
        for (text, bytes) in cases {
            let size = parse(text).expect(text);
            assert_eq!((size.bytes(), spell(&size).as_str()), (bytes, text));
        }
        assert_eq!(parse("4 MiB"), Some(Size::mib(4)));
    }

    #[test]
    fn refuses_what_is_not_a_size() {
        for text in ["", "64", "MiB", "64MB", "64mib", "-1B", "1.5GiB", "99999999999TiB"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
