//! The work scheduler: its rules by example, and against a naive model over random work, outcomes and aborts.

#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::LazyLock;

use proptest::prelude::{Just, ProptestConfig, any, prop_oneof, proptest};
use proptest::strategy::Strategy;
use stellar_archive_verifier::work::WorkState::{Aborted, Aborting, Blocked, Failure, Pending, Retrying, Running, Success, Waiting};
use stellar_archive_verifier::work::{
    AddError, Family, OnChildFailure, Ran, RetryPolicy, Started, WorkClass, WorkCounts, WorkId, WorkScheduler, WorkSpec, WorkState,
};

const CPU: WorkClass = WorkClass("cpu");
const NET: WorkClass = WorkClass("net");
const FAILED: Ran = Ran::Failure { retry: true, at_least_ms: 0 };
const GAVE_UP: Ran = Ran::Failure { retry: false, at_least_ms: 0 };

type Plain = WorkScheduler<()>;

fn unlimited() -> Plain {
    WorkScheduler::new([])
}

fn spec(name: &str) -> WorkSpec {
    WorkSpec::new("item", name, CPU)
}

fn start(work: &mut Plain) -> Started<()> {
    work.start_next(0).expect("something is ready")
}

fn end(work: &mut Plain, id: WorkId, ran: Ran) -> WorkState {
    work.ended(id, (), ran, 0, 0).unwrap()
}

/// A started parent with the named children, all of them added and, if told so, started too.
fn family(work: &mut Plain, parent: WorkSpec, names: &[&str], started: bool) -> (WorkId, Vec<WorkId>) {
    let parent = work.add(parent, ()).unwrap();
    assert_eq!(start(work).id, parent);
    let children: Vec<_> = names.iter().map(|name| work.add_child(parent, spec(name), ()).unwrap()).collect();
    assert_eq!(end(work, parent, Ran::Waiting), Waiting);
    for child in children.iter().filter(|_| started) {
        assert_eq!(start(work).id, *child);
    }
    (parent, children)
}

#[test]
fn the_first_added_starts_first_and_limits_hold_by_class() {
    let mut work = WorkScheduler::new([(NET, 0), (CPU, 2)]);
    let add = |work: &mut Plain, class| work.add(WorkSpec::new("item", "", class), ()).unwrap();
    let ids = [NET, NET, CPU, CPU, CPU, WorkClass("free")].map(|class| add(&mut work, class));
    let started: Vec<_> = core::iter::from_fn(|| work.start_next(0)).map(|started| started.id).collect();
    assert_eq!(started, [ids[0], ids[2], ids[3], ids[5]], "a limit of 0 counts as 1");
    end(&mut work, ids[2], Ran::Waiting);
    assert_eq!(start(&mut work).id, ids[4], "what waits takes no room");
    end(&mut work, ids[0], Ran::Success);
    assert_eq!(start(&mut work).id, ids[1]);
}

#[test]
fn a_dependent_starts_only_after_all_it_depends_on_succeeded() {
    let mut work = unlimited();
    let [first, second] = ["a", "b"].map(|name| work.add(spec(name), ()).unwrap());
    let last = work.add(spec("c").after(first).after(second).after(first), ()).unwrap();
    assert_eq!(work.state(last), Some(Blocked));
    for id in [first, second] {
        assert_eq!(start(&mut work).id, id);
    }
    assert!(work.start_next(0).is_none());
    end(&mut work, second, Ran::Success);
    assert_eq!(work.state(last), Some(Blocked));
    end(&mut work, first, Ran::Success);
    assert_eq!(start(&mut work).id, last);
    let late = work.add(spec("d").after(first), ()).unwrap();
    assert_eq!(work.state(late), Some(Pending), "what succeeded does not block");
}

#[test]
fn what_depends_on_a_failure_is_aborted_and_never_starts() {
    let mut work = unlimited();
    let first = work.add(spec("a"), ()).unwrap();
    let mut chain = vec![first];
    for _ in 0..100_000 {
        chain.push(work.add(spec("next").after(*chain.last().unwrap()), ()).unwrap());
    }
    start(&mut work);
    assert_eq!(end(&mut work, first, FAILED), Failure);
    assert!(chain[1..].iter().all(|id| work.state(*id) == Some(Aborted)));
    assert!(work.is_done());
    let late = work.add(spec("late").after(first), ()).unwrap();
    assert_eq!(work.state(late), Some(Aborted));
}

#[test]
fn unknown_and_forgotten_dependencies_and_parents_are_refused() {
    let mut work = unlimited();
    let (parent, children) = family(&mut work, spec("parent"), &["a"], true);
    end(&mut work, children[0], Ran::Success);
    assert_eq!(work.add_child(parent, spec("b"), ()), Err(AddError::ParentNotRunning), "it was woken");
    start(&mut work);
    assert_eq!(work.add_child(parent, spec("b").after(children[0]), ()), Err(AddError::UnknownDependency));
    assert_eq!(work.add_child(children[0], spec("b"), ()), Err(AddError::UnknownParent));
    assert_eq!(work.add(spec("b").after(children[0]), ()), Err(AddError::UnknownDependency));
    end(&mut work, parent, Ran::Success);
    assert_eq!(work.add_child(parent, spec("b"), ()), Err(AddError::ParentNotRunning));
    assert_eq!(work.progress()["item"], WorkCounts { success: 2, ..WorkCounts::default() }, "refused ones do not count");
}

