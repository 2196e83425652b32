//! An archive over HTTP, with the platform's `fetch` (rules D.1).
//!
//! No custom headers (they would cost a preflight that archives do not answer), no credentials, no referrer. The
//! `.well-known` file is asked for past the caches, which are known to hold stale ones.

use futures_util::future::LocalBoxFuture;
use gloo_net::http::{Method, Request, RequestBuilder, Response};
use js_sys::{Date, Function, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, AbortSignal, ReferrerPolicy, RequestCache, RequestCredentials, ResponseType, Url};

use super::{describe, streamed};
use crate::archive::error::{ReadError, ReadErrorKind};
use crate::archive::path::ArchivePath;
use crate::codec::file::BodyCoding;
use crate::transport::{ArchiveReader, Body};

/// An archive at an http or https URL.
#[derive(Debug)]
pub struct FetchArchive {
    root: String,
    host: String,
    signal: AbortSignal,
    platform: Platform,
}

/// What each request would otherwise look up again.
#[derive(Debug)]
struct Platform {
    fetch: Function,
    is_workerd: bool,
    has_cors: bool,
}

impl FetchArchive {
    /// The archive at a URL: its root, or the address of its newest state.
    ///
    /// # Errors
    /// If it is no http or https URL, or has a query or fragment; if the platform has no `fetch`.
    pub fn new(url: &str, signal: AbortSignal) -> Result<Self, ReadError> {
        let unsupported = |why: &str| ReadError::new(ReadErrorKind::Unsupported, format!("{url} {why}"));
        let parsed = Url::new(url).map_err(|_| unsupported("is no URL: an archive's address begins with https:// or http://"))?;
        if !matches!(parsed.protocol().as_str(), "http:" | "https:") {
            return Err(unsupported("is no http or https URL"));
        }
        if !parsed.search().is_empty() || !parsed.hash().is_empty() {
            return Err(unsupported("has a query or fragment, which archives do not have"));
        }
        if !parsed.username().is_empty() || !parsed.password().is_empty() {
            return Err(unsupported("has a user name or password, which fetch refuses"));
        }
        let root = parsed.href();
        let host = parsed.host();
        let root = root.strip_suffix(ArchivePath::well_known().as_str()).unwrap_or(&root);
        Ok(Self { root: root.trim_end_matches('/').to_owned(), host, signal, platform: Platform::this()? })
    }

    async fn fetch(&self, path: &ArchivePath, fresh: bool) -> Result<Body, ReadError> {
        let url = format!("{}/{path}", self.root);
        // A request that nobody waits for any more is taken back: it would keep the connection, and in Node the process.
        let controller = AbortController::new().map_err(|error| self.fetch_error(&error))?;
        let wanted = controller.signal();
        let mut unwanted = AbortOnDrop(Some(controller));
        let mut request = Request::get(&url).abort_signal(Some(&wanted));
        if !self.platform.is_workerd {
            // Cloudflare's runtime refuses these fields, and has neither cookies nor a referrer to send.
            request = request.credentials(RequestCredentials::Omit).referrer_policy(ReferrerPolicy::NoReferrer);
            if fresh || path.is_well_known() {
                request = request.cache(RequestCache::NoCache);
            }
        }
        let request = request.build().map_err(|error| ReadError::new(ReadErrorKind::Unsupported, error.to_string()))?;
        let response = self.platform.fetch(&request.into()).await.map_err(|error| self.fetch_error(&error))?;
        let body = self.platform.body(&Response::from(response));
        // From here on the body's stream is cancelled when it is dropped.
        unwanted.0.take();
        body
    }

    fn fetch_error(&self, error: &JsValue) -> ReadError {
        let kind = match () {
            () if self.signal.aborted() => ReadErrorKind::Aborted,
            () if self.platform.has_cors => ReadErrorKind::CorsOrNetwork,
            () => ReadErrorKind::Network,
        };
        ReadError::new(kind, describe(error))
    }
}

impl ArchiveReader for FetchArchive {
    fn name(&self) -> &str {
        &self.root
    }

    fn host(&self) -> &str {
        &self.host
    }

    fn is_remote(&self) -> bool {
        true
    }

