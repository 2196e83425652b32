/**
 * Large files in parts, for object stores: what was gathered is sent whenever it is enough for a part, and nothing is visible before the
 * store has put the parts together. Not here: any store.
 */
import type { ArchiveWriter, StagedFile } from '../types.ts';
import { checkedPath } from './path.ts';
import { GATHER_LIMIT } from './spool.ts';
import { joined, stagedFile } from './staged.ts';
import type { Asked } from './staged.ts';

/** All parts but the last are of one size, as some stores want it; 10,000 of them are as many as stores take: 160 GB. */
const PART = 16 << 20;

/** An upload that the store has begun. */
export interface PartsUpload {
  /** `number` counts from 1. */
  part(number: number, content: Uint8Array): Promise<void>;
  complete(): Promise<void>;
  abort(): Promise<void>;
}

export interface PartsPlace {
  readonly put: ArchiveWriter['put'];
  begin(path: string, options: Asked): Promise<PartsUpload>;
}

/** A staged file of `place`: whole if it is not large, else in parts. */
export function stagedInParts(path: string, options: Asked, place: PartsPlace): StagedFile {
  let waiting: Uint8Array[] = [];
  let length = 0;
  let sent = 0;
  let upload: PartsUpload | undefined;

  /** Sends whole parts; what is left waits. */
  async function send(): Promise<void> {
    upload ??= await place.begin(path, options);
    const content = joined(waiting);
    let from = 0;
    for (; content.length - from >= PART; from += PART) {
      options.signal.throwIfAborted();
      sent += 1;
      await upload.part(sent, content.subarray(from, from + PART));
    }
    waiting = [content.slice(from)];
    length = content.length - from;
  }

  checkedPath(path);
  return stagedFile(path, options, {
    async write(chunk) {
      waiting.push(chunk.slice());
      length += chunk.length;
      if (length > (upload === undefined ? GATHER_LIMIT : PART)) await send();
    },
    async commit() {
      const rest = joined(waiting);
      waiting = [];
      if (upload === undefined) return place.put(path, rest, options);
      if (rest.length > 0) await upload.part(sent + 1, rest);
      options.signal.throwIfAborted();
      await upload.complete();
    },
    async abort() {
      waiting = [];
      await upload?.abort();
    },
  });
}
