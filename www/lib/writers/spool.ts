/**
 * Where the bytes of a large file wait until all of it can be sent. Not here: files on a disk (`file-spool.ts`, Node).
 */

/** As much of one file as is kept in memory. */
export const GATHER_LIMIT = 32 << 20;

/** What `fetch` sends, and how long it is. */
export interface Payload {
  readonly body: Blob | ReadableStream<Uint8Array>;
  readonly length: number;
}

export interface Spool {
  write(chunk: Uint8Array): Promise<void>;
  /** Everything written so far. */
  payload(): Promise<Payload>;
  /** Leaves nothing behind. */
  close(): Promise<void>;
}

/** Blobs, which browsers keep on the disk where they are large. */
export function blobSpool(): Blobs {
  let whole = new Blob([]);
  let chunks: Uint8Array<ArrayBuffer>[] = [];
  let waiting = 0;
  /** Many small blobs would be slow, one copy of all for each chunk slower. */
  function settle(): Blob {
    if (chunks.length > 0) whole = new Blob([whole, ...chunks]);
    chunks = [];
    waiting = 0;
    return whole;
  }
  return {
    async write(chunk) {
      chunks.push(new Uint8Array(chunk));
      waiting += chunk.length;
      if (waiting >= GATHER_LIMIT) settle();
    },
    async payload() {
      const body = settle();
      return { body, length: body.size };
    },
    blob: settle,
    async close() {
      whole = new Blob([]);
      chunks = [];
    },
  };
}

export interface Blobs extends Spool {
  /** Everything written so far. */
  blob(): Blob;
}
