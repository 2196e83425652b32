/**
 * The package without what proves, looks inside, mirrors and publishes: two thirds of the WebAssembly, the same verdicts. The functions are those
 * that `index.ts` documents.
 */
import * as glue from '../../target/pkg/stellar_archive_verify.js';
import { createVerifyEngine } from './verify-engine.ts';
import type { VerifyExports } from './verify-engine.ts';
import { webHost } from './web-host.ts';

export { quorumSetFromConfig, quorumSetToConfig } from './core-config.ts';
export { directoryReader } from './elsewhere.ts';
export { ArchiveVerifierError, CrashError } from './errors.ts';
export type { WasmInput } from './instance.ts';
export type { Run } from './run.ts';
export type * from './types.ts';

// Its generator knows less of the types than we do.
const wasm: VerifyExports = glue;

export const {
  init, verifyArchive, downloadCheckpoint, archiveStatus, checkHeader, checkpointLog, repairPlan, prometheusText, versions, networkPresets,
  quorumSetPresets, wasmMemoryBytes,
} = createVerifyEngine(wasm, webHost(() => new URL('../../target/pkg/stellar_archive_verify_bg.wasm', import.meta.url)));
