//! A compact range: what must be kept of a tree of any size in order to append to it and to say its root.
//!
//! The leaves of a tree of size 13 are covered by complete subtrees of 8, 4 and 1: one for each bit of its size. Their
//! roots, the largest first, are the range: at most 64 hashes, 20 for a million leaves.

use super::hash::{Hash, empty, node};

/// The range from the first leaf to the last.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Range {
    size: u64,
    peaks: Vec<Hash>,
}

impl Range {
    /// How many leaves it covers.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf's hash.
    pub fn push(&mut self, leaf: Hash) {
        self.push_with(leaf, |_, _, _| ());
    }

    /// Appends a leaf's hash, and says each subtree that it completes: its level, its place in that level, its root. The
    /// leaf itself is the first, at level 0.
    pub fn push_with(&mut self, leaf: Hash, mut complete: impl FnMut(u8, u64, &Hash)) {
        let (mut top, mut place, mut level) = (leaf, self.size, 0);
        complete(level, place, &top);
        while place & 1 == 1 {
            let Some(left) = self.peaks.pop() else { break };
            top = node(&left, &top);
            place >>= 1;
            level += 1;
            complete(level, place, &top);
        }
        self.peaks.push(top);
        self.size += 1;
    }

    /// The root of the tree.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        let Some(last) = peaks.next() else {
            return empty();
        };
        peaks.fold(*last, |right, left| node(left, &right))
    }
}

#[cfg(test)]
mod tests {
    use super::super::hash;
    use super::*;

    /// RFC 6962, section 2.1, as it is written there.
    fn by_definition(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => empty(),
            [leaf] => *leaf,
            many => {
                let (left, right) = many.split_at(many.len().next_power_of_two() / 2);
                node(&by_definition(left), &by_definition(right))
            }
        }
    }

    #[test]
    fn a_range_has_the_root_that_the_definition_gives() {
        let leaves: Vec<Hash> = (0..300u16).map(|n| hash::leaf(&n.to_be_bytes())).collect();
        let mut range = Range::default();
        for size in 0..leaves.len() {
            assert_eq!(range.root(), by_definition(&leaves[..size]), "of {size}");
            assert_eq!(range.peaks.len(), size.count_ones() as usize);
            range.push(leaves[size]);
        }
    }
}
