/** What the other parts use of the store. */
export { matchesPin, sha256, type Pin } from './checksum.js'
export { download, type DownloadOptions } from './download.js'
export { ioError } from './io-error.js'
export { localStore, putFile } from './local.js'
export type { Store } from './store.js'
export { temporaryDir, temporaryFile } from './temporary.js'
