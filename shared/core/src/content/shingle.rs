//! How alike two texts are: the Jaccard index over their runs of five words.
//!
//! Five words are long enough that two people hardly share a run by chance and short enough that one changed word leaves
//! a mark on five of them; mail filters that look for bulk compare texts in much the same way.

use std::collections::BTreeMap;

use super::text;

/// Words in a shingle.
pub(super) const SHINGLE_WORDS: usize = 5;

/// The distinct shingles of one or more texts, as sorted hashes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Shingles(Vec<u64>);

impl Shingles {
    /// The shingles of all `texts` together; a text of fewer words is one shingle.
    pub(super) fn of<'t>(texts: impl IntoIterator<Item = &'t str>) -> Self {
        let mut hashes = Vec::new();
        for text in texts {
            let words = text::words(text);
            let length = SHINGLE_WORDS.min(words.len()).max(1);
            hashes.extend(words.windows(length).map(hash));
        }
        hashes.sort_unstable();
        hashes.dedup();
        Self(hashes)
    }
}

/// Shared shingles over all shingles, 0 to 1, of each pair (by position, the smaller first) that shares a shingle; all other pairs have none.
///
/// An index from shingle to texts finds them without comparing all pairs.
pub(super) fn similar_pairs(all: &[Shingles]) -> BTreeMap<(usize, usize), f64> {
    let mut holders = BTreeMap::<u64, Vec<usize>>::new();
    for (position, shingles) in all.iter().enumerate() {
        for &hash in &shingles.0 {
            holders.entry(hash).or_default().push(position);
        }
    }
    let mut shared = BTreeMap::<(usize, usize), usize>::new();
    for positions in holders.values() {
        for (n, &a) in positions.iter().enumerate() {
            for &b in positions.iter().skip(n + 1) {
                *shared.entry((a, b)).or_default() += 1;
            }
        }
    }
    let size = |position: usize| all.get(position).map_or(0, |shingles| shingles.0.len());
    shared
        .into_iter()
        .map(|((a, b), n)| ((a, b), jaccard(n, size(a), size(b))))
        .collect()
}

fn jaccard(shared: usize, a: usize, b: usize) -> f64 {
    let exact = |n: usize| u32::try_from(n).map_or(f64::INFINITY, f64::from);
    let union = a + b - shared;
    if union == 0 {
        0.0
    } else {
        exact(shared) / exact(union)
    }
}

/// FNV-1a, 64 bits: no key, so the same on every machine, and far from a collision at the sizes of a bank.
fn hash(words: &[String]) -> u64 {
    const OFFSET_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    let bytes = words.iter().flat_map(|word| word.bytes().chain([b' ']));
    bytes.fold(OFFSET_BASIS, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(PRIME)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn similarity(a: &str, b: &str) -> f64 {
        let pair = [Shingles::of([a]), Shingles::of([b])];
        similar_pairs(&pair).get(&(0, 1)).copied().unwrap_or(0.0)
    }

    #[test]
    fn the_index_is_shared_over_all() {
        // Runs of five: abcde, bcdef | bcdef, cdefg: one of three is shared.
        assert!((similarity("a b c d e f", "b c d e f g") - 1.0 / 3.0).abs() < 1e-9);
        assert!((similarity("One, two three.", "one two three") - 1.0).abs() < 1e-9);
        assert!(similarity("a b c d e", "v w x y z").abs() < 1e-9);
        assert!(similarity("", "").abs() < 1e-9);
    }

    #[test]
    fn pairs_are_named_by_position_and_strangers_are_left_out() {
        let texts = ["a b c d e f", "p q r s t", "c d e f g h", "b c d e f g"];
        let all: Vec<_> = texts.iter().map(|&text| Shingles::of([text])).collect();
        let pairs: Vec<_> = similar_pairs(&all).into_keys().collect();
        assert_eq!(pairs, [(0, 3), (2, 3)]);
    }

    #[test]
    fn several_texts_make_one_set() {
        let both = Shingles::of(["a b c d e", "v w x y z"]);
        let pairs = similar_pairs(&[both, Shingles::of(["a b c d e"])]);
        assert!((pairs[&(0, 1)] - 0.5).abs() < 1e-9);
    }
}
