/** `npm run gallery [-- FILE]`: one HTML page with a picture of every chart, `docs/gallery.html` by default. */
import { join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { rolldown } from 'rolldown'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = join(root, '.cache', 'gallery')
const page = resolve(process.argv[2] ?? join(root, 'docs', 'gallery.html'))

// The samples are the tests' own, in TypeScript, and not part of the build.
const bundle = await rolldown({ input: join(root, 'test/viz/gallery.ts'), platform: 'node', external: /^[^./]/ })
const script = join(folder, 'gallery.mjs')
await bundle.write({ file: script, codeSplitting: false })
await bundle.close()
const { gallery } = await import(pathToFileURL(script).href)
process.stdout.write(`${await gallery(page)} charts in ${page}\n`)
