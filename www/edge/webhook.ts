/**
 * Telling somebody of a change: one POST of JSON, signed as Standard Webhooks 1.0 has it (`webhook-id`, `webhook-timestamp`,
 * `webhook-signature`: HMAC-SHA256 over `id.timestamp.body`).
 *
 * Not here: what is told, and how often it is tried (`watch.ts`).
 */
import type { Config } from './config.ts';
import type { Alert } from './store.ts';

const ANSWER_MS = 10_000;

/** Throws unless the receiver answers with a 2xx. */
export async function send({ id, body }: Alert, { url, secret }: NonNullable<Config['webhook']>): Promise<void> {
  const timestamp = String(Math.floor(Date.now() / 1000));
  const headers: Record<string, string> = { 'content-type': 'application/json', 'user-agent': 'stellar-archive-verifier', 'webhook-id': id, 'webhook-timestamp': timestamp };
  if (secret !== null) headers['webhook-signature'] = `v1,${await signature(`${id}.${timestamp}.${body}`, secret)}`;
  const response = await fetch(url, { method: 'POST', body, headers, redirect: 'manual', signal: AbortSignal.timeout(ANSWER_MS) });
  await response.body?.cancel();
  if (!response.ok) throw new Error(`the receiver answers HTTP ${response.status}`);
}

/** A secret that begins with `whsec_` is base64 behind that; any other is taken as it is written. */
async function signature(text: string, secret: string): Promise<string> {
  const encoder = new TextEncoder();
  const raw = secret.startsWith('whsec_') ? Uint8Array.from(atob(secret.slice('whsec_'.length)), (char) => char.charCodeAt(0)) : encoder.encode(secret);
  const key = await crypto.subtle.importKey('raw', raw, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  const bytes = new Uint8Array(await crypto.subtle.sign('HMAC', key, encoder.encode(text)));
  return btoa(String.fromCharCode(...bytes));
}
