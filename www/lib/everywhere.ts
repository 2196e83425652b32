/**
 * What every entry exports beside the functions that ask the WebAssembly: errors, workers, writers, types.
 */
export { quorumSetFromConfig, quorumSetToConfig } from './core-config.ts';
export { ArchiveVerifierError, CrashError } from './errors.ts';
export { estimateInWorker, mirrorInWorker, repairInWorker } from './copy-client.ts';
export { verifyInWorker } from './worker-client.ts';
export { folderWriter, opfsArchive } from './writers/browser-folder.ts';
export { ArchiveWriteError } from './writers/errors.ts';
export { memoryArchive } from './writers/memory.ts';
export { r2Writer } from './writers/r2.ts';
export { s3Writer } from './writers/s3.ts';
export { stagedWriter } from './writers/staged.ts';
export { zipArchive } from './writers/zip.ts';
export type * from './audit-types.ts';
export type { ConfigQuorumSet } from './core-config.ts';
export type * from './explore-types.ts';
export type { Claim as CheckClaim } from './explore-types.ts';
export type { WasmInput } from './instance.ts';
export type { CopyRun, Run } from './run.ts';
export type * from './types.ts';
export type { Claim } from './types.ts';
export type { MemoryArchive } from './writers/memory.ts';
export type { PresignedOptions } from './writers/presigned.ts';
export type { R2BucketLike, R2Options, R2UploadLike } from './writers/r2.ts';
export type { S3Options } from './writers/s3.ts';
export type { StagedWriter } from './writers/staged.ts';
export type { WebdavOptions } from './writers/webdav.ts';
export type { ZipArchive } from './writers/zip.ts';
