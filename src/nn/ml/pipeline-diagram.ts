/** Pipelines as a picture and as text: a box a stage, with the columns that it reads and adds. */
import type { MimeBundle } from '../../core/display.js'
import { escapeHtml } from '../../core/html.js'
import type { Stage } from './stage.js'

const width = 460
const boxHeight = 44
const gap = 22

/** What a stage reads and adds, by the names of its options. */
interface Flow {
  readonly kind: string
  readonly reads: readonly string[]
  readonly adds: readonly string[]
  /** Whether it is still to be fitted. */
  readonly learns: boolean
  /** Other options, in few words. */
  readonly settings: string
}

export function drawPipeline(kind: string, stages: readonly Stage[]): MimeBundle {
  const flows = stages.map(flowOf)
  const lines = flows.map(({ kind: name, reads, adds, learns }, i) => {
    return `${String(i + 1).padStart(2)}. ${name}${learns ? ' (learns)' : ''}: ${arrow(reads, adds)}`
  })
  const heading = `${kind} of ${stages.length} ${stages.length === 1 ? 'stage' : 'stages'}`
  return {
    'text/plain': [heading, ...lines].join('\n'),
    'text/html': `<div class="shardbook-pipeline"><div style="font-weight:600;margin-bottom:.4em">${heading}</div>${svg(heading, flows)}</div>`,
  }
}

/** Colours are the page's own, so that it can be read in light and in dark. */
function svg(title: string, flows: readonly Flow[]): string {
  const height = Math.max(1, flows.length * (boxHeight + gap) - gap)
  const parts = flows.map(({ kind, reads, adds, learns, settings }, i) => {
    const y = i * (boxHeight + gap)
    const line =
      i === 0
        ? ''
        : `<path d="M${width / 2} ${y - gap}V${y - 5}m-4 -5l4 6l4 -6" fill="none" stroke="currentColor" stroke-opacity=".5"/>`
    const text = (at: number, size: number, content: string, more: string): string =>
      `<text x="${width / 2}" y="${y + at}" text-anchor="middle" font-size="${size}" fill="currentColor" ${more}>${escapeHtml(content)}</text>`
    return [
      line,
      `<g><title>${escapeHtml(settings === '' ? kind : `${kind}: ${settings}`)}</title>`,
      `<rect x="1" y="${y + 1}" width="${width - 2}" height="${boxHeight - 2}" rx="6" fill="currentColor" fill-opacity="${learns ? 0.1 : 0.04}" stroke="currentColor" stroke-opacity=".45"/>`,
      text(18, 13, kind, 'font-weight="600"'),
      text(34, 11, fitted(arrow(reads, adds)), 'fill-opacity=".75"'),
      '</g>',
    ].join('')
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="${escapeHtml(title)}" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" style="max-width:100%;font-family:inherit">${parts.join('')}</svg>`
}

function fitted(text: string): string {
  return text.length > 68 ? `${text.slice(0, 67)}…` : text
}

function arrow(reads: readonly string[], adds: readonly string[]): string {
  return `${reads.join(', ') || 'rows'} → ${adds.join(', ') || 'rows'}`
}

const defaults: Readonly<Record<string, string>> = {
  featuresCol: 'features',
  predictionCol: 'prediction',
}

function flowOf(stage: Stage): Flow {
  const { kind } = stage
  const learns = 'fit' in stage
  const inner = (stage as { stages?: readonly Stage[] }).stages ?? (optionsOf(stage)['stages'] as readonly Stage[])
  if (Array.isArray(inner)) {
    const settings = inner.map((each: Stage) => each.kind).join(', ')
    return { kind, reads: [], adds: [], learns, settings: `of ${settings}` }
  }
  const options = optionsOf(stage)
  const named = (names: readonly string[]): string[] =>
    names.flatMap((name) => {
      const value = options[name]
      return (Array.isArray(value) ? value : [value]).filter((each): each is string => typeof each === 'string')
    })
  const reads = named(['inputCol', 'inputCols', 'featuresCol', ...(learns ? ['labelCol'] : [])])
  const adds = named(['outputCol', 'outputCols', 'predictionCol'])
  const rest = Object.entries(options).filter(([name, value]) => !/Cols?$/.test(name) && typeof value !== 'object')
  return {
    kind,
    reads: reads.length > 0 ? reads : [defaults['featuresCol']!],
    adds: adds.length > 0 ? adds : [defaults['predictionCol']!],
    learns,
    settings: rest.map(([name, value]) => `${name} ${String(value)}`).join(', '),
  }
}

function optionsOf(stage: Stage): Readonly<Record<string, unknown>> {
  return (stage as { options?: Readonly<Record<string, unknown>> }).options ?? {}
}
