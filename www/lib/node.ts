/**
 * The package's entry for Node: what `index.ts` documents, and archives in local folders.
 *
 * Not here: the command line (`www/cli`), and anything that happens at import.
 */
import { createEngine } from './engine.ts';
import { nodeHost } from './node-host.ts';
import type { ArchiveReader } from './types.ts';
import { fileSpool } from './writers/file-spool.ts';
import * as presigned from './writers/presigned.ts';
import type { StagedWriter } from './writers/staged.ts';
import * as webdav from './writers/webdav.ts';

export { directoryReader } from './directory.ts';
export * from './everywhere.ts';
export { directoryWriter } from './writers/folder.ts';

export const {
  init, verifyArchive, downloadCheckpoint, ledgerProvenance, archiveStatus, checkHeader, dumpFile, checkpointLog, verifyCheckpoints,
  recentQuorumSets, compareArchives, proveTransaction, proveEntry, verifyProof, mirrorArchive, repairArchive, estimateMirror, newHistory,
  publishCheckpoint, beginAudit, verifyAuditPart, joinAuditParts, giveUpAuditPart, finishAudit, exploreArchive, repairPlan, prometheusText,
  versions, networkPresets, quorumSetPresets, wasmMemoryBytes,
} = createEngine(nodeHost('stellar_archive_verifier_bg.wasm', 'node-thread.mjs'));

/** An archive whose files each have a signed URL. Large files wait in the temporary folder until they are whole. */
export function presignedWriter(options: presigned.PresignedOptions): ArchiveReader & StagedWriter {
  return presigned.presignedWriter(options, fileSpool);
}

/** An archive on a WebDAV server; its folders are made as needed. Large files wait in the temporary folder until they are whole. */
export function webdavWriter(options: webdav.WebdavOptions): ArchiveReader & StagedWriter {
  return webdav.webdavWriter(options, fileSpool);
}
