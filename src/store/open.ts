/** The store that a path belongs to. */
import { ShardbookError } from '../core/errors.js'
import { httpStore } from './http.js'
import { localStore } from './local.js'
import { s3Store } from './s3.js'
import type { Store } from './store.js'

/** Whether a path is an address on the network. */
export function isRemote(path: string): boolean {
  return /^(?:https?|s3):\/\//i.test(path)
}

/** The store of a path: `s3://`, `http(s)://` or a local file. */
export function storeOf(path: string): Store {
  if (/^s3:/i.test(path)) return s3Store()
  if (!isRemote(path)) return localStore()
  const list = (): Promise<never> =>
    Promise.reject(
      new ShardbookError('argument', `list: expected a path that can be listed, got ${path}: HTTP has no folders.`, {
        hint: 'Name the files one by one, or use an s3:// path.',
      }),
    )
  return { ...httpStore(), list }
}
