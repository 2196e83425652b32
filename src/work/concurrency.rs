//! How many requests may be under way at once: a concurrency limit that is fixed, or adapts to what the way carries.
//!
//! What it is: slow start as long as more requests at once bring more, then a hold at what was enough, with a probe from time to
//! time; additive increase and multiplicative decrease (AIMD) where a host refuses. A round of requests is judged at a time, by how
//! much it brought a second, and only if the limit is what held it back. What it is not: a clock (times are arguments, and the same
//! answers at the same times give the same limits), or the rests that hosts ask for, which hold whatever the limit is (rules E 31).
//!
//! Why not by latency alone, as TCP Vegas: what an archive's cache has comes many times as fast as what it has not, which is no sign
//! of a queue. Latency only counts where more of it came with no more throughput.

/// How many requests are wanted at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Concurrency {
    /// As many as bring more.
    Adaptive {
        /// To begin with.
        first: usize,
        /// Never more than these.
        most: usize,
    },
    /// So many, neither more nor fewer.
    Fixed(usize),
}

impl Concurrency {
    /// How many to begin with; at least 1.
    #[must_use]
    pub fn first(self) -> usize {
        match self {
            Self::Adaptive { first, .. } | Self::Fixed(first) => first.max(1),
        }
    }

    /// The share of one of some threads: together they ask no more at once than one alone would.
    #[must_use]
    pub fn shared_by(self, threads: usize) -> Self {
        let share = |all: usize| all.div_ceil(threads.max(1)).max(1);
        match self {
            Self::Adaptive { first, most } => Self::Adaptive { first: share(first), most: share(most) },
            Self::Fixed(files) => Self::Fixed(share(files)),
        }
    }
}

impl From<usize> for Concurrency {
    fn from(files: usize) -> Self {
        Self::Fixed(files)
    }
}

/// How a request ended, as far as it says something of the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was answered.
    Answered {
        /// Milliseconds until the answer began.
        waited_ms: u64,
        /// What it brought.
        bytes: u64,
    },
    /// The host asks for fewer requests, or does not keep up with them.
    Refused,
}

/// Shorter rounds than this say more of the clock than of the way.
const SHORTEST_ROUND_MS: u64 = 50;
/// A round that brought so many hundredths of the best before has gained by its higher limit (BBR's measure of a pipe that is not full).
const GAIN: u64 = 125;
/// Rounds without a gain before the limit goes back to where the last one was. The first still has requests of the round before.
const STALE: u32 = 2;
/// Rounds between two probes.
const PROBE_AFTER: u32 = 16;
/// The same where answers begin as soon as the fastest ever did: nothing queues, so the way has room.
const PROBE_QUIET_AFTER: u32 = 2;
/// Rounds without a refusal before it is forgotten: a host that was short of breath once is not for ever. Twice as many each time.
const FORGIVEN_AFTER: u32 = 64;
/// Waiting that doubles by less than this is noise.
const NOISE_MS: u64 = 10;

/// The limit of one class of work.
#[derive(Clone, Debug)]
pub struct ConcurrencyLimit {
    limit: usize,
    first: usize,
    most: usize,
    adapts: bool,
    phase: Phase,
    round: Round,
    /// The least that any answer was waited for.
    least_ms: u64,
    /// Requests that were begun before say nothing new.
    backed_off_ms: Option<u64>,
    /// Rounds before the next refusal is forgotten.
    forgiven_after: u32,
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    /// The limit grows as long as that brings more than `best`, which came with the limit `enough`.
    SlowStart { best: Rate, enough: usize, stale: u32 },
    /// The limit stays.
    Hold { rate: Rate, least_wait_ms: u64, rounds: u32 },
    /// A host refused: one more a round, below where that was.
    Avoidance { ceiling: usize, rounds: u32 },
}

/// What a round brought. Latency limits how many answers come, whatever their size, and bandwidth how many bytes: so a gain is one of
/// either.
#[derive(Clone, Copy, Debug, Default)]
struct Rate {
    /// Answers in a thousand seconds.
    answers: u64,
    /// Bytes a second.
    bytes: u64,
}

impl Rate {
    fn gains_on(self, other: Self) -> bool {
        let gains = |one: u64, other: u64| one.saturating_mul(100) >= other.saturating_mul(GAIN);
        gains(self.answers, other.answers) || gains(self.bytes, other.bytes)
    }

    fn or_more(self, other: Self) -> Self {
        Self { answers: self.answers.max(other.answers), bytes: self.bytes.max(other.bytes) }
    }

