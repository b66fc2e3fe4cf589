/** The version of this package, from its own manifest. */
import { createRequire } from 'node:module'

export function packageVersion(): string {
  const require = createRequire(import.meta.url)
  return (require('shardbook/package.json') as { version: string }).version
}