#[test]
fn a_child_cannot_depend_on_what_waits_for_its_parent() {
    let mut work = unlimited();
    let top = work.add(spec("top"), ()).unwrap();
    let after_top = work.add(spec("after top").after(top), ()).unwrap();
    let other = work.add(spec("other"), ()).unwrap();
    start(&mut work);
    let parent = work.add_child(top, spec("parent"), ()).unwrap();
    let aunt = work.add_child(top, spec("aunt"), ()).unwrap();
    let cousin = work.add_child(top, spec("cousin").after(parent), ()).unwrap();
    assert_eq!([start(&mut work).id, start(&mut work).id], [other, parent]);
    for awaiting in [top, after_top, parent, cousin] {
        assert_eq!(work.add_child(parent, spec("a").after(awaiting), ()), Err(AddError::CircularDependency));
    }
    let child = work.add_child(parent, spec("a").after(aunt).after(other), ()).unwrap();
    assert_eq!(work.state(child), Some(Blocked));
}

#[test]
fn names_are_unique_among_the_unfinished_children_of_one_parent() {
    let mut work = unlimited();
    let (parent, children) = family(&mut work, spec("parent"), &["a"], true);
    assert_eq!(work.add_child(parent, spec("a"), ()), Err(AddError::DuplicateName));
    work.add_child(children[0], spec("a"), ()).unwrap();
    work.add(spec("parent"), ()).unwrap();
    let mut work = unlimited();
    let (parent, children) = family(&mut work, spec("parent"), &["a"], true);
    end(&mut work, children[0], Ran::Success);
    start(&mut work);
    work.add_child(parent, spec("a"), ()).unwrap();
}

#[test]
fn a_child_that_ends_wakes_its_parent_and_is_forgotten() {
    let mut work = unlimited();
    let (parent, children) = family(&mut work, spec("parent"), &["a", "b"], true);
    assert_eq!(end(&mut work, children[0], Ran::Success), Success);
    assert_eq!((work.state(children[0]), work.state(parent)), (None, Some(Pending)));
    assert_eq!(start(&mut work).family, Family { unfinished: 1, succeeded: 1, ..Family::default() });
    end(&mut work, children[1], Ran::Success);
    assert_eq!(end(&mut work, parent, Ran::Waiting), Pending, "the end of the second is remembered");
    assert_eq!(start(&mut work).family, Family { succeeded: 2, ..Family::default() });
    assert_eq!(end(&mut work, parent, Ran::Success), Success);
}

#[test]
fn a_wake_up_while_running_is_remembered_once() {
    let mut work = unlimited();
    let id = work.add(spec("a"), ()).unwrap();
    work.wake(id);
    start(&mut work);
    work.wake(id);
    assert_eq!(end(&mut work, id, Ran::Waiting), Pending);
    start(&mut work);
    assert_eq!(end(&mut work, id, Ran::Waiting), Waiting);
    work.wake(id);
    start(&mut work);
    assert_eq!(end(&mut work, id, Ran::Running), Pending);
}

#[test]
fn retries_come_when_the_policy_says_and_running_uses_up_none() {
    let policy = RetryPolicy { max_retries: 2, min_delay_ms: 1000, max_delay_ms: 512_000 };
    let mut work = unlimited();
    let id = work.add(spec("a").retrying(policy), ()).unwrap();
    for ran in [Ran::Running; 5] {
        assert_eq!(start(&mut work).retry, 0);
        end(&mut work, id, ran);
    }
    start(&mut work);
    assert_eq!(work.ended(id, (), FAILED, 10, 1000), Ok(Retrying));
    assert_eq!(work.next_due_ms(), Some(1010));
    assert!(work.start_next(1009).is_none());
    assert_eq!(work.start_next(1010).unwrap().retry, 1);
    assert_eq!(work.next_due_ms(), None);
    assert_eq!(work.ended(id, (), Ran::Failure { retry: true, at_least_ms: 7000 }, 2000, 0), Ok(Retrying));
    assert_eq!(work.next_due_ms(), Some(9000), "at least as long as asked for");
    assert_eq!(work.start_next(u64::MAX).unwrap().retry, 2);
    assert_eq!(work.ended(id, (), FAILED, u64::MAX, 0), Ok(Failure));
}

#[test]
fn a_failure_that_wants_no_retry_gets_none() {
    let mut work = unlimited();
    let id = work.add(spec("a").retrying(RetryPolicy::A_LOT), ()).unwrap();
    start(&mut work);
    assert_eq!(end(&mut work, id, GAVE_UP), Failure);
}

