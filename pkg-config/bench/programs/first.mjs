/** Ends with the first checkpoint of the archive in `argv` that is verified, and with 1 where none is. */
import { argv, exit } from 'node:process';
import { directoryReader, verifyArchive } from '../../../dist/node.mjs';

for await (const event of verifyArchive(directoryReader(argv[2]))) {
  if (event.type === 'checkpoint') exit(Object.values(event.status).every((status) => status === 'verified') ? 0 : 1);
}
exit(1);
