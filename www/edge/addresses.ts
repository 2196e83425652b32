/**
 * Which addresses may be on the list of archives: public ones, over https.
 *
 * The list decides what is fetched; this keeps a slip in it from opening the inside of a network. Names are judged by how they are
 * written: what they resolve to is up to Cloudflare's runtime, which reaches the public internet only.
 *
 * Not here: the list (`config.ts`), and redirects (`upstream.ts`).
 */

/** IPv4 networks that are not the public internet (IANA's special-purpose registry), each with the length of its prefix. */
const SPECIAL_V4: readonly (readonly [address: string, bits: number])[] = [
  ['0.0.0.0', 8], ['10.0.0.0', 8], ['100.64.0.0', 10], ['127.0.0.0', 8], ['169.254.0.0', 16], ['172.16.0.0', 12], ['192.0.0.0', 24],
  ['192.0.2.0', 24], ['192.88.99.0', 24], ['192.168.0.0', 16], ['198.18.0.0', 15], ['198.51.100.0', 24], ['203.0.113.0', 24],
  ['224.0.0.0', 4], ['240.0.0.0', 4],
];

/** Of IPv6 only 2000::/3 is public; these of it are not: protocol assignments with Teredo, documentation, 6to4. */
const SPECIAL_V6: readonly (readonly [groups: readonly number[], bits: number])[] = [
  [[0x2001, 0], 23], [[0x2001, 0x0db8], 32], [[0x2002], 16], [[0x3fff], 20],
];

const INSIDE = /(^|\.)(localhost|local|localdomain|internal|intranet|lan|home|corp|private|test|invalid|onion|arpa)$/;

const LOOPBACK = new Set(['127.0.0.1', '[::1]', 'localhost']);

/** The root of an archive by what is written in the list, ending with a slash; throws what is wrong with it. */
export function archiveRoot(text: string, allowLoopback: boolean): URL {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new Error('it is no URL');
  }
  if (url.username !== '' || url.password !== '') throw new Error('it has a user name or a password');
  if (url.search !== '' || url.hash !== '' || /[?#]/.test(text)) throw new Error('it has a query or a fragment');
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  if (/%|\/\/|\\/.test(url.pathname)) throw new Error('its path has escapes or empty parts');
  if (allowLoopback && LOOPBACK.has(url.hostname) && /^https?:$/.test(url.protocol)) return url;
  if (url.protocol !== 'https:') throw new Error('it does not begin with https:');
  const fault = hostFault(url.hostname);
  if (fault !== null) throw new Error(fault);
  return url;
}

/** What keeps a host, as `URL` writes it (numbers in any notation become dotted ones), from being a public one. */
export function hostFault(host: string): string | null {
  if (host.startsWith('[')) return isPublicV6(host.slice(1, -1)) ? null : `${host} is no public address`;
  if (/^\d+(\.\d+){3}$/.test(host)) {
    const address = v4(host);
    return SPECIAL_V4.some(([network, bits]) => address >>> (32 - bits) === v4(network) >>> (32 - bits)) ? `${host} is no public address` : null;
  }
  if (host.endsWith('.')) return `${host} ends with a dot`;
  if (!host.includes('.') || INSIDE.test(host)) return `${host} is a name inside of a network`;
  return null;
}

function v4(dotted: string): number {
  return dotted.split('.').reduce((address, part) => address * 256 + Number(part), 0) >>> 0;
}

function isPublicV6(text: string): boolean {
  const groups = v6(text);
  const has = (network: readonly number[], bits: number): boolean =>
    groups.every((group, index) => {
      const kept = Math.min(16, Math.max(0, bits - index * 16));
      return group >>> (16 - kept) === (network[index] ?? 0) >>> (16 - kept);
    });
  return has([0x2000], 3) && !SPECIAL_V6.some(([network, bits]) => has(network, bits));
}

/** The eight groups. `URL` writes no dotted tail, and `::` at most once. */
function v6(text: string): number[] {
  const [left = '', right] = text.split('::');
  const groups = (part: string): number[] => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16)));
  if (right === undefined) return groups(left);
  const [before, after] = [groups(left), groups(right)];
  return [...before, ...new Array<number>(8 - before.length - after.length).fill(0), ...after];
}
