//! The layers of design section 2 lean one way only, and the browser stays behind its feature.

#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::panic, clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

/// Each layer, with the layers that it may use.
const MAY_USE: [(&str, &[&str]); 13] = [
    ("limits", &[]),
    ("codec", &["limits"]),
    ("archive", &["codec", "limits"]),
    ("work", &[]),
    ("verify", &["archive", "codec", "limits"]),
    ("trust", &["archive", "codec", "limits", "verify"]),
    ("historywork", &["archive", "codec", "limits", "trust", "verify", "work"]),
    ("explore", &["archive", "codec", "limits", "trust", "verify"]),
    ("report", &["archive", "codec", "historywork", "trust", "verify"]),
    ("transport", &["archive", "codec"]),
    ("driver", &["archive", "codec", "explore", "historywork", "limits", "report", "transport", "trust", "verify", "work"]),
    ("bindings", &["archive", "codec", "driver", "explore", "historywork", "limits", "report", "transport", "trust", "work"]),
    (
        "lib",
        &["archive", "bindings", "codec", "driver", "explore", "historywork", "limits", "report", "transport", "trust", "verify", "work"],
    ),
];

/// The pure layers, and words that would make them impure.
const PURE: [&str; 8] = ["archive", "codec", "explore", "historywork", "limits", "trust", "verify", "work"];
const IMPURE: [&str; 9] = ["async ", ".await", "std::fs", "std::net", "std::thread", "std::time", "println!", "futures_", "rand::"];

const BROWSER_CRATES: [&str; 5] = ["gloo_", "js_sys", "serde_wasm_bindgen", "wasm_bindgen", "web_sys"];
const BROWSER_ROOMS: [&str; 3] = ["src/bindings/", "src/driver/web.rs", "src/transport/web/"];

#[test]
fn layers_use_only_the_layers_below_them() {
    for (file, text) in sources() {
        let layer = layer_of(&file);
        let may_use =
            MAY_USE.iter().find(|(name, _)| *name == layer).unwrap_or_else(|| panic!("{file}: the layer {layer} is not in the picture")).1;
        for used in uses(&text) {
            assert!(used == layer || may_use.contains(&used.as_str()), "{file}: {layer} uses {used}");
        }
    }
}

#[test]
fn pure_layers_do_no_input_or_output_and_know_no_time() {
    for (file, text) in sources().into_iter().filter(|(file, _)| PURE.contains(&layer_of(file).as_str())) {
        for word in IMPURE {
            assert!(!code(&text).contains(word), "{file}: {word:?} in a pure layer");
        }
    }
}

#[test]
fn browser_crates_stay_in_their_rooms() {
    for (file, text) in sources().into_iter().filter(|(file, _)| !BROWSER_ROOMS.iter().any(|room| file.starts_with(room))) {
        for name in BROWSER_CRATES {
            assert!(
                !code(&text).contains(&format!("{name}::")) && !code(&text).contains(&format!("use {name}")),
                "{file}: {name} outside its room"
            );
        }
    }
}

#[test]
fn nothing_in_the_library_can_panic_on_purpose_without_saying_why() {
    for (file, text) in sources() {
        let shipped = text.split("#[cfg(test)]").next().unwrap();
        for (number, line) in code(shipped).lines().enumerate() {
            let suspicious =
                [".unwrap()", ".expect(", "panic!(", "unreachable!(", "todo!(", "unimplemented!("].iter().any(|word| line.contains(word));
            assert!(!suspicious || line.contains("invariant: "), "{file}:{}: {line}", number + 1);
        }
    }
}

/// The layers named in `crate::` paths of a file.
fn uses(text: &str) -> Vec<String> {
    let code = code(text);
    let names = code.split("crate::").skip(1).map(|rest| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>());
    names.filter(|name| MAY_USE.iter().any(|(layer, _)| layer == name)).collect()
}

fn layer_of(file: &str) -> String {
    file.trim_start_matches("src/").split(['/', '.']).next().unwrap().to_owned()
}

/// The text without comments: prose may name what code may not.
fn code(text: &str) -> String {
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut folders = vec![root.join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
                found.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(found.len() > 20, "the sources were found");
    found
}
