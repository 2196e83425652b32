/**
 * Answers that are no success, as RFC 9457 has them: `application/problem+json` with type, title, status and detail.
 *
 * Not here: findings. An archive that is wrong is an answer with status 200.
 */

/** Every kind of problem: its status, and its title, which is the same whenever it occurs. */
const KINDS = {
  'archive-busy': [503, 'The archive asks for fewer requests'],
  'archive-faulty': [502, 'The archive has no sound files there'],
  'archive-forbids': [403, 'The archive does not give this file'],
  'archive-unknown': [404, 'This archive is not on the list'],
  'archive-unreachable': [502, 'The archive does not answer'],
  'audit-unknown': [404, 'There is no such audit'],
  'audit-over': [409, 'The audit is past that'],
  'bad-parameter': [400, 'A parameter is not what it must be'],
  'bad-range': [400, 'The range of ledgers is not one that can be asked for'],
  'busy': [503, 'Too much is being verified already'],
  'configuration': [500, 'This worker is not set up'],
  'crashed': [500, 'The verifier stopped'],
  'file-too-large': [502, 'The file is larger than this worker relays'],
  'method-not-allowed': [405, 'There is no such method here'],
  'no-report': [404, 'There is no report yet'],
  'not-found': [404, 'There is nothing here'],
  'path-unknown': [404, 'No archive has such a file'],
  'not-allowed': [401, 'This takes the token of whoever runs this worker'],
  'not-enabled': [403, 'This worker does not do that'],
  'range-not-satisfiable': [416, 'The file has no such bytes'],
  'rate-limited': [429, 'Too many requests'],
  'timeout': [504, 'It took too long'],
  'transaction-not-found': [404, 'The transaction was not found'],
  'uri-too-long': [414, 'The address is too long'],
} as const;

export type ProblemKind = keyof typeof KINDS;

const TYPE = 'urn:stellar-archive-verifier:problem:';

/** What a handler throws to answer so. */
export class Problem extends Error {
  readonly kind: ProblemKind;
  readonly headers: Readonly<Record<string, string>>;

  constructor(kind: ProblemKind, detail: string, headers: Readonly<Record<string, string>> = {}) {
    super(detail);
    this.kind = kind;
    this.headers = headers;
  }

  get status(): number {
    return KINDS[this.kind][0];
  }

  toJSON(): { readonly type: string; readonly title: string; readonly status: number; readonly detail: string } {
    const [status, title] = KINDS[this.kind];
    return { type: TYPE + this.kind, title, status, detail: this.message };
  }
}

export function problemResponse(problem: Problem, head = false): Response {
  return new Response(head ? null : `${JSON.stringify(problem)}\n`, {
    status: problem.status,
    headers: { ...problem.headers, ...PLAIN, 'content-type': 'application/problem+json', 'cache-control': 'no-store' },
  });
}

/** What every answer has: any page may read it, and no browser takes it for something else. */
export const PLAIN: Readonly<Record<string, string>> = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'Accept-Ranges, Age, Content-Length, Content-Range, ETag, Last-Modified, Location, Retry-After, WWW-Authenticate, X-Relay-Cache',
  'content-security-policy': "default-src 'none'; sandbox; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'cross-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/** Something that somebody sent, short enough and harmless enough to be told. */
export function quoted(text: string): string {
  const short = text.length > 80 ? `${text.slice(0, 80)}…` : text;
  return JSON.stringify(short).replace(/[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, '?');
}
