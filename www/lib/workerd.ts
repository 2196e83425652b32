/**
 * The package's entry for Cloudflare's runtime, where WebAssembly is imported: it compiles none while it runs.
 *
 * Not here: a worker (`www/edge`), and anything that happens at import.
 */
import module from '../../target/pkg/stellar_archive_verifier_bg.wasm';
import { createEngine } from './engine.ts';
import { workerdHost } from './workerd-host.ts';

export { directoryReader, directoryWriter } from './elsewhere.ts';
export * from './everywhere.ts';
export { presignedWriter } from './writers/presigned.ts';
export { webdavWriter } from './writers/webdav.ts';

export const {
  init, verifyArchive, downloadCheckpoint, ledgerProvenance, archiveStatus, checkHeader, dumpFile, checkpointLog, verifyCheckpoints,
  recentQuorumSets, compareArchives, proveTransaction, proveEntry, verifyProof, mirrorArchive, repairArchive, estimateMirror, newHistory,
  publishCheckpoint, beginAudit, verifyAuditPart, joinAuditParts, giveUpAuditPart, finishAudit, exploreArchive, repairPlan, prometheusText,
  versions, networkPresets, quorumSetPresets, wasmMemoryBytes,
} = createEngine(workerdHost(module));