#[test]
fn a_failed_child_aborts_its_siblings_and_then_fails_its_parent() {
    let mut work = unlimited();
    let (parent, children) = family(&mut work, spec("parent"), &["a", "b"], true);
    let after_a = [parent].map(|parent| work.add_child(parent, spec("c").after(children[0]), ()).unwrap());
    assert_eq!(end(&mut work, children[0], GAVE_UP), Failure);
    assert_eq!(work.state(after_a[0]), None);
    assert_eq!((work.state(parent), work.state(children[1])), (Some(Waiting), Some(Aborting)));
    work.wake(parent);
    assert!(work.start_next(0).is_none(), "a parent that is to fail does not run again");
    let late = work.add_child(parent, spec("late"), ()).unwrap();
    assert_eq!(work.state(late), None, "nor get more children");
    assert_eq!(end(&mut work, children[1], Ran::Success), Aborted);
    assert_eq!(work.state(parent), Some(Failure));
    assert_eq!(work.progress()["item"], WorkCounts { failure: 2, aborted: 3, ..WorkCounts::default() });
}

#[test]
fn a_parent_that_runs_or_is_ready_when_a_child_fails_cannot_succeed() {
    for woken in [false, true] {
        let mut work = unlimited();
        let (parent, children) = family(&mut work, spec("parent"), &["a"], true);
        work.wake(parent);
        if woken {
            end(&mut work, children[0], FAILED);
        } else {
            start(&mut work);
            end(&mut work, children[0], FAILED);
            assert_eq!(end(&mut work, parent, Ran::Success), Failure);
        }
        assert_eq!(work.state(parent), Some(Failure));
    }
}

#[test]
fn a_parent_is_retried_with_an_empty_family() {
    let mut work = unlimited();
    let (parent, children) = family(&mut work, spec("parent").retrying(RetryPolicy::ONCE), &["a", "b"], true);
    end(&mut work, children[0], Ran::Success);
    work.ended(children[1], (), GAVE_UP, 5, 0).unwrap();
    assert_eq!((work.state(parent), work.next_due_ms()), (Some(Retrying), Some(1005)));
    let again = work.start_next(1005).unwrap();
    assert_eq!((again.retry, again.family), (1, Family::default()));
}

#[test]
fn a_parent_that_may_have_failing_children_goes_on() {
    let mut work = unlimited();
    let (parent, children) = family(&mut work, spec("parent").with_failing_children(), &["a", "b"], true);
    let after_a = work.add_child(parent, spec("c").after(children[0]), ()).unwrap();
    end(&mut work, children[0], GAVE_UP);
    assert_eq!(work.state(after_a), None);
    assert_eq!(start(&mut work).family, Family { unfinished: 1, succeeded: 0, failed: 1, aborted: 1 });
    end(&mut work, parent, Ran::Waiting);
    end(&mut work, children[1], Ran::Success);
    start(&mut work);
    assert_eq!(end(&mut work, parent, Ran::Success), Success);
}

#[test]
fn a_child_that_depends_on_a_failure_elsewhere_fails_its_parent() {
    for early in [true, false] {
        let mut work = unlimited();
        let (parent, _) = family(&mut work, spec("parent"), &[], false);
        let elsewhere = work.add(spec("elsewhere"), ()).unwrap();
        let between = work.add(spec("between").after(elsewhere), ()).unwrap();
        let child = spec("child").after(between);
        start(&mut work);
        if early {
            work.add_child(parent, child, ()).unwrap();
            end(&mut work, elsewhere, GAVE_UP);
        } else {
            end(&mut work, elsewhere, GAVE_UP);
            work.add_child(parent, child, ()).unwrap();
        }
        assert_eq!((work.state(between), work.state(parent)), (Some(Aborted), Some(Failure)));
    }
}

#[test]
fn a_child_that_is_aborted_alone_does_not_fail_its_parent() {
    let mut work = unlimited();
    let (parent, children) = family(&mut work, spec("parent"), &["a", "b"], false);
    work.abort_work(children[0]);
    assert_eq!(work.state(parent), Some(Pending));
    assert_eq!(start(&mut work).family, Family { unfinished: 1, aborted: 1, ..Family::default() });
}

#[test]
fn a_parent_that_fails_aborts_its_children_first() {
    let mut work = unlimited();
    let (parent, children) = family(&mut work, spec("parent").retrying(RetryPolicy::ONCE).with_failing_children(), &["a", "b"], true);
    work.wake(parent);
    start(&mut work);
    assert_eq!(end(&mut work, parent, Ran::Failure { retry: true, at_least_ms: 9000 }), Waiting);
    assert_eq!(children.iter().map(|id| work.state(*id)).collect::<Vec<_>>(), [Some(Aborting); 2]);
    end(&mut work, children[0], FAILED);
    assert_eq!(work.state(parent), Some(Waiting));
    work.ended(children[1], (), FAILED, 100, 0).unwrap();
    assert_eq!((work.state(parent), work.next_due_ms()), (Some(Retrying), Some(9100)));
}

