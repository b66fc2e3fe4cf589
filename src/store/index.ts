/** What the other parts use of the store. */
export { digest, sha256, type Pin } from './checksum.js'
export { download } from './download.js'
export { ioError } from './io-error.js'
export { localStore } from './local.js'
export { isRemote, storeOf } from './open.js'
export { putFile, putFolder } from './put-file.js'
export type { ObjectInfo } from './store.js'
export { temporaryDir, temporaryFile } from './temporary.js'
