/** A page with a picture of every sample chart: `gallery(path)` writes it, `tools/gallery.mjs` calls that. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { samples } from './samples.js'

const escape = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')

/** Writes one HTML file that needs no other; returns how many charts it shows. */
export async function gallery(path: string): Promise<number> {
  const figures: string[] = []
  for (const [name, make] of Object.entries(samples)) {
    const chart = await make().ready()
    const picture = Buffer.from(await chart.png()).toString('base64')
    figures.push(
      `<figure id="${name}"><figcaption><a href="#${name}">${name}</a></figcaption>` +
        `<img loading="lazy" alt="${escape(chart.text)}" src="data:image/png;base64,${picture}"></figure>`,
    )
  }
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(
    path,
    `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Shardbook: gallery of charts</title>
<style>
  body { font: 14px/1.5 Inter, system-ui, sans-serif; margin: 2rem; background: #f6f7f9; color: #1f2430 }
  main { display: grid; grid-template-columns: repeat(auto-fill, minmax(22rem, 1fr)); gap: 1.5rem }
  figure { margin: 0; padding: 1rem; background: #fff; border-radius: 8px }
  img { max-width: 100%; height: auto }
</style>
<h1>Gallery of charts</h1>
<main>
${figures.join('\n')}
</main>
</html>
`,
  )
  return figures.length
}