#[test]
fn what_cannot_have_ended_is_refused_and_changes_nothing() {
    let mut work = unlimited();
    let (parent, children) = family(&mut work, spec("parent"), &["a"], true);
    work.wake(parent);
    start(&mut work);
    let before = work.progress();
    let error = work.ended(parent, (), Ran::Success, 0, 0).unwrap_err();
    assert_eq!((error.id, error.from, error.to, error.unfinished_children), (parent, Some(Running), Success, 1));
    assert_eq!(error.to_string(), "work 0, with 1 unfinished children, may not go from running to success");
    assert_eq!(before, work.progress());
    end(&mut work, children[0], Ran::Success);
    assert_eq!(work.ended(children[0], (), Ran::Success, 0, 0).unwrap_err().from, None);
    assert_eq!(end(&mut work, parent, Ran::Success), Success);
    assert_eq!(work.ended(parent, (), Ran::Running, 0, 0).unwrap_err().from, Some(Success));
    let pending = work.add(spec("pending"), ()).unwrap();
    assert!(work.ended(pending, (), Ran::Success, 0, 0).is_err());
}

#[test]
fn an_abort_ends_everything_and_starts_nothing() {
    let mut work = unlimited();
    let (parent, children) = family(&mut work, spec("parent"), &["a"], true);
    let retried = work.add(spec("retried").retrying(RetryPolicy::A_LOT), ()).unwrap();
    start(&mut work);
    end(&mut work, retried, FAILED);
    let pending = work.add(spec("pending"), ()).unwrap();
    let blocked = work.add(spec("blocked").after(children[0]), ()).unwrap();
    work.abort();
    for id in [parent, retried, pending, blocked] {
        assert_eq!(work.state(id), Some(Aborted));
    }
    assert_eq!((work.state(children[0]), work.is_done()), (Some(Aborting), false));
    assert!(work.start_next(u64::MAX).is_none() && work.next_due_ms().is_none());
    assert_eq!(work.add(spec("late"), ()), Err(AddError::Aborted));
    assert_eq!(work.add_child(children[0], spec("late"), ()), Err(AddError::Aborted));
    assert_eq!(end(&mut work, children[0], Ran::Success), Aborted);
    assert!(work.is_done());
}

#[test]
fn one_item_is_aborted_with_its_children_and_what_depends_on_it() {
    let mut work = unlimited();
    let (parent, children) = family(&mut work, spec("parent"), &["a"], true);
    let after_child = work.add(spec("after child").after(children[0]), ()).unwrap();
    let after_that = work.add(spec("after that").after(after_child), ()).unwrap();
    let bystander = work.add(spec("bystander"), ()).unwrap();
    work.abort_work(parent);
    assert_eq!([parent, after_child, after_that].map(|id| work.state(id)), [Some(Aborted); 3]);
    assert_eq!(work.state(children[0]), Some(Aborting));
    assert_eq!(start(&mut work).id, bystander);
}

#[test]
fn only_ended_top_level_items_can_be_removed_and_they_stay_counted() {
    let mut work = unlimited();
    let (parent, children) = family(&mut work, spec("parent"), &["a"], true);
    assert!(!work.remove(parent) && !work.remove(children[0]));
    end(&mut work, children[0], Ran::Success);
    start(&mut work);
    end(&mut work, parent, Ran::Success);
    assert!(work.remove(parent) && !work.remove(parent));
    assert_eq!(work.state(parent), None);
    assert_eq!(work.progress()["item"].success, 2);
}

#[test]
fn a_million_children_pass_through_with_a_thousand_alive() {
    let mut work = WorkScheduler::new([(NET, 16)]);
    let batch = work.add(WorkSpec::new("batch", "batch", CPU), 0_u64).unwrap();
    let (mut added, mut done) = (0, 0);
    while let Some(started) = work.start_next(0) {
        if started.id != batch {
            work.ended(started.id, started.work, Ran::Success, 0, 0).unwrap();
            done += 1;
            continue;
        }
        for _ in started.family.unfinished..1000 {
            if added < 1_000_000 {
                work.add_child(batch, WorkSpec::new("child", added.to_string(), NET), added).unwrap();
                added += 1;
            }
        }
        let ran = if done == 1_000_000 { Ran::Success } else { Ran::Waiting };
        work.ended(batch, 0, ran, 0, 0).unwrap();
    }
    assert!(work.is_done());
    assert_eq!(work.progress()["child"], WorkCounts { success: 1_000_000, ..WorkCounts::default() });
    assert!(format!("{work:?}").len() < 2000, "nothing is left of them");
}

