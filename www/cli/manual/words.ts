/** Words and groups of options that several pages of the manual share. Not here: any page. */
import type { OptionGroup, OptionLine } from './page.ts';

export const ARCHIVE = 'An archive is the URL of its root (http or https), a local folder, or a name of the config file (see help config). The root is where .well-known/stellar-history.json lies.';

export const DESTINATION = 'A destination is a folder, s3://BUCKET/PREFIX, the URL of a WebDAV server (webdav://, webdavs://, http or https; user and password in the URL or in the environment), or a name of the config file for one of these.';

export const CORE_TESTNET = 'https://history.stellar.org/prd/core-testnet/core_testnet_001';
export const CORE_LIVE = 'https://history.stellar.org/prd/core-live/core_live_001';

export const QUORUM_SET: OptionLine = ['quorum-set', 'the validators that you believe: pubnet, pubnet-packages, pubnet-sdf, testnet, futurenet, or none; a name of the config file; or a file with a quorum set as JSON, or a stellar-core configuration, whose NETWORK_PASSPHRASE counts as --network; default: the preset of the network'];

export const TRUST: OptionGroup = { title: 'Whose word counts', options: [QUORUM_SET, 'trusted-hash', 'trusted-checkpoint-hashes'] };

export const READING: readonly OptionLine[] = ['concurrency', 'max-retries', 'timeout-secs'];

/** What every command takes. */
export const EVERYWHERE_OPTIONS: OptionGroup = { title: 'Of every command', options: ['config', 'color', 'help'] };

export const EVENTS = 'print events as JSON, one a line; the last line is {"type":"report","report":{…}}, or {"type":"error","code":…,"message":…} where there can be no report';

export const LIMITS = 'could not complete: usage, network, a limit, or cancelled';
