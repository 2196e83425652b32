/**
 * The instance of a page or of a worker: one, whichever file of the package asks it.
 */
import { createEngine } from './engine.ts';
import { webHost } from './web-host.ts';

export const engine = createEngine(webHost(() => new URL('../../target/pkg/stellar_archive_verifier_bg.wasm', import.meta.url)));