#[test]
fn a_dependency_that_lives_long_keeps_nothing_of_aborted_dependents() {
    let mut work = unlimited();
    let needed = work.add(spec("needed"), ()).unwrap();
    let lasting = format!("{work:?}").len();
    for _ in 0..1000 {
        let dependent = work.add(spec("dependent").after(needed), ()).unwrap();
        work.abort_work(dependent);
        assert!(work.remove(dependent));
    }
    assert!(format!("{work:?}").len() < lasting + 100);
}

const CLASSES: [WorkClass; 3] = [CPU, NET, WorkClass("free")];

/// A kind for each item, so that progress tells what became of each, even when it is forgotten.
static KINDS: LazyLock<Vec<&'static str>> = LazyLock::new(|| (0..1000).map(|n| &*format!("kind {n}").leak()).collect());

#[derive(Clone, Debug)]
struct New {
    class: usize,
    name: u8,
    after: Vec<u16>,
    max_retries: u32,
    continues: bool,
}

#[derive(Clone, Debug)]
enum Step {
    Abort,
    AbortWork(u16),
    Add(New),
    AddChild(u16, New),
    End(u16, Ran, u64),
    EndWhatDoesNotRun(u16),
    Pass(u64),
    Remove(u16),
    Start,
    Wake(u16),
}

fn new() -> impl Strategy<Value = New> {
    let after = prop_oneof![3 => Just(Vec::new()), 2 => proptest::collection::vec(any::<u16>(), 1..4)];
    (0..3_usize, 0..20_u8, after, 0..4_u32, any::<bool>()).prop_map(|(class, name, after, max_retries, continues)| New {
        class,
        name,
        after,
        max_retries,
        continues,
    })
}

