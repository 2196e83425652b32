//! The bindings in a real browser, in a window and in a dedicated worker: what JavaScript hands in and gets back.
//!
//! Where it runs is decided outside (`.cargo/config.toml`, `WASM_BINDGEN_USE_DEDICATED_WORKER`).

#![cfg(all(feature = "web", target_arch = "wasm32"))]
#![allow(clippy::unwrap_used)]

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Array, Function, JSON, Object, Promise, Reflect, Uint8Array};
use stellar_archive_verifier::bindings::{network_presets, verify, versions};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::AbortController;

type Files = std::collections::BTreeMap<String, Vec<u8>>;

fn sample() -> Files {
    sample_archive::make(&sample_archive::Config { ledgers: 128, ..sample_archive::Config::default() }).files
}

/// A reader object over files, as a page would write it.
fn reader(files: Files) -> JsValue {
    let get = Closure::<dyn Fn(String) -> Promise>::new(move |path: String| {
        Promise::resolve(&files.get(&path).map_or(JsValue::NULL, |bytes| Uint8Array::from(bytes.as_slice()).into()))
    });
    object(&[("name", "sample".into()), ("get", get.into_js_value())])
}

fn object(fields: &[(&str, JsValue)]) -> JsValue {
    let object = Object::new();
    for (name, value) in fields {
        Reflect::set(&object, &(*name).into(), value).unwrap();
    }
    object.into()
}

fn get(value: &JsValue, path: &str) -> JsValue {
    path.split('.').fold(value.clone(), |value, name| Reflect::get(&value, &name.into()).unwrap())
}

fn text(value: &JsValue, path: &str) -> String {
    get(value, path).as_string().unwrap_or_else(|| format!("{:?}", get(value, path)))
}

/// Runs, and collects the types of all events.
async fn run(source: JsValue, options: JsValue, controller: &AbortController) -> (Result<JsValue, JsValue>, Vec<JsValue>) {
    let events = Rc::new(RefCell::new(Vec::new()));
    let listener = Closure::<dyn FnMut(JsValue)>::new({
        let events = events.clone();
        move |event| events.borrow_mut().push(event)
    });
    let report =
        verify(source, options, listener.as_ref().unchecked_ref::<Function>().clone(), controller.signal(), JsValue::UNDEFINED).await;
    let events = events.take();
    (report, events)
}

fn of_type(events: &[JsValue], name: &str) -> Vec<JsValue> {
    events.iter().filter(|event| text(event, "type") == name).cloned().collect()
}

#[wasm_bindgen_test]
async fn a_reader_of_a_sound_archive_gets_a_verified_report_and_every_event() {
    let (report, events) = run(reader(sample()), object(&[("deep", true.into())]), &AbortController::new().unwrap()).await;
    let report = report.unwrap();
    assert_eq!(text(&report, "verdict"), "verified", "{}", String::from(JSON::stringify(&report).unwrap()));
    assert_eq!(get(&report, "totals.ledger.verified"), 2.0);
    assert_eq!(text(&report, "archives.0"), "sample");
    assert!(get(&report, "sealedThrough").is_null(), "what is not known is null, not absent");
    assert!(text(&report, "bytes.inflated").parse::<u64>().unwrap() > 0, "64-bit numbers are strings");
    assert_eq!(of_type(&events, "checkpoint").len(), 2);
    assert_eq!(text(&of_type(&events, "checkpoint")[0], "status.ledger"), "verified");
    assert_eq!(of_type(&events, "stage").iter().map(|event| text(event, "stage")).collect::<Vec<_>>(), ["root", "checkpoints", "done"]);
    assert_eq!(text(events.last().unwrap(), "type"), "done");
}

#[wasm_bindgen_test]
async fn a_damaged_file_is_a_finding_with_its_place_and_the_run_goes_on() {
    let mut files = sample();
    let path = "results/00/00/00/results-0000003f.xdr.gz";
    let file = files.get_mut(path).unwrap();
    file.truncate(file.len() / 2);
    let (report, events) = run(reader(files), object(&[]), &AbortController::new().unwrap()).await;
    let report = report.unwrap();
    assert_eq!(text(&report, "verdict"), "faulty");
    assert_eq!((text(&report, "findings.0.code"), text(&report, "findings.0.path")), ("gzip-corrupt".into(), path.into()));
    assert_eq!(get(&report, "findings.0.checkpoint"), 63.0);
    assert_eq!((get(&report, "totals.results.faulty"), get(&report, "totals.results.verified")), (1.0.into(), 1.0.into()));
    assert_eq!(of_type(&events, "finding").len(), 1);
}

