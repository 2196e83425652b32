/**
 * What an audit would take, before it begins: requests, bytes, CPU time, messages, time and money, each from a named assumption.
 *
 * The simulation (`pkg-config/simulate-audit.mjs`) counts what this computes, from the same assumptions and the same prices.
 * Not here: anything that is measured while an audit runs.
 */
import type { AuditEstimate } from '../../lib/audit-client.ts';

/** Cloudflare's prices in USD for what is beyond the paid plan's share, and that share a month. The plan itself is 5 USD a month. */
export const PRICES = {
  asOf: '2026-11-21',
  sources: [
    'https://developers.cloudflare.com/workers/platform/pricing/',
    'https://developers.cloudflare.com/queues/platform/pricing/',
    'https://developers.cloudflare.com/durable-objects/platform/pricing/',
  ],
  /** Invocations, queue consumers included. */
  workerRequests: { perMillion: 0.3, included: 10e6 },
  cpuMs: { perMillion: 0.02, included: 30e6 },
  /** A message is three: written, read, deleted; every further delivery is one. */
  queueOperations: { perMillion: 0.4, included: 1e6 },
  objectRequests: { perMillion: 0.15, included: 1e6 },
  /** Of 128 MB each while it is awake. */
  objectGbSeconds: { perMillion: 12.5, included: 400e3 },
  rowsWritten: { perMillion: 1, included: 50e6 },
} as const;

/** What is taken for granted of the archive and the way to it, and why. */
export const ASSUMPTIONS = {
  filesPerCheckpoint: [5, 'state, headers, transactions, results, SCP: the format of history archives'],
  newBucketsPerCheckpoint: [8, 'buckets that no earlier checkpoint has, on the average of the public network'],
  bytesPerCheckpoint: [7e6, 'the public network: about 7 TB in about a million checkpoints, buckets included'],
  bucketShare: [0.5, 'of those bytes: buckets have 46.5 of 90.1 MB in the test network’s archive that was measured'],
  inflation: [3.4, 'inflated bytes for each compressed one: 90.1 MB from 26.6 MB in the same archive'],
  inflatedBytesPerCpuSecond: [100e6, 'WebAssembly on one core of 2026, all of a verification: 48.2 MB of the test network took 0.5 s'],
  requestSeconds: [0.08, 'from request to first byte, a guess for an archive on another provider’s object store'],
  connections: [6, 'at a time in one invocation: https://developers.cloudflare.com/workers/platform/limits/'],
  consumerBytesPerSecond: [20e6, 'a guess for one invocation'],
  archiveRequestsPerSecond: [5500, 'for each prefix, from which on S3 answers 503: https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html'],
  overheadSeconds: [0.5, 'for each task: the queue, the coordinator, waking an isolate; a guess'],
} as const;

const BUCKETS_A_TASK = 8;
const CONSUMERS = [1, 10, 50, 100, 250];
/** One coordinator's memory. */
const OBJECT_GB = 0.128;
/** For each part: its task four times over, the part, the joined state, the progress of each event. The simulation counts about as many. */
const ROWS_A_TASK = 12;
const QUEUE_OPERATIONS = 3;
/** Take and deliver. */
const OBJECT_REQUESTS = 2;

export interface Usage {
  readonly invocations: number;
  readonly cpuSeconds: number;
  readonly queueOperations: number;
  readonly objectRequests: number;
  readonly objectSeconds: number;
  readonly rowsWritten: number;
}

export function estimate(archive: string, range: { readonly low: number; readonly high: number }, checkpoints: number, partSize: number, buckets: boolean): AuditEstimate {
  const parts = Math.ceil(checkpoints / partSize);
  // A part leaves the buckets of its first checkpoint to tasks of their own.
  const bucketTasks = buckets ? Math.ceil((parts * given('newBucketsPerCheckpoint')) / BUCKETS_A_TASK) : 0;
  const tasks = parts + bucketTasks + 1;
  const { requests, bytes } = reading(checkpoints, buckets);
  const cpuSeconds = cpuOf(bytes);
  const wall = CONSUMERS.map((consumers) => ({ consumers, hours: round(hoursOf({ requests, bytes, tasks }, consumers, parts)) }));
  const longest = Math.max(...wall.slice(1).map(({ hours }) => hours));
  const usage: Usage = {
    invocations: tasks, cpuSeconds, queueOperations: tasks * QUEUE_OPERATIONS, objectRequests: tasks * OBJECT_REQUESTS, objectSeconds: longest * 3600, rowsWritten: tasks * ROWS_A_TASK,
  };
  return {
    archive, range, checkpoints, parts, requests, bytes, cpuSeconds: Math.round(cpuSeconds), messages: tasks,
    usd: round(costOf(usage, true)), usdWithoutShare: round(costOf(usage, false)),
    wall, assumptions: assumptions(),
  };
}

/** What `checkpoints` take to be read. */
export function reading(checkpoints: number, buckets: boolean): { readonly requests: number; readonly bytes: number } {
  return {
    requests: checkpoints * (given('filesPerCheckpoint') + (buckets ? given('newBucketsPerCheckpoint') : 0)),
    bytes: checkpoints * given('bytesPerCheckpoint') * (buckets ? 1 : 1 - given('bucketShare')),
  };
}

export function cpuOf(bytes: number): number {
  return (bytes * given('inflation')) / given('inflatedBytesPerCpuSecond');
}

/** How long one consumer is at it: requests beside each other, bytes through its line, and the CPU in turn with both. */
export function secondsOf({ requests, bytes, tasks }: { readonly requests: number; readonly bytes: number; readonly tasks: number }): number {
  return (requests * given('requestSeconds')) / given('connections') + bytes / given('consumerBytesPerSecond') + cpuOf(bytes) + tasks * given('overheadSeconds');
}

export function costOf({ invocations, cpuSeconds, queueOperations, objectRequests, objectSeconds, rowsWritten }: Usage, afterShare: boolean): number {
  const price = ({ perMillion, included }: { readonly perMillion: number; readonly included: number }, count: number): number =>
    (Math.max(0, count - (afterShare ? included : 0)) / 1e6) * perMillion;
  return (
    price(PRICES.workerRequests, invocations) + price(PRICES.cpuMs, cpuSeconds * 1000) + price(PRICES.queueOperations, queueOperations) +
    price(PRICES.objectRequests, objectRequests) + price(PRICES.objectGbSeconds, objectSeconds * OBJECT_GB) + price(PRICES.rowsWritten, rowsWritten)
  );
}

export function given(name: keyof typeof ASSUMPTIONS): number {
  return ASSUMPTIONS[name][0];
}

/** Each in a line. */
export function assumptions(): readonly string[] {
  return [
    ...Object.entries(ASSUMPTIONS).map(([name, [value, why]]) => `${name} ${value}: ${why}`),
    `prices of Cloudflare as of ${PRICES.asOf}, beside the plan’s 5 USD a month; nothing is charged for what is downloaded: ${PRICES.sources.join(' ')}`,
  ];
}

function hoursOf(work: { readonly requests: number; readonly bytes: number; readonly tasks: number }, consumers: number, parts: number): number {
  const alone = secondsOf(work);
  // No more at a time than there are parts, and no more than the archive gives.
  return Math.max(alone / Math.min(consumers, parts), work.requests / given('archiveRequestsPerSecond')) / 3600;
}

function round(value: number): number {
  return Number(value.toPrecision(3));
}
