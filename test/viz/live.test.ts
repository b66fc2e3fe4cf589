import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Host, hostSymbol, terminalHost } from '../../src/core/host.js'
import type { MimeBundle } from '../../src/core/display.js'
import * as viz from '../../src/viz/index.js'

interface Shown {
  readonly how: 'publish' | 'update'
  readonly id: string | undefined
  readonly title: string
  readonly picture: boolean
}

const holder = globalThis as { [hostSymbol]?: Host }
let shown: Shown[] = []

function recorder(kind: Host['kind']): Host {
  const record = (how: Shown['how'], id: string | undefined, bundle: MimeBundle): void => {
    shown.push({ how, id, title: String(bundle['text/plain']), picture: 'image/png' in bundle })
  }
  return {
    ...terminalHost(),
    kind,
    publish: (bundle, options) => record('publish', options?.id, bundle),
    update: (id, bundle) => record('update', id, bundle),
  }
}

const chart = (title: string): viz.Chart => viz.vegaLite({ title, mark: 'point' })
const titles = (): readonly string[] => shown.map((one) => one.title)

describe('viz.live', () => {
  beforeEach(() => {
    shown = []
    holder[hostSymbol] = recorder('kernel')
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
    delete holder[hostSymbol]
  })

  it('shows the first state at once, under an id, without a picture', () => {
    const one = viz.live(chart('first'), { id: 'mine' })
    expect(one.id).toBe('mine')
    expect(shown).toEqual([{ how: 'publish', id: 'mine', title: 'first', picture: false }])
    expect(viz.live(chart('other')).id).not.toBe(viz.live(chart('other')).id)
  })

  it('shows at most so many states a second, the latest of those that come', () => {
    const one = viz.live(chart('first'), { maxPerSecond: 4 })
    let made = 0
    for (let ms = 0; ms < 1000; ms += 10) {
      one.update(() => {
        made++
        return chart(`at ${ms}`)
      })
      vi.advanceTimersByTime(10)
    }
    expect(titles()).toEqual(['first', 'at 240', 'at 490', 'at 740', 'at 990'])
    expect(made).toBe(4)
  })

  it('shows a state at once after a pause', () => {
    const one = viz.live(chart('first'))
    vi.advanceTimersByTime(5000)
    one.update(() => chart('late'))
    vi.advanceTimersByTime(0)
    expect(titles()).toEqual(['first', 'late'])
  })

  it('ends with the last state and its picture, once, whatever was waiting', async () => {
    const one = viz.live(chart('first'))
    one.update(() => chart('overtaken'))
    await one.end(chart('last'))
    one.update(() => chart('too late'))
    await one.end(chart('too late'))
    vi.advanceTimersByTime(5000)
    expect(titles()).toEqual(['first', 'last', 'last'])
    expect(shown.map((show) => show.picture)).toEqual([false, false, true])
  })

  it('draws no picture for a terminal', async () => {
    holder[hostSymbol] = recorder('terminal')
    await viz.live(chart('first')).end(chart('last'))
    expect(shown.map((show) => show.picture)).toEqual([false, false])
  })

  it('shows the last state even after a state that could not be made, and then says so', async () => {
    const one = viz.live(chart('first'))
    one.update(() => {
      throw new Error('no such state')
    })
    vi.advanceTimersByTime(1000)
    await expect(one.end(chart('last'))).rejects.toThrow('no such state')
    expect(titles().at(-1)).toBe('last')
  })

  it('raises for a rate that is none', () => {
    expect(() => viz.live(chart('first'), { maxPerSecond: 0 })).toThrow('expected maxPerSecond')
  })
})