#[wasm_bindgen_test]
async fn an_abort_ends_a_hanging_read_and_leaves_a_partial_report() {
    let controller = AbortController::new().unwrap();
    let asked = Rc::new(RefCell::new(0));
    let hang = Closure::<dyn FnMut(String) -> Promise>::new({
        let (controller, asked) = (controller.clone(), asked.clone());
        move |_| {
            *asked.borrow_mut() += 1;
            // Any value may be the reason, as in `controller.abort("enough")`.
            controller.abort_with_reason(&"enough".into());
            Promise::new(&mut |_, _| {})
        }
    });
    let source = object(&[("name", "hanging".into()), ("get", hang.as_ref().clone())]);
    let (report, _) = run(source, object(&[("range", object(&[("low", 1.into()), ("high", 639.into())]))]), &controller).await;
    let report = report.unwrap();
    assert_eq!(text(&report, "verdict"), "incomplete");
    assert_eq!(get(&report, "totals.ledger.unchecked"), 10.0, "totals add up to what was asked for");
    assert_eq!(*asked.borrow(), 1, "nothing is read after the abort");
}

#[wasm_bindgen_test]
async fn options_that_mean_nothing_are_refused_with_a_code() {
    let controller = AbortController::new().unwrap();
    for (source, options, code) in [
        (reader(Files::new()), object(&[("depe", true.into())]), "USAGE"),
        (reader(Files::new()), object(&[("range", object(&[("low", (-1).into())]))]), "USAGE"),
        (reader(Files::new()), object(&[("concurrency", 0.into())]), "USAGE"),
        (reader(Files::new()), object(&[("checkpointFrequency", 63.into())]), "USAGE"),
        (reader(Files::new()), object(&[("range", object(&[("low", 9.into()), ("high", 8.into())]))]), "USAGE"),
        ("ftp://example.org".into(), object(&[]), "UNSUPPORTED"),
        ("history".into(), object(&[]), "UNSUPPORTED"),
        (object(&[]), object(&[]), "UNSUPPORTED"),
    ] {
        let (report, _) = run(source, options, &controller).await;
        let error = report.unwrap_err();
        assert!(error.is_instance_of::<js_sys::Error>());
        assert_eq!(text(&error, "code"), code, "{}", text(&error, "message"));
    }
}

/// Puts a `fetch` in place that answers from files, and gives back what was asked for.
fn answer_fetch(answer: impl Fn(&str) -> JsValue + 'static) -> (Rc<RefCell<Vec<web_sys::Request>>>, Restore) {
    let asked = Rc::new(RefCell::new(Vec::new()));
    let fetch = Closure::<dyn Fn(web_sys::Request) -> Promise>::new({
        let asked = asked.clone();
        move |request: web_sys::Request| {
            let answer = answer(&request.url());
            asked.borrow_mut().push(request);
            if answer.is_instance_of::<js_sys::Error>() { Promise::reject(&answer) } else { Promise::resolve(&answer) }
        }
    });
    let global = js_sys::global();
    let restore = Restore(Reflect::get(&global, &"fetch".into()).unwrap());
    Reflect::set(&global, &"fetch".into(), &fetch.into_js_value()).unwrap();
    (asked, restore)
}

struct Restore(JsValue);

impl Drop for Restore {
    fn drop(&mut self) {
        Reflect::set(&js_sys::global(), &"fetch".into(), &self.0).unwrap();
    }
}

fn response(body: Option<&[u8]>, status: u16, headers: &[(&str, &str)]) -> JsValue {
    let constructor: Function = Reflect::get(&js_sys::global(), &"Response".into()).unwrap().dyn_into().unwrap();
    let headers = headers.iter().map(|(name, value)| (*name, JsValue::from_str(value))).collect::<Vec<_>>();
    let init = object(&[("status", status.into()), ("headers", object(&headers))]);
    let body = body.map_or(JsValue::NULL, |bytes| Uint8Array::from(bytes).into());
    Reflect::construct(&constructor, &Array::of2(&body, &init)).unwrap()
}

