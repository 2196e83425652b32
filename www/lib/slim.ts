/**
 * The package's entry for those who bring the WebAssembly themselves: the same functions, and no file that a bundler would follow.
 * `init(module)` has to be called first.
 */
import { createEngine } from './engine.ts';
import { webHost } from './web-host.ts';

export { directoryReader, directoryWriter } from './elsewhere.ts';
export * from './everywhere.ts';
export { presignedWriter } from './writers/presigned.ts';
export { webdavWriter } from './writers/webdav.ts';

export const {
  init, verifyArchive, downloadCheckpoint, ledgerProvenance, archiveStatus, checkHeader, dumpFile, checkpointLog, verifyCheckpoints,
  recentQuorumSets, compareArchives, proveTransaction, proveEntry, verifyProof, mirrorArchive, repairArchive, estimateMirror, newHistory,
  publishCheckpoint, beginAudit, verifyAuditPart, joinAuditParts, giveUpAuditPart, finishAudit, exploreArchive, repairPlan, prometheusText,
  versions, networkPresets, quorumSetPresets, wasmMemoryBytes,
} = createEngine(webHost());
