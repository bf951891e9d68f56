//! Seeds form a tree, so that a new draw in one place moves no draw in another.
//!
//! `Seed::root(b"…").child("account").child("jitter")` names a place in the tree; each place has its own stream of numbers. Every
//! decision that should look random is drawn from here, so that repeating it (a tick that runs twice, a retry after a crash) repeats
//! the decision (decision 29).

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use sha2::{Digest, Sha256};

/// A node of the seed tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seed([u8; 32]);

impl Seed {
    /// The root of a tree: `material` is whatever tells one deployment, account or run from another.
    pub fn root(material: &[u8]) -> Self {
        Self(Sha256::digest(material).into())
    }

    /// The child of this node that `label` names.
    #[must_use]
    pub fn child(&self, label: &str) -> Self {
        self.child_bytes(label, &[])
    }

    /// The child named by `label` and `bytes`, such as an id.
    #[must_use]
    pub fn child_bytes(&self, label: &str, bytes: &[u8]) -> Self {
        let mut hash = Sha256::new();
        hash.update(self.0);
        hash.update((label.len() as u64).to_be_bytes());
        hash.update(label.as_bytes());
        hash.update(bytes);
        Self(hash.finalize().into())
    }

    /// A generator over this node, the same each time it is asked for.
    pub fn rng(&self) -> SeedRng {
        SeedRng(ChaCha8Rng::from_seed(self.0))
    }

    /// A number in `0..n`, each equally likely to within 2⁻⁶⁴; 0 when `n` is 0.
    pub fn below(&self, n: u64) -> u64 {
        self.rng().below(n)
    }

    /// One of `pool`, each equally likely; nothing if there is none.
    pub fn pick<'p, T>(&self, pool: &'p [T]) -> Option<&'p T> {
        let n = u64::try_from(pool.len()).ok()?;
        pool.get(usize::try_from(self.below(n)).ok()?)
    }

    /// A number in [0, 1).
    pub fn unit(&self) -> f64 {
        self.rng().unit()
    }

    /// True with probability `p` (0 and below: never; 1 and above: always).
    pub fn chance(&self, p: f64) -> bool {
        self.unit() < p
    }

    /// Bits for an id.
    pub fn entropy(&self) -> u128 {
        self.rng().entropy()
    }
}

/// The stream of numbers of one seed.
#[derive(Clone, Debug)]
pub struct SeedRng(ChaCha8Rng);

impl SeedRng {
    /// The next 64 bits.
    // Not an iterator: the stream has no end.
    #[expect(
        clippy::should_implement_trait,
        reason = "an endless stream of u64 is no Iterator"
    )]
    pub fn next(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// The next number in `0..n`; 0 when `n` is 0.
    pub fn below(&mut self, n: u64) -> u64 {
        // Lemire's multiply-shift: the bias of 2⁻⁶⁴ · n is far below anything these decisions can show.
        let wide = u128::from(self.next()) * u128::from(n);
        u64::try_from(wide >> 64).unwrap_or(0)
    }

    /// Bits for the next id.
    pub fn entropy(&mut self) -> u128 {
        (u128::from(self.next()) << 64) | u128::from(self.next())
    }

    /// The next number in [0, 1).
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit f64 exactly")]
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// `bits` mixed into 64 that are as good as random (the finalizer of `SplitMix64`, twice): for spreading load and fair tie-breaks by
/// id, where a seed's hash would cost more than what it decides.
pub fn scattered(bits: u128) -> u64 {
    let mix = |mut x: u64| {
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    };
    let high = u64::try_from(bits >> 64).unwrap_or(0);
    let low = u64::try_from(bits & u128::from(u64::MAX)).unwrap_or(0);
    mix(mix(high) ^ low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_in_one_place_moves_no_draw_in_another() {
        let root = Seed::root(b"test");
        let (a, b) = (root.child("a"), root.child("b"));
        let before = b.below(1_000_000);
        let mut stream = a.rng();
        let _ = (stream.next(), stream.next());

        assert_eq!(b.below(1_000_000), before);
        assert_ne!(a.below(1_000_000), before);
    }

    #[test]
    fn labels_do_not_run_into_their_bytes() {
        let root = Seed::root(b"test");
        assert_ne!(root.child_bytes("ab", b"c"), root.child_bytes("a", b"bc"));
    }

    #[test]
    fn draws_stay_in_range_and_chance_honours_its_ends() {
        let root = Seed::root(b"test");
        for n in 0..200_u64 {
            let node = root.child_bytes("n", &n.to_be_bytes());
            assert!(node.below(7) < 7);
            assert!((0.0..1.0).contains(&node.unit()));
            assert!(node.chance(1.0) && !node.chance(0.0));
        }
        assert_eq!(root.below(0), 0);
    }
}
