/** In Cloudflare's runtime a `.wasm` that is imported is a module, compiled beforehand. */
declare module '*.wasm' {
  const module: WebAssembly.Module;
  export default module;
}
