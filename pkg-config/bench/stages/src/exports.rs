//! The stages as plain WebAssembly: numbers in, numbers out, no glue. Only programs/stages.mjs calls it.
//!
//! A failure traps; its words are at `message`, of `message_length` bytes.

use std::sync::Mutex;

use crate::{Failure, Joins, Stages};

static STAGES: Mutex<Option<Stages>> = Mutex::new(None);
static JOINS: Mutex<Option<Joins>> = Mutex::new(None);
static BUNDLE: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static MESSAGE: Mutex<String> = Mutex::new(String::new());

/// Room for a bundle of that size.
#[unsafe(no_mangle)]
extern "C" fn room(length: usize) -> *mut u8 {
    let mut bundle = BUNDLE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    *bundle = vec![0; length];
    bundle.as_mut_ptr()
}

/// Takes what was written there.
#[unsafe(no_mangle)]
extern "C" fn load() {
    told((|| {
        let bundle = std::mem::take(&mut *lock(&BUNDLE)?);
        *lock(&STAGES)? = Some(Stages::load(&bundle)?);
        Ok(())
    })());
}

/// 0 inflate, 1 hash, 2 decode, 3 check; gives the bytes it went over.
#[unsafe(no_mangle)]
extern "C" fn stage(which: u32) -> f64 {
    told((|| {
        let guard = lock(&STAGES)?;
        let stages = guard.as_ref().ok_or("nothing is loaded")?;
        let bytes = match which {
            0 => stages.inflate(),
            1 => stages.hash(),
            2 => stages.decode(),
            _ => stages.check(),
        }?;
        Ok(bytes as f64)
    })())
}

/// Begins a new chain of joins.
#[unsafe(no_mangle)]
extern "C" fn join_begin() {
    told((|| {
        let pattern = lock(&STAGES)?.as_ref().ok_or("nothing is loaded")?.last_segment()?;
        *lock(&JOINS)? = Some(Joins::new(&pattern)?);
        Ok(())
    })());
}

/// Makes the next segments.
#[unsafe(no_mangle)]
extern "C" fn join_prepare(count: u32) {
    told((|| lock(&JOINS)?.as_mut().ok_or("no joins")?.prepare(count))());
}

/// Joins them; gives how many checkpoints are joined by now.
#[unsafe(no_mangle)]
extern "C" fn join_run() -> f64 {
    told((|| Ok(lock(&JOINS)?.as_mut().ok_or("no joins")?.run()? as f64))())
}

/// Where the words of a failure are.
#[unsafe(no_mangle)]
extern "C" fn message() -> *const u8 {
    MESSAGE.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).as_ptr()
}

/// How many bytes they are.
#[unsafe(no_mangle)]
extern "C" fn message_length() -> usize {
    MESSAGE.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).len()
}

fn lock<T>(mutex: &'static Mutex<T>) -> Result<std::sync::MutexGuard<'static, T>, Failure> {
    mutex.lock().map_err(|_| "a failure before this one".into())
}

fn told<T>(outcome: Result<T, Failure>) -> T {
    outcome.unwrap_or_else(|failure| {
        *MESSAGE.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = failure.to_string();
        core::arch::wasm32::unreachable()
    })
}
