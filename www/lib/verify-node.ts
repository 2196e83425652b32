/**
 * `verify.ts` for Node.
 */
import * as glue from '../../target/pkg/stellar_archive_verify.js';
import { nodeHost } from './node-host.ts';
import { createVerifyEngine } from './verify-engine.ts';
import type { VerifyExports } from './verify-engine.ts';

export { quorumSetFromConfig, quorumSetToConfig } from './core-config.ts';
export { directoryReader } from './directory.ts';
export { ArchiveVerifierError, CrashError } from './errors.ts';
export type { WasmInput } from './instance.ts';
export type { Run } from './run.ts';
export type * from './types.ts';

// Its generator knows less of the types than we do.
const wasm: VerifyExports = glue;

export const {
  init, verifyArchive, downloadCheckpoint, archiveStatus, checkHeader, checkpointLog, repairPlan, prometheusText, versions, networkPresets,
  quorumSetPresets, wasmMemoryBytes,
} = createVerifyEngine(wasm, nodeHost('stellar_archive_verify_bg.wasm'));
