/**
 * Writes `docs/ops.md`: every kernel of TensorFlow.js and which engine computes it where. From the engines' own tables, read off
 * the built package: `node tools/op-table.mjs` writes it, `--check` says whether it is up to date.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const path = `${root}docs/ops.md`

/** A module of the build. @param {string} name */
const built = (name) => import(new URL(`../dist/src/engine/${name}.js`, import.meta.url).href)

/** The page. @returns {Promise<string>} */
async function page() {
  const { openEngine, loadTf } = await built('index')
  const { loweredKernels } = await built('pjrt/lower/index')
  const { hostKernels } = await built('pjrt/kernels')
  const { hostFallbacks } = await built('host-kernels')
  const tf = await loadTf()
  await openEngine('wasm')
  await openEngine('native')
  const browser = ['Draw', 'FromPixels', 'Pool']
  const names = new Set(Object.values(tf).filter((value) => typeof value === 'string' && /^_?[A-Z]\w+$/.test(value)))
  for (const { kernelName } of tf.getKernelsForBackend('tensorflow')) names.add(kernelName)
  for (const name of loweredKernels) names.add(name)
  const has = (/** @type {string} */ backend, /** @type {string} */ kernel) =>
    tf.getKernel(kernel, backend) !== undefined
  const placed = (/** @type {string} */ backend, /** @type {string} */ kernel) =>
    !has(backend, kernel) ? '–' : hostFallbacks(backend).has(kernel) ? 'host' : 'yes'
  const rows = [...names]
    .filter((name) => !browser.includes(name))
    .toSorted((a, b) => (a < b ? -1 : 1))
    .flatMap((name) => {
      const pjrt = loweredKernels.includes(name) ? 'yes' : hostKernels.includes(name) ? 'host' : '–'
      const cells = [placed('tensorflow', name), placed('wasm', name), pjrt]
      return cells.every((cell) => cell === '–') ? [] : [`| ${name} | ${cells.join(' | ')} |`]
    })
  return `# Kernels by engine

Written by \`node tools/op-table.mjs\` from the engines' own tables. **yes**: the engine computes it, in compiled steps too.
**host**: it runs in JavaScript, on values that are read from the engine and written back: right and slow; in a compiled step of
native or pjrt it is an error that names it. **–**: the engine has none. Some engines hand single cases (a padding, a dtype) to
the host where this says yes.

| kernel | native | wasm | pjrt |
|---|---|---|---|
${rows.join('\n')}
`
}

const text = await page()
if (!process.argv.includes('--check')) writeFileSync(path, text)
else if (readFileSync(path, 'utf8') !== text) {
  console.error('docs/ops.md:1: is out of date: node tools/op-table.mjs')
  process.exitCode = 1
}
process.exit()
