//! When a failed attempt is tried again: stellar-core's retry counts and backoff (rules A.1). It neither waits nor throws
//! dice: time and randomness come in as arguments.

/// Exponential backoff with jitter, as data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Attempts after the first.
    pub max_retries: u32,
    /// The first delay and the unit of the others, in milliseconds. Too low hammers an archive that is already struggling.
    pub min_delay_ms: u64,
    /// No delay is longer, in milliseconds. Too high looks like a hang.
    pub max_delay_ms: u64,
}

impl Default for RetryPolicy {
    /// stellar-archivist's: 3 retries, 100 ms to 30 s.
    fn default() -> Self {
        Self { max_retries: 3, min_delay_ms: 100, max_delay_ms: 30_000 }
    }
}

impl RetryPolicy {
    /// Fails at once: for what would fail again on the same input.
    pub const NEVER: Self = Self::stellar_core(0);
    /// One retry.
    pub const ONCE: Self = Self::stellar_core(1);
    /// Five retries.
    pub const A_FEW: Self = Self::stellar_core(5);
    /// Thirty-two retries: for downloads.
    pub const A_LOT: Self = Self::stellar_core(32);

    const fn stellar_core(max_retries: u32) -> Self {
        Self { max_retries, min_delay_ms: 1000, max_delay_ms: 512_000 }
    }

    /// The delay in milliseconds before retry number `retry` (from 0); `None` once they are used up. `jitter_thousandths`
    /// is in 0..=1000 and picks linearly from the upper half of the ceiling, so that many clients do not come back at once.
    #[must_use]
    pub fn delay_ms(&self, retry: u32, jitter_thousandths: u64) -> Option<u64> {
        if retry >= self.max_retries {
            return None;
        }
        let unit = self.min_delay_ms;
        let upper = unit.saturating_mul(1 << retry.min(MAX_DOUBLINGS)).min(self.max_delay_ms);
        let lower = if upper < unit.saturating_mul(2) { unit } else { (upper / 2).saturating_add(unit) }.min(upper);
        let (span, jitter) = (upper - lower, jitter_thousandths.min(1000));
        // Whole and rest apart: their product with the jitter cannot overflow.
        Some(lower + span / 1000 * jitter + span % 1000 * jitter / 1000)
    }
}

const MAX_DOUBLINGS: u32 = 9;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_are_those_of_stellar_core() {
        let delays = |jitter| (0..12).filter_map(|retry| RetryPolicy::A_LOT.delay_ms(retry, jitter)).collect::<Vec<_>>();
        assert_eq!(delays(0), [1, 2, 3, 5, 9, 17, 33, 65, 129, 257, 257, 257].map(|seconds| seconds * 1000));
        assert_eq!(delays(1000), [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 512, 512].map(|seconds| seconds * 1000));
        assert_eq!(RetryPolicy::A_FEW.delay_ms(3, 500), Some(6500));
    }

    #[test]
    fn retries_are_used_up() {
        let counts = [RetryPolicy::NEVER, RetryPolicy::ONCE, RetryPolicy::A_FEW, RetryPolicy::A_LOT]
            .map(|policy| (0..100).filter(|retry| policy.delay_ms(*retry, 0).is_some()).count());
        assert_eq!(counts, [0, 1, 5, 32]);
    }

    #[test]
    fn delays_end_at_the_maximum() {
        let policy = RetryPolicy { max_retries: 4, min_delay_ms: 100, max_delay_ms: 300 };
        let delays = |jitter| (0..5).map(|retry| policy.delay_ms(retry, jitter)).collect::<Vec<_>>();
        assert_eq!(delays(1000), [Some(100), Some(200), Some(300), Some(300), None]);
        assert_eq!(delays(0), [Some(100), Some(200), Some(250), Some(250), None]);
        assert_eq!(RetryPolicy { min_delay_ms: 500, ..policy }.delay_ms(0, 0), Some(300), "even if the unit is above it");
    }

    #[test]
    fn no_input_overflows() {
        for (min_delay_ms, max_delay_ms) in
            [(0, 0), (0, u64::MAX), (1, u64::MAX), (u64::MAX, 0), (u64::MAX, u64::MAX), (u64::MAX / 2, u64::MAX)]
        {
            let policy = RetryPolicy { max_retries: u32::MAX, min_delay_ms, max_delay_ms };
            for retry in [0, 1, 9, 63, 64, u32::MAX - 1] {
                let delays = [0, 1, 500, 999, 1000, u64::MAX].map(|jitter| policy.delay_ms(retry, jitter));
                assert!(
                    delays[0].is_some() && delays.is_sorted() && delays[5] <= Some(max_delay_ms) && delays[4] == delays[5],
                    "{policy:?} {retry}"
                );
            }
        }
    }
}
