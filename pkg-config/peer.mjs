/** The program that others verify, mirror and repair archives with: installed once, for comparisons and for tests with it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { absolute, step } from './run.mjs';

export const PEER = { name: 'stellar-archivist', version: '28.0.0' };

/** Its path, after it was built where it was not there yet. */
export async function installPeer() {
  const root = absolute('target/tools');
  const program = join(root, 'bin', PEER.name);
  if (existsSync(program)) return program;
  await step(`${PEER.name} ${PEER.version} (several minutes)`, ({ run }) =>
    run('cargo', ['install', PEER.name, '--version', PEER.version, '--locked', '--root', root]),
  );
  return program;
}
