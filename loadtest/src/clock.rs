//! The time of the load test: wall time in microseconds, and a small seeded chance for faults that can be repeated.

use std::time::{SystemTime, UNIX_EPOCH};

/// Microseconds since the Unix epoch, by the wall clock of this machine.
#[must_use]
pub fn now_us() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

/// One draw of a seeded stream, uniform in `0.0..1.0`.
///
/// `stream` keeps decisions apart (so that adding one kind of fault does not shift the others), `n` is the number of the request:
/// the draw depends on nothing else, so concurrency cannot change it.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "53 bits of a draw are exactly what an f64 holds")]
pub fn draw(seed: u64, stream: u64, n: u64) -> f64 {
    let mixed = splitmix(splitmix(seed ^ stream.wrapping_mul(0xD6E8_FEB8_6659_FD93)) ^ n);
    (mixed >> 11) as f64 / (1_u64 << 53) as f64
}

/// The finaliser of SplitMix64: a fast, well mixed function of 64 bits.
#[must_use]
pub(crate) fn splitmix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::draw;

    #[test]
    fn a_draw_repeats_and_spreads() {
        assert_eq!(draw(7, 1, 42).to_bits(), draw(7, 1, 42).to_bits());
        let below = (0..10_000).filter(|n| draw(7, 1, *n) < 0.1).count();
        assert!((800..1200).contains(&below), "{below} of 10,000 draws below 0.1");
    }
}
