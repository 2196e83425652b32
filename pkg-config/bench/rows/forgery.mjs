/** A history that agrees with itself, under testnet's passphrase, but signed by made-up validators: who passes it. No speed. */
import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PEER, installPeer } from '../../peer.mjs';
import { TARGET, absolute, once, step } from '../../run.mjs';

const GROUP = 'a history forged under testnet\'s passphrase';
const call = promisify(execFile);

export async function rows({ peers }) {
  const ours = async (dir) => [process.execPath, absolute('dist/cli.mjs'), 'verify', dir];
  const theirs = async (dir) => [await installPeer(), '--verify', 'scan', `file://${dir}`];
  const row = (id, name, role, command) => ({
    id: `forgery/${id}`, group: GROUP, name, role, once: true,
    open: async () => {
      const [program, ...args] = await command(await forgery());
      return {
        run: async () => {
          const exit = await call(program, args).then(() => 0, ({ code }) => code);
          return { metrics: {}, facts: { outcome: `${exit === 0 ? 'passes it' : 'refuses it'} (exit status ${exit})` } };
        },
      };
    },
  });
  return [row('ours', 'stellar-archive-verifier', 'ours', ours), ...(peers ? [row('peer', `${PEER.name} ${PEER.version}`, 'other', theirs)] : [])];
}

const forgery = once(async () => {
  const dir = absolute('target/bench/forgery');
  await step('a forged history', async ({ run }) => {
    await rm(dir, { recursive: true, force: true });
    await run('cargo', ['build', '--profile', 'xtask', '-p', 'sample-archive']);
    await run(join(TARGET, 'xtask/sample-archive'), ['--passphrase', 'Test SDF Network ; September 2015', dir]);
  });
  return dir;
});
