/**
 * What only Node has. The other entries have it by name, so that one import serves every host, and say what there is instead.
 */
import { ArchiveVerifierError } from './errors.ts';
import type { ArchiveReader } from './types.ts';
import type { StagedWriter } from './writers/staged.ts';

function elsewhere(name: string): ArchiveVerifierError {
  return new ArchiveVerifierError('UNSUPPORTED', `${name}(path) needs Node: there are no folders by their paths here`, {
    advice: 'In a browser have the user pick a folder, and pass folderWriter(handle); for an archive in memory, memoryArchive().',
  });
}

/** An archive in a local folder, in Node. Throws `UNSUPPORTED` elsewhere. */
export function directoryReader(_path: string): ArchiveReader {
  throw elsewhere('directoryReader');
}

/** An archive in a local folder to write to, in Node. Throws `UNSUPPORTED` elsewhere. */
export function directoryWriter(_path: string): ArchiveReader & StagedWriter {
  throw elsewhere('directoryWriter');
}
