/** The variables of the environment that the program reads. Not here: reading them. */

export const ENVIRONMENT = {
  STELLAR_ARCHIVE_VERIFIER_CONFIG: 'the config file, where there is no --config',
  XDG_CONFIG_HOME: 'the folder of config files, an absolute path; default: ~/.config (on macOS ~/Library/Application Support)',
  APPDATA: 'the same on Windows',
  NO_COLOR: 'anything but nothing: no colours',
  FORCE_COLOR: 'anything but nothing: colours also where there is no terminal; 0 or false: none',
  CLICOLOR_FORCE: 'the same, but 0 changes nothing',
  CLICOLOR: '0: no colours',
  TERM: 'dumb: no colours, and no progress bar',
  STELLAR_ARCHIVE_WORKER: 'for audit: the address of the edge worker, where there is no --worker',
  STELLAR_ARCHIVE_AUDIT_TOKEN: 'and the token that it wants, where there is no --token-file',
  AWS_ACCESS_KEY_ID: 'for s3:// destinations: who writes',
  AWS_SECRET_ACCESS_KEY: 'and the secret to it',
  AWS_SESSION_TOKEN: 'and for keys that last a while only',
  AWS_REGION: 'the region of the bucket; also AWS_DEFAULT_REGION',
  AWS_ENDPOINT_URL: "the URL of a store that is not Amazon's; also AWS_ENDPOINT_URL_S3",
  WEBDAV_USER: 'for WebDAV destinations whose URL names nobody: who writes',
  WEBDAV_PASSWORD: 'and the password',
} as const satisfies Readonly<Record<string, string>>;

export type VariableName = keyof typeof ENVIRONMENT;

/** Those that every command reads. */
export const EVERYWHERE: readonly VariableName[] = ['STELLAR_ARCHIVE_VERIFIER_CONFIG', 'NO_COLOR', 'FORCE_COLOR', 'CLICOLOR_FORCE', 'CLICOLOR', 'TERM'];
/** Those of places that are written over a network. */
export const DESTINATIONS: readonly VariableName[] = [
  'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'AWS_REGION', 'AWS_ENDPOINT_URL', 'WEBDAV_USER', 'WEBDAV_PASSWORD',
];
