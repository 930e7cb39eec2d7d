//! How a tree lies in files: C2SP tlog-tiles.
//!
//! A tile of level L holds up to 256 hashes of the tree's level 8·L, one after the other: `tile/L/N`. One that is not full
//! says its width: `tile/L/N.p/W`. Leaves themselves lie in bundles of 256, each behind its length (two bytes,
//! big-endian): `tile/entries/N`. N is written in groups of three digits, all but the last with an `x` in front.

use std::fmt::Write as _;

use super::proof::Subtrees;

/// Hashes, or leaves, of a full tile.
pub const WIDTH: u64 = 256;

/// A leaf's most bytes: its length is written with two.
pub const MAX_LEAF: usize = u16::MAX as usize;

/// One tile: which, and how wide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tile {
    /// Of hashes: its level. Of leaves: none.
    pub level: Option<u8>,
    /// Which of its level.
    pub place: u64,
    /// How many hashes or leaves it holds, from 1 to 256.
    pub width: u16,
}

impl Tile {
    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> String {
        let mut path = match self.level {
            Some(level) => format!("tile/{level}/"),
            None => "tile/entries/".to_owned(),
        };
        let digits = format!("{:03}", self.place);
        let head = digits.len() % 3;
        let digits = if head == 0 { digits } else { format!("{}{digits}", "0".repeat(3 - head)) };
        let groups = digits.len() / 3;
        for group in 0..groups {
            let mark = if group + 1 < groups { "x" } else { "" };
            let slash = if group + 1 < groups { "/" } else { "" };
            // Writing to a string cannot fail.
            let _ = write!(path, "{mark}{}{slash}", &digits[group * 3..group * 3 + 3]);
        }
        if u64::from(self.width) < WIDTH {
            let _ = write!(path, ".p/{}", self.width);
        }
        path
    }

    /// The hashes it holds.
    ///
    /// # Errors
    /// When the tree does not have them.
    pub fn hashes<S: Subtrees>(&self, tree: &S) -> Result<Vec<u8>, S::Error> {
        let level = self.level.unwrap_or(0);
        let mut bytes = Vec::with_capacity(usize::from(self.width) * 32);
        for n in 0..u64::from(self.width) {
            bytes.extend_from_slice(&tree.subtree(level.saturating_mul(8), self.place * WIDTH + n)?);
        }
        Ok(bytes)
    }
}

/// The bundles of leaves of a tree of this size.
pub fn bundles(size: u64) -> impl Iterator<Item = Tile> {
    row(None, size)
}

/// The tiles of hashes of a tree of this size, the lowest level first.
pub fn tiles(size: u64) -> impl Iterator<Item = Tile> {
    (0..8u8)
        .map_while(move |level| Some((level, size >> (8 * u32::from(level)))).filter(|(_, size)| *size > 0))
        .flat_map(|(level, size)| row(Some(level), size))
}

fn row(level: Option<u8>, size: u64) -> impl Iterator<Item = Tile> {
    (0..size.div_ceil(WIDTH)).map(move |place| Tile { level, place, width: (size - place * WIDTH).min(WIDTH) as u16 })
}

/// A bundle that does not hold what it should.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// It ends within a leaf.
    #[error("the bundle ends within leaf {0}")]
    Cut(usize),
    /// It does not hold as many leaves as its name says.
    #[error("the bundle holds {found} leaves, and should hold {expected}")]
    Count {
        /// How many it holds.
        found: usize,
        /// How many it should.
        expected: u16,
    },
}

/// Writes a leaf into a bundle. What is longer than [`MAX_LEAF`] is refused.
#[must_use]
pub fn put_leaf(bundle: &mut Vec<u8>, leaf: &[u8]) -> bool {
    let Ok(len) = u16::try_from(leaf.len()) else {
        return false;
    };
    bundle.extend_from_slice(&len.to_be_bytes());
    bundle.extend_from_slice(leaf);
    true
}

/// The leaves of a bundle.
///
/// # Errors
/// When it holds fewer or more, or ends early.
pub fn leaves(bundle: &[u8], expected: u16) -> Result<Vec<&[u8]>, BundleError> {
    let (mut found, mut rest) = (Vec::new(), bundle);
    while let Some((len, after)) = rest.split_first_chunk::<2>() {
        let len = usize::from(u16::from_be_bytes(*len));
        let (leaf, after) = after.split_at_checked(len).ok_or(BundleError::Cut(found.len()))?;
        found.push(leaf);
        rest = after;
    }
    match rest.is_empty() {
        false => Err(BundleError::Cut(found.len())),
        true if found.len() == usize::from(expected) => Ok(found),
        true => Err(BundleError::Count { found: found.len(), expected }),
    }
}

#[cfg(test)]
mod tests {
    use super::super::hash;
    use super::super::proof::Nodes;
    use super::*;

    #[test]
    fn paths_are_those_of_the_specification() {
        let path = |level, place, width| Tile { level, place, width }.path();
        assert_eq!(path(Some(0), 0, 256), "tile/0/000");
        assert_eq!(path(Some(0), 1_234_067, 256), "tile/0/x001/x234/067");
        assert_eq!(path(Some(1), 5, 8), "tile/1/005.p/8");
        assert_eq!(path(None, 1_000, 1), "tile/entries/x001/000.p/1");
    }

    #[test]
    fn a_tree_of_70_000_has_the_tiles_of_the_specification() {
        // The example of tlog-tiles.
        let listed: Vec<Tile> = tiles(70_000).collect();
        assert_eq!(listed.iter().filter(|tile| tile.level == Some(0) && tile.width == 256).count(), 273);
        let partial: Vec<String> = listed.iter().filter(|tile| tile.width < 256).map(Tile::path).collect();
        assert_eq!(partial, ["tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1"]);
        assert_eq!(bundles(70_000).count(), 274);
        assert_eq!(tiles(0).count() + bundles(0).count(), 0);
    }

    #[test]
    fn a_tile_holds_the_roots_of_full_subtrees() {
        let mut nodes = Nodes::default();
        (0..700u16).for_each(|n| nodes.push(hash::leaf(&n.to_be_bytes())));
        let tile = Tile { level: Some(1), place: 0, width: 2 };
        let bytes = tile.hashes(&nodes).expect("two full tiles below");
        assert_eq!(bytes[32..], nodes.subtree(8, 1).expect("complete"));
        assert!(Tile { width: 3, ..tile }.hashes(&nodes).is_err());
    }

    #[test]
    fn bundles_give_back_what_was_put_in_and_nothing_cut_or_counted_wrong() {
        let mut bundle = Vec::new();
        assert!(put_leaf(&mut bundle, b"one") && put_leaf(&mut bundle, b"") && !put_leaf(&mut bundle, &[0; 65_536]));
        assert_eq!(leaves(&bundle, 2), Ok(vec![&b"one"[..], b""]));
        assert_eq!(leaves(&bundle, 3), Err(BundleError::Count { found: 2, expected: 3 }));
        for len in 1..bundle.len() {
            assert!(leaves(&bundle[..len], 2).is_err(), "cut at {len}");
        }
    }
}
