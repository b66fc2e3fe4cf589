/** A lane a worker: what its time goes into, how fast it is, how much memory it holds. */
import { formatCount, formatRate } from '../format.js'
import { type JsonObject, round } from '../json.js'
import { colours } from '../theme.js'
import { fullWidth } from './panel.js'
import type { WorkerLane } from './event.js'

const lanesShown = 16
const laneHeight = 14
const barsFrom = 70
const barsWidth = 330
const parts = ['computing', 'waiting for data', 'waiting for workers'] as const
const tones = [colours.first, colours.second, colours.line]

/** The lanes as one view. */
export function lanesPanel(lanes: readonly WorkerLane[]): JsonObject {
  const shown = lanes.slice(0, lanesShown)
  const bars = shown.flatMap(({ rank, inputShare, reduceShare }, row): JsonObject[] => {
    const waiting = Math.min(1, inputShare + reduceShare)
    const ends = [0, 1 - waiting, 1 - waiting + Math.min(inputShare, waiting), 1]
    return parts.map((part, i) => ({
      x: round(barsFrom + barsWidth * ends[i]!, 4),
      x2: round(barsFrom + barsWidth * ends[i + 1]!, 4),
      y: row * laneHeight + 2,
      y2: (row + 1) * laneHeight - 2,
      part,
      label: `worker ${rank}`,
      share: `${(100 * (ends[i + 1]! - ends[i]!)).toFixed(0)} %`,
    }))
  })
  const texts = shown.flatMap(({ rank, rowsPerSecond, memoryBytes }, row): JsonObject[] => {
    const memory = memoryBytes > 0 ? ` · ${formatCount(memoryBytes / 2 ** 20)} MB` : ''
    const y = (row + 0.5) * laneHeight
    return [
      { x: 0, y, label: `worker ${rank}` },
      { x: barsFrom + barsWidth + 8, y, label: `${formatRate(rowsPerSecond)} rows/s${memory}` },
    ]
  })
  const place = (field: string): JsonObject => ({ field, type: 'quantitative', scale: null, axis: null })
  return {
    width: fullWidth,
    height: Math.max(1, shown.length) * laneHeight,
    layer: [
      {
        data: { values: bars },
        mark: { type: 'rect', opacity: 1 },
        encoding: {
          x: place('x'),
          x2: { field: 'x2' },
          y: place('y'),
          y2: { field: 'y2' },
          color: {
            field: 'part',
            type: 'nominal',
            scale: { domain: [...parts], range: tones },
            legend: {
              title: null,
              orient: 'bottom',
              direction: 'horizontal',
              symbolType: 'square',
              symbolOpacity: 1,
              offset: 4,
            },
          },
          tooltip: [
            { field: 'label', type: 'nominal', title: 'worker' },
            { field: 'part', type: 'nominal', title: 'time' },
            { field: 'share', type: 'nominal' },
          ],
        },
      },
      {
        data: { values: texts },
        mark: { type: 'text', align: 'left', baseline: 'middle', fontSize: 10, color: colours.quiet },
        encoding: { x: place('x'), y: place('y'), text: { field: 'label', type: 'nominal' } },
      },
    ],
  }
}
