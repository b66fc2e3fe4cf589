/** What the other parts use of the store. */
export { sha256, type Pin } from './checksum.js'
export { download } from './download.js'
export { ioError } from './io-error.js'
export { localStore, putFile } from './local.js'
export { temporaryDir, temporaryFile } from './temporary.js'
