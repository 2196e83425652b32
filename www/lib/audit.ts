/**
 * The five steps of an audit in parts, over the WebAssembly.
 *
 * Not here: an engine that takes them. `www/edge/audit` is one, on Cloudflare's queues.
 */
import type { AuditOptions, AuditPart, AuditState, AuditTask } from './audit-types.ts';
import type { Instance } from './instance.ts';
import { AUDIT_OPTIONS, plainOptions, plainSource } from './plain.ts';
import type { Plain, PlainSource } from './plain.ts';
import type { ArchiveSource, Report, RunEvent } from './types.ts';

export interface AuditEngine {
  beginAudit(source: ArchiveSource, options?: AuditOptions): Promise<AuditState>;
  verifyAuditPart(source: ArchiveSource, task: AuditTask, begun: Uint8Array, options?: AuditOptions): Promise<AuditPart>;
  joinAuditParts(state: Uint8Array, parts: readonly Uint8Array[], options?: AuditOptions): AuditState;
  giveUpAuditPart(task: AuditTask, begun: Uint8Array, why: string, options?: AuditOptions): AuditPart;
  finishAudit(source: ArchiveSource, state: Uint8Array, options?: AuditOptions): Promise<Report>;
}

/** The exports for it. */
export interface AuditExports {
  beginAudit(source: PlainSource, options: Plain<AuditOptions>, signal: AbortSignal): Promise<AuditState>;
  verifyAuditPart(source: PlainSource, task: AuditTask, begun: Uint8Array, options: Plain<AuditOptions>, signal: AbortSignal): Promise<AuditState>;
  joinAuditParts(state: Uint8Array, parts: Uint8Array[], options: Plain<AuditOptions>): AuditState;
  giveUpAuditPart(task: AuditTask, begun: Uint8Array, why: string, options: Plain<AuditOptions>): AuditState;
  finishAudit(
    source: PlainSource, state: Uint8Array, options: Plain<AuditOptions>, onEvent: (event: RunEvent) => void, signal: AbortSignal,
  ): Promise<Report>;
}

export function auditOver(wasm: AuditExports, { ask, call, checkAddresses }: Instance): AuditEngine {
  const plain = (options: AuditOptions): Plain<AuditOptions> => plainOptions(options, AUDIT_OPTIONS);

  function checked(source: ArchiveSource): PlainSource {
    const one = plainSource(source);
    checkAddresses([one]);
    return one;
  }

  return {
    async beginAudit(source, options = {}) {
      const [from, rest] = [checked(source), plain(options)];
      return ask('beginAudit', options.signal, ({ signal }) => wasm.beginAudit(from, rest, signal));
    },
    async verifyAuditPart(source, task, begun, options = {}) {
      const [from, rest] = [checked(source), plain(options)];
      return partOf(await ask('verifyAuditPart', options.signal, ({ signal }) => wasm.verifyAuditPart(from, task, begun, rest, signal)));
    },
    joinAuditParts: (state, parts, options = {}) => call('joinAuditParts', () => wasm.joinAuditParts(state, [...parts], plain(options))),
    giveUpAuditPart: (task, begun, why, options = {}) => partOf(call('giveUpAuditPart', () => wasm.giveUpAuditPart(task, begun, why, plain(options)))),
    async finishAudit(source, state, options = {}) {
      const [from, rest] = [checked(source), plain(options)];
      const report = await ask('finishAudit', options.signal, ({ signal }) => wasm.finishAudit(from, state, rest, () => undefined, signal));
      // The last step knows its own time only; the audit began when its report says.
      return { ...report, elapsedMs: Math.max(report.elapsedMs, Date.now() - Date.parse(report.startedAt)) };
    },
  };
}

function partOf({ state, unreadable, requests, compressedBytes, findings }: AuditState): AuditPart {
  return { part: state, unreadable, requests, compressedBytes, findings };
}
