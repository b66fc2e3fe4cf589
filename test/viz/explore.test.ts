/** A chart that follows controls, over a host that plays the client of both. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type MimeBundle, displaySymbol } from '../../src/core/display.js'
import { type CommContent, type Host, hostSymbol, terminalHost } from '../../src/core/host.js'
import * as ui from '../../src/ui/index.js'
import * as viz from '../../src/viz/index.js'

const holder = globalThis as { [hostSymbol]?: Host }
let shown: { readonly id: string | undefined; readonly text: string; readonly types: readonly string[] }[] = []
/** Says something to the last control that was made, as its view does. */
let say: (data: unknown) => Promise<void>

beforeEach(() => {
  shown = []
  const note = (id: string | undefined, bundle: MimeBundle): void =>
    void shown.push({ id, text: String(bundle['text/plain']).split('\n')[0]!, types: Object.keys(bundle) })
  holder[hostSymbol] = {
    ...terminalHost(),
    kind: 'kernel',
    publish: (bundle, options) => note(options?.id, bundle),
    update: note,
    openComm: (target) => {
      const listeners: ((message: Required<CommContent>) => unknown)[] = []
      say = async (data) => {
        for (const listener of listeners) await listener({ data, metadata: {}, buffers: [] })
      }
      return {
        id: 'comm',
        target,
        send: () => {},
        onMessage: (listener) => (listeners.push(listener), () => {}),
        onClose: () => () => {},
        close: () => {},
      }
    },
  }
})
afterEach(() => {
  delete holder[hostSymbol]
})

const scores = { actual: [0, 0, 1, 1], score: [0.1, 0.6, 0.4, 0.8] }
const moved = (value: number): unknown => ({ method: 'update', state: { value } })

describe('viz.explore', () => {
  it('shows the controls and the chart, and draws it anew in its place when one changes', async () => {
    const threshold = ui.slider({ min: 0, max: 1, value: 0.5, label: 'threshold' })
    const explored = viz.explore({ threshold }, (values) => viz.atThreshold(scores, values))
    expect(await explored[displaySymbol]()).toEqual({})
    expect(shown.map(({ text }) => text)).toEqual(['threshold: 0.5', 'At threshold 0.5'])
    expect(shown[1]!.types).toContain('image/png')
    await say(moved(0.25))
    expect(shown.at(-1)).toMatchObject({ id: shown[1]!.id, text: 'At threshold 0.25' })
    explored.close()
    await say(moved(0.75))
    expect(shown.at(-1)!.text).toBe('At threshold 0.25')
  })

  it('takes changes together while it draws: the last one is what is shown', async () => {
    const threshold = ui.slider({ min: 0, max: 1, value: 0.5 })
    let drawn = 0
    const explored = viz.explore({ threshold }, async (values) => {
      drawn++
      return viz.atThreshold(scores, values)
    })
    await explored[displaySymbol]()
    await Promise.all([0.1, 0.2, 0.3, 0.4].map((value) => say(moved(value))))
    expect(shown.at(-1)!.text).toBe('At threshold 0.4')
    expect(drawn).toBeLessThan(5)
    explored.close()
  })

  it('says why a chart could not be drawn, and draws the next one', async () => {
    const threshold = ui.slider({ min: 0, max: 2, value: 1, step: 0.5 })
    const explored = viz.explore({ threshold }, (values) => {
      if (values.threshold > 1) throw new Error('too much')
      return viz.atThreshold(scores, values)
    })
    await explored[displaySymbol]()
    await say(moved(1.5))
    expect(shown.at(-1)!.text).toBe('The chart could not be drawn. too much')
    await say(moved(0.5))
    expect(shown.at(-1)!.text).toBe('At threshold 0.5')
    explored.close()
  })

  it('raises for what is no control', () => {
    expect(() => viz.explore({ threshold: 0.5 } as never, () => viz.distributions([]))).toThrow(
      'viz.explore: expected controls such as ui.slider, got 0.5.',
    )
  })
})