    fn average(self, newest: Self) -> Self {
        let average = |one: u64, newest: u64| one.saturating_mul(3).saturating_add(newest) / 4;
        Self { answers: average(self.answers, newest.answers), bytes: average(self.bytes, newest.bytes) }
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Round {
    since_ms: Option<u64>,
    ended: usize,
    /// Of those, how many ended while as many were under way as may be.
    full: usize,
    bytes: u64,
    waited_ms: u64,
}

impl ConcurrencyLimit {
    /// A limit that adapts, or does not. Limits of 0 count as 1.
    #[must_use]
    pub fn new(concurrency: Concurrency) -> Self {
        let first = concurrency.first();
        let (most, adapts) = match concurrency {
            Concurrency::Adaptive { most, .. } => (most.max(first), true),
            Concurrency::Fixed(_) => (first, false),
        };
        let phase = Phase::SlowStart { best: Rate::default(), enough: first, stale: 0 };
        Self {
            limit: first,
            first,
            most,
            adapts,
            phase,
            round: Round::default(),
            least_ms: u64::MAX,
            backed_off_ms: None,
            forgiven_after: FORGIVEN_AFTER,
        }
    }

    /// How many may be under way now.
    #[must_use]
    pub const fn limit(&self) -> usize {
        self.limit
    }

    /// Takes how a request ended that was begun at `began_ms`. `under_way` counts it and those that have not ended.
    pub fn ended(&mut self, outcome: Outcome, began_ms: u64, under_way: usize, now_ms: u64) {
        if !self.adapts {
            return;
        }
        match outcome {
            Outcome::Answered { waited_ms, bytes } => self.answered(waited_ms, bytes, began_ms, under_way, now_ms),
            Outcome::Refused if self.backed_off_ms.is_some_and(|since| began_ms < since) => {}
            Outcome::Refused => self.back_off(now_ms),
        }
    }

    fn answered(&mut self, waited_ms: u64, bytes: u64, began_ms: u64, under_way: usize, now_ms: u64) {
        self.least_ms = self.least_ms.min(waited_ms);
        let since_ms = *self.round.since_ms.get_or_insert(began_ms);
        self.round.ended += 1;
        self.round.full += usize::from(under_way >= self.limit);
        self.round.bytes = self.round.bytes.saturating_add(bytes);
        self.round.waited_ms = self.round.waited_ms.saturating_add(waited_ms);
        let elapsed_ms = now_ms.saturating_sub(since_ms);
        if self.round.ended < self.limit || elapsed_ms < SHORTEST_ROUND_MS {
            return;
        }
        let Round { ended, full, bytes, waited_ms, .. } = self.next_round(now_ms);
        // Where there was not enough to ask for, it was not the limit that decided.
        if full.saturating_mul(2) >= ended {
            let answers = u64::try_from(ended).unwrap_or(u64::MAX);
            let a_second = |count: u64| count.saturating_mul(1000) / elapsed_ms.max(1);
            self.judge(Rate { answers: a_second(answers.saturating_mul(1000)), bytes: a_second(bytes) }, waited_ms / answers.max(1));
        }
    }

    fn next_round(&mut self, now_ms: u64) -> Round {
        core::mem::replace(&mut self.round, Round { since_ms: Some(now_ms), ..Round::default() })
    }

    fn judge(&mut self, rate: Rate, wait_ms: u64) {
        match &mut self.phase {
            Phase::SlowStart { best, enough, stale } => {
                if rate.gains_on(*best) {
                    (*best, *enough, *stale) = (rate.or_more(*best), self.limit, 0);
                    if self.limit < self.most {
                        self.limit = self.limit.saturating_mul(2).min(self.most);
                        return;
                    }
                } else {
                    *stale += 1;
                    if *stale < STALE {
                        return;
                    }
                }
                let rate = rate.or_more(*best);
                self.limit = *enough;
                self.phase = Phase::Hold { rate, least_wait_ms: wait_ms, rounds: 0 };
            }
            Phase::Hold { rate: average, least_wait_ms, rounds } => {
                *rounds += 1;
                let slower = wait_ms > least_wait_ms.saturating_mul(2).saturating_add(NOISE_MS)
                    && rate.answers < average.answers
                    && rate.bytes < average.bytes;
                *least_wait_ms = wait_ms.min(*least_wait_ms);
                let quiet = wait_ms <= self.least_ms.saturating_add(self.least_ms / 4).saturating_add(NOISE_MS);
                let probe_after = if quiet { PROBE_QUIET_AFTER } else { PROBE_AFTER };
                *average = average.average(rate);
                if slower {
                    // What was always allowed stays allowed: only a refusal goes below.
                    self.limit = self.first.min(self.limit).max(self.limit.saturating_mul(3) / 4);
                    *rounds = 0;
                } else if *rounds >= probe_after && self.limit < self.most {
                    let (best, enough) = (*average, self.limit);
                    self.limit = self.limit.saturating_add(self.limit.div_ceil(2)).min(self.most);
                    self.phase = Phase::SlowStart { best, enough, stale: 0 };
                }
            }
            Phase::Avoidance { ceiling, rounds } => {
                *rounds += 1;
                self.limit = self.limit.saturating_add(1).min(*ceiling);
                if *rounds >= self.forgiven_after {
                    self.forgiven_after = self.forgiven_after.saturating_mul(2);
                    self.phase = Phase::Hold { rate, least_wait_ms: wait_ms, rounds: 0 };
                }
            }
        }
    }

    fn back_off(&mut self, now_ms: u64) {
        let ceiling = self.limit.saturating_sub(1).max(1);
        self.limit = (self.limit / 2).max(1);
        self.phase = Phase::Avoidance { ceiling, rounds: 0 };
        self.backed_off_ms = Some(now_ms);
        self.next_round(now_ms);
    }
}