fn ran() -> impl Strategy<Value = Ran> {
    prop_oneof![
        2 => Just(Ran::Running),
        4 => Just(Ran::Waiting),
        4 => Just(Ran::Success),
        3 => (any::<bool>(), 0..5000_u64).prop_map(|(retry, at_least_ms)| Ran::Failure { retry, at_least_ms }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => new().prop_map(Step::Add),
        8 => (any::<u16>(), new()).prop_map(|(parent, new)| Step::AddChild(parent, new)),
        10 => Just(Step::Start),
        10 => (any::<u16>(), ran(), 0..=1000_u64).prop_map(|(which, ran, jitter)| Step::End(which, ran, jitter)),
        3 => any::<u16>().prop_map(Step::Wake),
        2 => (0..3000_u64).prop_map(Step::Pass),
        1 => any::<u16>().prop_map(Step::AbortWork),
        1 => any::<u16>().prop_map(Step::Remove),
        1 => any::<u16>().prop_map(Step::EndWhatDoesNotRun),
    ]
}

/// What the model knows of an item. Its index is the order in which it was added.
struct Known {
    id: WorkId,
    parent: Option<usize>,
    name: String,
    after: Vec<usize>,
    class: WorkClass,
    policy: RetryPolicy,
    on_child_failure: OnChildFailure,
    state: WorkState,
    retries: u32,
    due_ms: u64,
    /// Woken since it last started.
    poked: bool,
    /// How it said it failed, since it was last retried.
    failed: Option<(bool, u64)>,
    /// Its children's ends since it was last retried.
    past: Family,
    removed: bool,
}

/// The scheduler beside what a driver can see of it, with everything found by looking through all there ever was.
struct Model {
    work: WorkScheduler<Rc<()>>,
    limits: BTreeMap<WorkClass, usize>,
    known: Vec<Known>,
    payload: Rc<()>,
    held: BTreeMap<usize, Rc<()>>,
    now_ms: u64,
    /// What the scheduler was last told.
    told_ms: u64,
    jitter: u64,
    aborted: bool,
}

impl Model {
    fn new(limits: &[usize; 2]) -> Self {
        let limits: BTreeMap<_, _> = CLASSES.into_iter().zip(limits.iter().copied()).collect();
        Self {
            work: WorkScheduler::new(limits.clone()),
            limits,
            known: Vec::new(),
            payload: Rc::new(()),
            held: BTreeMap::new(),
            now_ms: 0,
            told_ms: 0,
            jitter: 0,
            aborted: false,
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Abort => {
                self.aborted = true;
                self.work.abort();
            }
            Step::AbortWork(which) => {
                let Some(which) = self.pick(which, |_| true) else { return };
                let hit = self.hit_by_abort(which);
                let before: Vec<_> = self.known.iter().map(|item| (item.state, item.poked)).collect();
                self.work.abort_work(self.known[which].id);
                self.look();
                for (n, (before, poked)) in before.into_iter().enumerate() {
                    let expected = match before {
                        Running if hit.contains(&n) => Aborting,
                        state if state.is_terminal() || state == Aborting => state,
                        _ if hit.contains(&n) => Aborted,
                        // One that was woken before and still waits is to fail.
                        Waiting if self.known[n].poked && !poked => Pending,
                        state => state,
                    };
                    assert_eq!(self.known[n].state, expected, "item {n}, after the abort of {which}");
                }
            }
            Step::Add(new) => self.add(None, new),
            Step::AddChild(parent, new) => {
                let likely = |item: &Known| matches!(item.state, Running | Waiting);
                let parent = if parent.is_multiple_of(10) { self.pick(parent, |_| true) } else { self.pick(parent, likely) };
                if parent.is_some() {
                    self.add(parent, new);
                }
            }
            Step::End(which, ran, jitter) => {
                if let Some(which) = self.pick(which, |item| matches!(item.state, Running | Aborting)) {
                    self.end(which, ran, jitter);
                }
            }
            Step::EndWhatDoesNotRun(which) => {
                if let Some(which) = self.pick(which, |item| !matches!(item.state, Running | Aborting)) {
                    let before = self.work.progress();
                    let error = self.work.ended(self.known[which].id, self.payload.clone(), Ran::Success, self.now_ms, self.jitter);
                    assert!(error.is_err());
                    assert_eq!(before, self.work.progress());
                }
            }
            Step::Pass(ms) => self.now_ms += ms,
            Step::Remove(which) => {
                let Some(which) = self.pick(which, |_| true) else { return };
                let item = &mut self.known[which];
                let removable = item.parent.is_none() && item.state.is_terminal() && !item.removed;
                assert_eq!(self.work.remove(item.id), removable);
                item.removed |= removable;
            }
            Step::Start => drop(self.start()),
            Step::Wake(which) => {
                let Some(which) = self.pick(which, |_| true) else { return };
                let item = &mut self.known[which];
                item.poked |= matches!(item.state, Running | Waiting);
                self.work.wake(item.id);
            }
        }
        self.look();
    }

    fn pick(&self, which: u16, likely: impl Fn(&Known) -> bool) -> Option<usize> {
        let candidates: Vec<_> = (0..self.known.len()).filter(|n| likely(&self.known[*n])).collect();
        (!candidates.is_empty()).then(|| candidates[usize::from(which) % candidates.len()])
    }

    fn is_forgotten(&self, n: usize) -> bool {
        let item = &self.known[n];
        item.removed || (item.parent.is_some() && item.state.is_terminal())
    }

    fn unfinished_children(&self, n: usize) -> Vec<usize> {
        (0..self.known.len()).filter(|child| self.known[*child].parent == Some(n) && !self.known[*child].state.is_terminal()).collect()
    }

    /// The item, its unfinished children, and what depends on it, transitively.
    fn hit_by_abort(&self, n: usize) -> BTreeSet<usize> {
        let (mut hit, mut todo) = (BTreeSet::new(), vec![n]);
        while let Some(n) = todo.pop() {
            if !self.known[n].state.is_terminal() && hit.insert(n) {
                todo.extend(self.unfinished_children(n));
                todo.extend((0..self.known.len()).filter(|other| self.known[*other].after.contains(&n)));
            }
        }
        hit
    }

    /// Whether an item cannot end before another does.
    fn waits_for(&self, n: usize, other: usize) -> bool {
        let item = &self.known[n];
        !item.state.is_terminal()
            && (n == other
                || item.after.iter().any(|needed| self.waits_for(*needed, other))
                || self.unfinished_children(n).into_iter().any(|child| self.waits_for(child, other)))
    }

    fn add(&mut self, parent: Option<usize>, new: New) {
        let n = self.known.len();
        let any_or_live = |which: &u16| {
            if which.is_multiple_of(5) { self.pick(*which, |_| true) } else { self.pick(*which, |item| !item.state.is_terminal()) }
        };
        let after: Vec<_> = new.after.iter().filter_map(any_or_live).collect();
        let name = if parent.is_some() { format!("name {}", new.name) } else { String::new() };
        let policy = RetryPolicy { max_retries: new.max_retries, min_delay_ms: 1000, max_delay_ms: 3000 };
        let mut spec = WorkSpec::new(KINDS[n], name.clone(), CLASSES[new.class]).retrying(policy);
        for needed in &after {
            spec = spec.after(self.known[*needed].id);
        }
        if new.continues {
            spec = spec.with_failing_children();
        }
        let on_child_failure = spec.on_child_failure;
        let refused = if self.aborted {
            Some(AddError::Aborted)
        } else if parent.is_some_and(|parent| self.is_forgotten(parent)) {
            Some(AddError::UnknownParent)
        } else if parent.is_some_and(|parent| !matches!(self.known[parent].state, Running | Waiting)) {
            Some(AddError::ParentNotRunning)
        } else if parent.is_some_and(|parent| self.unfinished_children(parent).iter().any(|child| self.known[*child].name == name)) {
            Some(AddError::DuplicateName)
        } else if after.iter().any(|needed| self.is_forgotten(*needed)) {
            Some(AddError::UnknownDependency)
        } else if parent.is_some_and(|parent| after.iter().any(|needed| self.waits_for(*needed, parent))) {
            Some(AddError::CircularDependency)
        } else {
            None
        };
        let added = match parent {
            Some(parent) => self.work.add_child(self.known[parent].id, spec, self.payload.clone()),
            None => self.work.add(spec, self.payload.clone()),
        };
        assert_eq!(added.err(), refused);
        if let Ok(id) = added {
            assert!(self.known.last().is_none_or(|last| last.id < id));
            self.known.push(Known {
                id,
                parent,
                name,
                after,
                class: CLASSES[new.class],
                policy,
                on_child_failure,
                state: Blocked,
                retries: 0,
                due_ms: 0,
                poked: false,
                failed: None,
                past: Family::default(),
                removed: false,
            });
        }
    }

    /// Starts what must be next; `false` if nothing can.
    fn start(&mut self) -> bool {
        for item in &mut self.known {
            if item.state == Retrying && item.due_ms <= self.now_ms {
                item.state = Pending;
            }
        }
        let running = |class| self.held.keys().filter(|n| self.known[**n].class == class).count();
        let has_room = |class| self.limits.get(&class).is_none_or(|limit| running(class) < (*limit).max(1));
        let expected = (0..self.known.len()).find(|n| self.known[*n].state == Pending && has_room(self.known[*n].class));
        self.told_ms = self.now_ms;
        let started = self.work.start_next(self.now_ms);
        assert_eq!(started.as_ref().map(|started| started.id), expected.map(|n| self.known[n].id));
        let (Some(started), Some(n)) = (started, expected) else { return false };
        let unfinished = self.unfinished_children(n).len();
        assert!(!self.aborted && self.known[n].after.iter().all(|needed| self.known[*needed].state == Success));
        assert_eq!((started.retry, started.family), (self.known[n].retries, Family { unfinished, ..self.known[n].past }));
        self.known[n].poked = false;
        self.held.insert(n, started.work);
        self.look();
        true
    }

    fn end(&mut self, n: usize, ran: Ran, jitter: u64) {
        let payload = self.held.remove(&n).unwrap();
        let (id, unfinished) = (self.known[n].id, self.unfinished_children(n).len());
        let ended = self.work.ended(id, payload, ran, self.now_ms, jitter);
        if ended.is_ok() {
            (self.told_ms, self.jitter) = (self.now_ms, jitter);
        }
        let item = &mut self.known[n];
        if item.state == Aborting {
            assert_eq!(ended, Ok(Aborted));
        } else if ran == Ran::Success && unfinished > 0 {
            assert!(ended.is_err());
            self.held.insert(n, self.payload.clone());
        } else if let Ran::Failure { retry, at_least_ms } = ran {
            item.failed = Some((retry, at_least_ms));
            assert!(matches!(ended, Ok(Failure | Retrying | Waiting)) || unfinished > 0);
        } else if item.on_child_failure == OnChildFailure::Continue || item.past.failed + item.past.aborted == 0 {
            let expected = match ran {
                Ran::Waiting if !item.poked => Waiting,
                Ran::Success => Success,
                _ => Pending,
            };
            assert_eq!(ended, Ok(expected));
        }
        self.look();
        assert!(ended.is_err() || ended == Ok(self.known[n].state));
    }

    /// Sees what has changed, and holds it against everything that must always be true.
    fn look(&mut self) {
        let progress = self.work.progress();
        let mut changed = Vec::new();
        for n in 0..self.known.len() {
            let forgotten = self.known[n].removed || (self.known[n].parent.is_some() && only(&progress[KINDS[n]]).is_terminal());
            let state = self.work.state(self.known[n].id);
            assert_eq!(state.is_none(), forgotten, "item {n}");
            let now = state.unwrap_or_else(|| only(&progress[KINDS[n]]));
            assert_eq!(if now == Aborting { Running } else { now }, only(&progress[KINDS[n]]), "item {n}");
            let before = core::mem::replace(&mut self.known[n].state, now);
            assert!(before == now || reachable(before).contains(&now), "item {n} went from {} to {}", before.name(), now.name());
            if before != now {
                changed.push(n);
            }
        }
        assert_eq!(progress.len(), self.known.len());
        for n in &changed {
            if let (true, Some(parent)) = (self.known[*n].state.is_terminal(), self.known[*n].parent) {
                let end = self.known[*n].state;
                let past = &mut self.known[parent].past;
                *if end == Success {
                    &mut past.succeeded
                } else if end == Failure {
                    &mut past.failed
                } else {
                    &mut past.aborted
                } += 1;
                self.known[parent].poked = true;
            }
        }
        changed.retain(|n| matches!(self.known[*n].state, Retrying | Failure));
        for n in changed {
            let item = &mut self.known[n];
            let by_child = item.on_child_failure == OnChildFailure::Fail && item.past.failed + item.past.aborted > 0;
            assert!(item.failed.is_some() || by_child, "item {n} failed for no reason");
            let (retry, at_least_ms) = item.failed.take().unwrap_or((true, 0));
            let delay_ms = item.policy.delay_ms(item.retries, self.jitter).filter(|_| retry);
            assert_eq!(item.state == Retrying, delay_ms.is_some(), "item {n}");
            if let Some(delay_ms) = delay_ms {
                item.due_ms = self.told_ms + delay_ms.max(at_least_ms);
                item.retries += 1;
                item.past = Family::default();
            }
        }
        for n in 0..self.known.len() {
            self.check(n);
        }
        let held: Vec<_> = (0..self.known.len()).filter(|n| matches!(self.known[*n].state, Running | Aborting)).collect();
        assert!(self.held.keys().eq(&held));
        for (class, limit) in &self.limits {
            assert!(held.iter().filter(|n| self.known[**n].class == *class).count() <= (*limit).max(1));
        }
        let unfinished = self.known.iter().filter(|item| !item.state.is_terminal()).count();
        assert_eq!(Rc::strong_count(&self.payload) - 1, unfinished, "payloads live as long as their items");
        assert_eq!(self.work.is_done(), unfinished == 0);
        let due = self.known.iter().filter(|item| item.state == Retrying).map(|item| item.due_ms).min();
        assert_eq!(self.work.next_due_ms(), due);
    }

    fn check(&self, n: usize) {
        let item = &self.known[n];
        let needs = |state: fn(WorkState) -> bool| item.after.iter().any(|needed| state(self.known[*needed].state));
        if needs(|state| matches!(state, Failure | Aborted | Aborting)) {
            assert_eq!(item.state, Aborted, "item {n} depends on what cannot succeed");
        } else if item.state != Aborted {
            assert_eq!(item.state == Blocked, needs(|state| state != Success), "item {n} is blocked exactly until all have succeeded");
        }
        assert!(!self.aborted || item.state == Aborting || item.state.is_terminal(), "item {n} outlived the abort");
        let children = self.unfinished_children(n);
        let all_stopping = children.iter().all(|child| self.known[*child].state == Aborting);
        let to_fail = item.past.failed > 0 && item.on_child_failure == OnChildFailure::Fail;
        if to_fail || item.failed.is_some() || item.state.is_terminal() {
            assert!(all_stopping, "item {n} is to fail or has ended, and its children go on");
        }
        if to_fail {
            assert!(matches!(item.state, Running | Waiting | Aborting | Failure | Aborted), "item {n} goes on although a child failed");
        }
        if item.state == Waiting && (item.poked || to_fail || item.failed.is_some()) {
            assert!(all_stopping && !children.is_empty(), "item {n} sleeps although it was woken");
        }
    }

    /// From here on all goes well: then all must end.
    fn finish(&mut self) {
        for _ in 0..2000 {
            if self.work.is_done() {
                return;
            }
            while self.start() {}
            let held: Vec<_> = self.held.keys().copied().collect();
            for n in held {
                let ran = if self.unfinished_children(n).is_empty() { Ran::Success } else { Ran::Waiting };
                self.end(n, ran, 500);
            }
            // Those without children wait for the world, and it wakes them. The others must be woken by their children.
            for n in 0..self.known.len() {
                if self.known[n].state == Waiting && self.unfinished_children(n).is_empty() {
                    self.work.wake(self.known[n].id);
                    self.known[n].poked = true;
                }
            }
            self.look();
            self.now_ms = self.work.next_due_ms().unwrap_or(0).max(self.now_ms);
        }
        panic!("some never end: {:?}", self.work.progress());
    }
}

/// The state of the only item of a kind.
fn only(counts: &WorkCounts) -> WorkState {
    let WorkCounts { pending, blocked, running, waiting, retrying, success, failure, aborted } = *counts;
    let counts = [pending, blocked, running, waiting, retrying, success, failure, aborted];
    assert_eq!(counts.iter().sum::<u64>(), 1, "an item is in exactly one state: {counts:?}");
    let at = counts.iter().position(|count| *count == 1).unwrap();
    [Pending, Blocked, Running, Waiting, Retrying, Success, Failure, Aborted][at]
}

fn reachable(state: WorkState) -> BTreeSet<WorkState> {
    let (mut found, mut todo) = (BTreeSet::new(), vec![state]);
    while let Some(state) = todo.pop() {
        let all = [Pending, Blocked, Running, Waiting, Retrying, Aborting, Success, Failure, Aborted];
        todo.extend(all.into_iter().filter(|next| state.may_become(*next) && found.insert(*next)));
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_work_always_ends_by_the_rules(
        limits in [0..4_usize, 0..4_usize],
        mut steps in proptest::collection::vec(step(), 1..150),
        abort in prop_oneof![3 => Just(None), 1 => any::<proptest::sample::Index>().prop_map(Some)],
    ) {
        if let Some(abort) = abort {
            steps.insert(abort.index(steps.len()), Step::Abort);
        }
        let mut model = Model::new(&limits);
        for step in steps {
            model.step(step);
        }
        model.finish();
    }
}
