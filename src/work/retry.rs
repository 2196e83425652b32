//! When a failed attempt is tried again (rules A.1, C).

/// Exponential backoff with jitter, as data: time and randomness come in as arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Attempts after the first.
    pub max_retries: u32,
    /// The first delay's ceiling. Too low hammers an archive that is already struggling.
    pub min_delay_ms: u64,
    /// The last delay's ceiling. Too high looks like a hang.
    pub max_delay_ms: u64,
}

impl Default for RetryPolicy {
    /// stellar-archivist's: 3 retries, 100 ms to 30 s.
    fn default() -> Self {
        Self { max_retries: 3, min_delay_ms: 100, max_delay_ms: 30_000 }
    }
}

impl RetryPolicy {
    /// The delay before retry number `retry` (from 0); `None` once they are used up. `jitter` is in 0..=1 and picks from
    /// the upper half of the ceiling, so that many clients do not come back at once.
    #[must_use]
    pub fn delay_ms(&self, retry: u32, jitter_thousandths: u64) -> Option<u64> {
        if retry >= self.max_retries {
            return None;
        }
        let factor = 1u64.checked_shl(retry).unwrap_or(u64::MAX);
        let ceiling = self.min_delay_ms.saturating_mul(factor).min(self.max_delay_ms);
        Some(ceiling / 2 + ceiling / 2 * jitter_thousandths.min(1000) / 1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_ceiling_and_end() {
        let policy = RetryPolicy { max_retries: 4, min_delay_ms: 100, max_delay_ms: 300 };
        let delays: Vec<_> = (0..5).map(|retry| policy.delay_ms(retry, 1000)).collect();
        assert_eq!(delays, [Some(100), Some(200), Some(300), Some(300), None]);
        assert_eq!(policy.delay_ms(1, 0), Some(100));
        assert_eq!(RetryPolicy { max_retries: u32::MAX, ..policy }.delay_ms(500, 0), Some(150));
    }
}
