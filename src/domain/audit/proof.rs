//! Roots and proofs of RFC 6962: made of the roots of complete subtrees, verified with nothing but hashes.

use super::hash::{Hash, empty, node};

/// The roots of complete subtrees of a tree, wherever they are kept.
pub trait Subtrees {
    /// What goes wrong in reading.
    type Error;

    /// The root of the `place`-th subtree of `2^level` leaves.
    ///
    /// # Errors
    /// When it cannot be read, or is not there.
    fn subtree(&self, level: u8, place: u64) -> Result<Hash, Self::Error>;
}

/// All complete subtrees of a tree, in memory: 64 bytes a leaf.
#[derive(Debug, Clone, Default)]
pub struct Nodes {
    levels: Vec<Vec<Hash>>,
    range: super::Range,
}

impl Nodes {
    /// Appends a leaf's hash.
    pub fn push(&mut self, leaf: Hash) {
        let levels = &mut self.levels;
        self.range.push_with(leaf, |level, _, root| {
            let level = usize::from(level);
            if levels.len() == level {
                levels.push(Vec::new());
            }
            levels[level].push(*root);
        });
    }

    /// How many leaves there are.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.range.size()
    }

    /// The root over all of them.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.range.root()
    }
}

/// A subtree was asked for that is not complete, or not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the tree has no complete subtree {place} of 2^{level} leaves")]
pub struct NoSubtree {
    /// Which level.
    pub level: u8,
    /// Which of that level.
    pub place: u64,
}

impl Subtrees for Nodes {
    type Error = NoSubtree;

    fn subtree(&self, level: u8, place: u64) -> Result<Hash, NoSubtree> {
        let found = self.levels.get(usize::from(level)).and_then(|level| level.get(usize::try_from(place).ok()?));
        found.copied().ok_or(NoSubtree { level, place })
    }
}

/// The root of the first `size` leaves.
///
/// # Errors
/// As [`Subtrees::subtree`].
pub fn root<S: Subtrees>(tree: &S, size: u64) -> Result<Hash, S::Error> {
    if size == 0 { Ok(empty()) } else { over(tree, 0, size) }
}

/// The root over the leaves from `from` up to before `to`: part of a tree as the RFC divides it, so a part whose size is
/// a power of two is a complete subtree.
fn over<S: Subtrees>(tree: &S, from: u64, to: u64) -> Result<Hash, S::Error> {
    let size = to - from;
    if size.is_power_of_two() {
        let level = size.trailing_zeros();
        return tree.subtree(level as u8, from >> level);
    }
    let middle = from + left(size);
    Ok(node(&over(tree, from, middle)?, &over(tree, middle, to)?))
}

/// The size of the left part of more than one leaf: the largest power of two that is smaller.
fn left(size: u64) -> u64 {
    1 << (u64::BITS - 1 - (size - 1).leading_zeros())
}

/// The way from a leaf to the root of the first `size`. Empty for a leaf that is not among them.
///
/// # Errors
/// As [`Subtrees::subtree`].
pub fn inclusion<S: Subtrees>(tree: &S, index: u64, size: u64) -> Result<Vec<Hash>, S::Error> {
    let mut path = Vec::new();
    let (mut from, mut to) = (0, size);
    while index < to && to - from > 1 {
        let middle = from + left(to - from);
        if index < middle {
            path.push(over(tree, middle, to)?);
            to = middle;
        } else {
            path.push(over(tree, from, middle)?);
            from = middle;
        }
    }
    path.reverse();
    Ok(path)
}

/// The proof that the first `size` leaves begin with the first `old`. Empty where there is nothing to prove.
///
/// # Errors
/// As [`Subtrees::subtree`].
pub fn consistency<S: Subtrees>(tree: &S, old: u64, size: u64) -> Result<Vec<Hash>, S::Error> {
    if old == 0 || old >= size {
        return Ok(Vec::new());
    }
    let mut path = Vec::new();
    let (mut from, mut to, mut known) = (0, size, true);
    while old != to {
        let middle = from + left(to - from);
        if old <= middle {
            path.push(over(tree, middle, to)?);
            to = middle;
        } else {
            path.push(over(tree, from, middle)?);
            (from, known) = (middle, false);
        }
    }
    if !known {
        path.push(over(tree, from, to)?);
    }
    path.reverse();
    Ok(path)
}

/// Whether the path leads from the leaf's hash at `index` to the root of `size` leaves (RFC 9162, 2.1.3.2).
#[must_use]
pub fn includes(leaf: &Hash, index: u64, size: u64, path: &[Hash], root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut place, mut last, mut top) = (index, size - 1, *leaf);
    for hash in path {
        if last == 0 {
            return false;
        }
        if place & 1 == 1 || place == last {
            top = node(hash, &top);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            top = node(&top, hash);
        }
        place >>= 1;
        last >>= 1;
    }
    last == 0 && top == *root
}

/// Whether the tree of `size` leaves begins with the one of `old` (RFC 9162, 2.1.4.2).
#[must_use]
pub fn extends((old, old_root): (u64, &Hash), (size, root): (u64, &Hash), path: &[Hash]) -> bool {
    if old == size {
        return path.is_empty() && old_root == root;
    }
    if old == 0 || old > size {
        return old == 0 && path.is_empty() && *old_root == empty();
    }
    let mut path = path.iter();
    let first = if old.is_power_of_two() { Some(old_root) } else { path.next() };
    let Some(first) = first else { return false };
    let (mut place, mut last) = (old - 1, size - 1);
    while place & 1 == 1 {
        place >>= 1;
        last >>= 1;
    }
    let (mut was, mut is) = (*first, *first);
    for hash in path {
        if last == 0 {
            return false;
        }
        if place & 1 == 1 || place == last {
            was = node(hash, &was);
            is = node(hash, &is);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            is = node(&is, hash);
        }
        place >>= 1;
        last >>= 1;
    }
    last == 0 && was == *old_root && is == *root
}

#[cfg(test)]
mod tests;