    fn open<'a>(&'a self, path: &'a ArchivePath) -> LocalBoxFuture<'a, Result<Body, ReadError>> {
        Box::pin(self.fetch(path, false))
    }

    fn open_fresh<'a>(&'a self, path: &'a ArchivePath) -> LocalBoxFuture<'a, Result<Body, ReadError>> {
        Box::pin(self.fetch(path, true))
    }

    fn size<'a>(&'a self, path: &'a ArchivePath) -> LocalBoxFuture<'a, Option<u64>> {
        Box::pin(async move {
            let mut request = RequestBuilder::new(&format!("{}/{path}", self.root)).method(Method::HEAD).abort_signal(Some(&self.signal));
            if !self.platform.is_workerd {
                request = request.credentials(RequestCredentials::Omit).referrer_policy(ReferrerPolicy::NoReferrer);
            }
            let request = request.build().ok()?;
            let response = Response::from(self.platform.fetch(&request.into()).await.ok()?);
            response.headers().get("content-length").filter(|_| response.status() == 200)?.parse().ok()
        })
    }
}

struct AbortOnDrop(Option<AbortController>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        if let Some(controller) = &self.0 {
            controller.abort();
        }
    }
}

impl Platform {
    /// Its own `fetch` hangs on the global object: `window` exists in pages only.
    fn this() -> Result<Self, ReadError> {
        let fetch = Reflect::get(&js_sys::global(), &"fetch".into()).ok().and_then(|fetch| fetch.dyn_into().ok());
        let fetch = fetch.ok_or_else(|| ReadError::new(ReadErrorKind::Unsupported, "this platform has no fetch"))?;
        Ok(Self { fetch, is_workerd: is_workerd(), has_cors: has_cors() })
    }

    async fn fetch(&self, request: &web_sys::Request) -> Result<web_sys::Response, JsValue> {
        let promise: Promise = self.fetch.call1(&js_sys::global(), request)?.dyn_into()?;
        JsFuture::from(promise).await?.dyn_into()
    }

    fn body(&self, response: &Response) -> Result<Body, ReadError> {
        let status = response.status();
        if status != 200 {
            let kind = match status {
                404 | 410 => ReadErrorKind::NotFound,
                401 | 403 => ReadErrorKind::Forbidden,
                other => ReadErrorKind::Http(other),
            };
            let mut error =
                ReadError::new(kind, format!("the server answered HTTP {status} {}", response.status_text()).trim_end().to_owned());
            error.retry_after_ms = response.headers().get("retry-after").and_then(|value| retry_after_ms(value.trim()));
            return Err(error);
        }
        match response.body() {
            Some(stream) => streamed(&stream, self.coding(response)),
            None => Ok(Body::whole(Vec::new(), self.coding(response))),
        }
    }

    /// A cross-origin response hides its headers, so a page cannot know whether a `Content-Encoding` was undone.
    fn coding(&self, response: &Response) -> BodyCoding {
        let hidden = || self.has_cors && response.type_() == ResponseType::Cors;
        let encoded = || response.headers().get("content-encoding").is_some_and(|coding| !coding.is_empty() && coding != "identity");
        if hidden() || encoded() { BodyCoding::MaybeDecoded } else { BodyCoding::AsStored }
    }
}

/// Seconds, or a date (RFC 9110, 10.2.3).
#[allow(clippy::as_conversions)] // a float is cut off at both ends
fn retry_after_ms(value: &str) -> Option<u64> {
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(seconds.saturating_mul(1000));
    }
    let at = Date::parse(value);
    // The date has whole seconds: what was cut off may still have to pass.
    at.is_finite().then(|| (at + 1000.0 - Date::now()).max(0.0) as u64)
}

/// Whether this platform keeps origins apart: pages and their workers have a location, servers have none.
fn has_cors() -> bool {
    Reflect::get(&js_sys::global(), &"location".into()).is_ok_and(|location| location.is_object())
}

/// Whether this is Cloudflare's runtime, which allows six connections.
#[must_use]
pub fn is_workerd() -> bool {
    let agent = Reflect::get(&js_sys::global(), &"navigator".into()).and_then(|navigator| Reflect::get(&navigator, &"userAgent".into()));
    agent.ok().and_then(|agent| agent.as_string()).is_some_and(|agent| agent == "Cloudflare-Workers")
}