// One test, because all of them would share one global `fetch`.
#[wasm_bindgen_test]
async fn over_fetch_files_missing_forbidden_and_unreachable_are_told_apart() {
    let controller = AbortController::new().unwrap();
    let origin = "https://archive.example/root";
    let files = sample();
    let find = |files: &Files, url: &str| files.get(url.strip_prefix("https://archive.example/root/").unwrap()).cloned();

    let (asked, restore) = answer_fetch({
        let files = files.clone();
        move |url| find(&files, url).map_or_else(|| response(None, 404, &[]), |bytes| response(Some(&bytes), 200, &[]))
    });
    let (report, _) = run(format!("{origin}/").into(), object(&[]), &controller).await;
    assert_eq!(text(&report.unwrap(), "verdict"), "verified");
    for request in asked.borrow().iter() {
        let fresh =
            if request.url().ends_with("stellar-history.json") { web_sys::RequestCache::NoCache } else { web_sys::RequestCache::Default };
        assert_eq!((request.cache(), request.credentials()), (fresh, web_sys::RequestCredentials::Omit), "{}", request.url());
        assert_eq!(Array::from(&JsValue::from(request.headers())).length(), 0, "a header of our own would cost a preflight");
    }
    drop(restore);

    // An HTTP layer that inflated what it says it inflated is no fault; the same bytes without the header are one.
    for (header, verdict) in [(&[("content-encoding", "gzip")][..], "verified"), (&[][..], "faulty")] {
        let files = files.clone();
        let (_, restore) = answer_fetch(move |url| match find(&files, url) {
            Some(bytes) if url.contains("/ledger/") => response(Some(&inflate(&bytes)), 200, header),
            Some(bytes) => response(Some(&bytes), 200, &[]),
            None => response(None, 404, &[]),
        });
        let (report, _) = run(origin.into(), object(&[]), &controller).await;
        let report = report.unwrap();
        assert_eq!(text(&report, "verdict"), verdict, "{}", String::from(JSON::stringify(&report).unwrap()));
        drop(restore);
    }

    // What is missing is asked for once more, past the caches; that is no retry.
    for (answer, code, verdict, asked_and_retried) in [
        ((|| response(None, 403, &[])) as fn() -> JsValue, "FORBIDDEN", "incomplete", (1, 0)),
        (|| response(None, 500, &[]), "HTTP", "incomplete", (2, 1)),
        (|| js_sys::TypeError::new("Failed to fetch").into(), "CORS_OR_NETWORK", "incomplete", (2, 1)),
        (|| response(None, 404, &[]), "", "faulty", (2, 0)),
        (|| response(Some(b"<!doctype html><title>Not here</title>"), 200, &[]), "", "faulty", (1, 0)),
    ] {
        let (asked, restore) = answer_fetch(move |_| answer());
        let (report, events) = run(origin.into(), object(&[("maxRetries", 1.into())]), &controller).await;
        let report = report.unwrap();
        assert_eq!(text(&report, "verdict"), verdict);
        if code.is_empty() {
            assert_eq!(Array::from(&get(&report, "errors")).length(), 0);
        } else {
            assert_eq!(text(&report, "errors.0.code"), code);
            assert!(!text(&report, "errors.0.advice").is_empty());
        }
        assert_eq!((asked.borrow().len(), of_type(&events, "retry").len()), asked_and_retried, "{code}");
        drop(restore);
    }
}

fn inflate(file: &[u8]) -> Vec<u8> {
    miniz_oxide::inflate::decompress_to_vec(&file[10..file.len() - 8]).unwrap()
}

#[wasm_bindgen_test]
fn versions_and_presets_are_there_before_any_run() {
    assert_eq!(text(&versions().unwrap(), "version"), env!("CARGO_PKG_VERSION"));
    let presets = Array::from(&network_presets().unwrap());
    assert!(presets.iter().any(|network| text(&network, "name") == "testnet"));
    for archive in presets.iter().flat_map(|network| Array::from(&get(&network, "archives")).to_vec()) {
        assert!(text(&archive, "url").starts_with("https://"), "pages on https may not read http");
    }
}
