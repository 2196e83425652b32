//! The host's own SHA-256, where it has one that takes bytes as they come: `node:crypto`, in Node, Deno, Bun and workerd.
//!
//! Not here: when it is worth asking (`codec::hash`). Browsers only hash what is whole, and answer later: that they do is said here as
//! well, and asked by [`crate::driver::web`].

use core::cell::RefCell;

use js_sys::{Function, Reflect, Uint8Array};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};

use crate::codec::hash::{HostHasher, offer_whole_hashes, use_host_hasher};
use crate::driver::web::subtle;

#[wasm_bindgen]
extern "C" {
    /// `crypto.Hash` of Node.
    type Hash;

    #[wasm_bindgen(method)]
    fn update(this: &Hash, bytes: &[u8]);

    #[wasm_bindgen(method)]
    fn digest(this: &Hash) -> Uint8Array;
}

thread_local! {
    /// `createHash`, and the name that it is called with.
    static CREATE: RefCell<Option<(Function, JsValue)>> = const { RefCell::new(None) };
}

/// Looks for it once, when the module is instantiated.
pub(super) fn find() {
    if let Some(create) = create_hash() {
        CREATE.set(Some((create, "sha256".into())));
        use_host_hasher(make);
    } else if subtle().is_some() {
        offer_whole_hashes();
    }
}

fn create_hash() -> Option<Function> {
    let field = |of: &JsValue, name: &str| Reflect::get(of, &name.into()).ok().filter(|value| !value.is_undefined() && !value.is_null());
    let process = field(&js_sys::global(), "process")?;
    let load: Function = field(&process, "getBuiltinModule")?.dyn_into().ok()?;
    let crypto = load.call1(&process, &"node:crypto".into()).ok()?;
    field(&crypto, "createHash")?.dyn_into().ok()
}

fn make() -> Option<Box<dyn HostHasher>> {
    CREATE.with_borrow(|create| {
        let (create, name) = create.as_ref()?;
        let hash = create.call1(&JsValue::UNDEFINED, name).ok()?;
        let hasher: Box<dyn HostHasher> = Box::new(hash.unchecked_into::<Hash>());
        Some(hasher)
    })
}

impl HostHasher for Hash {
    fn update(&mut self, bytes: &[u8]) {
        Hash::update(self, bytes);
    }

    fn finish(self: Box<Self>) -> [u8; 32] {
        let mut hash = [0xff; 32];
        let digest = self.digest();
        // What is no SHA-256 is equal to none that is expected.
        if digest.length() == 32 {
            digest.copy_to(&mut hash);
        }
        hash
    }
}
