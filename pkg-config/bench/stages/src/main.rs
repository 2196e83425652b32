//! The stages as a native program: `bench-stages BUNDLE`, then one request a line, each answered by a line of JSON.
//!
//! Requests: `inflate`, `hash`, `decode`, `check`; `join COUNT BATCH` joins so many checkpoints and times every batch of them.

#[cfg(target_arch = "wasm32")]
fn main() {}

#[cfg(not(target_arch = "wasm32"))]
fn main() -> Result<(), bench_stages::Failure> {
    use std::io::BufRead;

    let stages = bench_stages::Stages::load(&std::fs::read(std::env::args().nth(1).ok_or("which bundle?")?)?)?;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let answer = match line.split_whitespace().collect::<Vec<_>>().as_slice() {
            ["inflate"] => native::timed(|| stages.inflate())?,
            ["hash"] => native::timed(|| stages.hash())?,
            ["decode"] => native::timed(|| stages.decode())?,
            ["check"] => native::timed(|| stages.check())?,
            ["join", count, batch] => native::joined(&stages, count.parse()?, batch.parse()?)?,
            _ => return Err(format!("{line} is no request").into()),
        };
        println!("{answer}");
    }
    Ok(())
}

#[cfg(not(target_arch = "wasm32"))]
mod native {
    use std::time::Instant;

    use bench_stages::{Failure, Joins, Stages};
    use cpu_time::ProcessTime;

    pub fn timed(body: impl FnOnce() -> Result<u64, Failure>) -> Result<String, Failure> {
        let (wall, cpu) = (Instant::now(), ProcessTime::now());
        let bytes = body()?;
        let (wall, cpu) = (wall.elapsed().as_secs_f64() * 1e3, cpu.elapsed().as_secs_f64() * 1e3);
        Ok(format!(r#"{{"wallMs":{wall},"cpuMs":{cpu},"bytes":{bytes}}}"#))
    }

    pub fn joined(stages: &Stages, count: u32, batch: u32) -> Result<String, Failure> {
        let mut joins = Joins::new(&stages.last_segment()?)?;
        let (mut times, mut joined) = (Vec::new(), 0);
        for from in (0..count).step_by(usize::try_from(batch)?) {
            let size = batch.min(count - from);
            joins.prepare(size)?;
            let began = Instant::now();
            joined = joins.run()?;
            times.push(format!("{}", began.elapsed().as_secs_f64() * 1e9 / f64::from(size)));
        }
        Ok(format!(r#"{{"checkpoints":{joined},"joinNs":[{}]}}"#, times.join(",")))
    }
}
