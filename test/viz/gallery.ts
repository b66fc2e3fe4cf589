/** A page with a picture of every sample chart: `gallery(path)` writes it, `tools/gallery.mjs` calls that. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { escapeHtml } from '../../src/core/html.js'
import { samples } from './samples.js'

/** Headings, and which samples stand below each: the first that fits. */
const sections: readonly (readonly [title: string, names: RegExp])[] = [
  ['Training', /^(?:training|runs|cross-validation|learning-curves|parallel)/],
  [
    'Inside the model',
    /^(?:feature-maps|filters|reconstructions|latent|interpolation|samples|model-graph|attention|states|distributions|activations|saliency)/,
  ],
  [
    'Data and errors',
    /^(?:images|most-wrong|least-sure|confusion|roc|precision|calibration|at-threshold|class-balance|correlation)/,
  ],
  ['Charts of a table', /./],
]

/** Writes one HTML file that needs no other; returns how many charts it shows. */
export async function gallery(path: string): Promise<number> {
  const groups = sections.map(([title]) => ({ title, figures: [] as string[] }))
  // What is there of nothing is for tests, not for people.
  const shown = Object.entries(samples).filter(([name]) => !name.endsWith('-empty'))
  for (const [name, make] of shown) {
    const chart = await make().ready()
    const picture = Buffer.from(await chart.png({ scale: 1.25 })).toString('base64')
    groups[sections.findIndex(([, names]) => names.test(name))]!.figures.push(
      `<figure id="${name}"><img alt="${escapeHtml(chart.text)}" src="data:image/png;base64,${picture}">` +
        `<figcaption><a href="#${name}">${name}</a></figcaption></figure>`,
    )
  }
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(
    path,
    `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Shardbook: gallery of charts</title>
<style>
  body { font: 14px/1.5 Inter, system-ui, sans-serif; margin: 2rem auto; max-width: 1500px; padding: 0 1.5rem; background: #f6f7f9; color: #1f2430 }
  h1 { font-size: 1.6rem; margin: 0 } h2 { font-size: 1.15rem; margin: 2rem 0 .75rem } nav a { margin-right: 1rem }
  section { columns: 26rem; column-gap: 1.25rem }
  figure { margin: 0 0 1.25rem; padding: 1rem; background: #fff; border-radius: 8px; break-inside: avoid }
  figcaption { margin-top: .5rem; font-size: 12px } a { color: #0072b2; text-decoration: none }
  img { display: block; max-width: 100%; height: auto }
</style>
<h1>Gallery of charts</h1>
<p>Every chart that Shardbook makes, drawn without a browser from the samples of its tests.</p>
<nav>${groups.map(({ title }) => `<a href="#${title}">${title}</a>`).join('')}</nav>
${groups.map(({ title, figures }) => `<h2 id="${title}">${title}</h2>\n<section>\n${figures.join('\n')}\n</section>`).join('\n')}
</html>
`,
  )
  return shown.length
}
