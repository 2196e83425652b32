//! A [`Host`] for native programs and tests, over std: the clock, sleeping threads, a flag to cancel with.

use core::pin::Pin;
use core::task::{Context, Poll};
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use futures_util::future::{LocalBoxFuture, ready};

use super::Host;
use crate::archive::time::iso_8601;

/// The platform that this program runs on. Clones share the flag.
#[derive(Clone, Debug)]
pub struct NativeHost {
    started: Instant,
    cancelled: Arc<AtomicBool>,
}

impl Default for NativeHost {
    fn default() -> Self {
        Self { started: Instant::now(), cancelled: Arc::default() }
    }
}

impl NativeHost {
    /// Stops the run, from any thread.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }
}

impl Host for NativeHost {
    fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn timestamp(&self) -> String {
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        iso_8601(seconds)
    }

    fn jitter_thousandths(&self) -> u64 {
        RandomState::new().hash_one(self.now_ms()) % 1001
    }

    fn sleep(&self, ms: u64) -> LocalBoxFuture<'static, ()> {
        Box::pin(Sleep { until: Instant::now().checked_add(Duration::from_millis(ms)), thread_runs: Arc::default() })
    }

    fn yield_now(&self) -> LocalBoxFuture<'static, ()> {
        Box::pin(ready(()))
    }

    fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    fn cancelled(&self) -> LocalBoxFuture<'static, ()> {
        let cancelled = Arc::clone(&self.cancelled);
        Box::pin(core::future::poll_fn(move |_| if cancelled.load(Ordering::Relaxed) { Poll::Ready(()) } else { Poll::Pending }))
    }
}

/// Wakes its task from a thread of its own, which is made only for those that really wait.
struct Sleep {
    until: Option<Instant>,
    thread_runs: Arc<AtomicBool>,
}

/// Threads of sleeps that nobody waits for any more end after that.
const LONGEST_NAP: Duration = Duration::from_secs(1);

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let Some(until) = self.until else { return Poll::Pending };
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Poll::Ready(());
        }
        if !self.thread_runs.swap(true, Ordering::Relaxed) {
            let (waker, runs) = (context.waker().clone(), Arc::clone(&self.thread_runs));
            thread::spawn(move || {
                thread::sleep(left.min(LONGEST_NAP));
                runs.store(false, Ordering::Relaxed);
                waker.wake();
            });
        }
        Poll::Pending
    }
}
