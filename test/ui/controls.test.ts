/** Controls over a host that plays the client: the messages of Jupyter's widget protocol, both ways. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { bundleOf } from '../../src/core/display.js'
import { type Comm, type CommContent, type Host, hostSymbol, terminalHost } from '../../src/core/host.js'
import * as ui from '../../src/ui/index.js'

interface Opened {
  readonly id: string
  readonly target: string
  readonly data: { readonly state: Record<string, unknown> }
  readonly metadata: unknown
  readonly sent: { method: string; state?: Record<string, unknown> }[]
  isClosed: boolean
  /** A message from the client. */
  receive(data: unknown): Promise<void>
}

const holder = globalThis as { [hostSymbol]?: Host }
const before = holder[hostSymbol]
let opened: Opened[] = []

function clientHost(): Host {
  return {
    ...terminalHost(),
    openComm(target, data, options) {
      const listeners: ((message: Required<CommContent>) => unknown)[] = []
      const one: Opened = {
        id: `comm-${opened.length}`,
        target,
        data: data as Opened['data'],
        metadata: options?.metadata,
        sent: [],
        isClosed: false,
        async receive(content) {
          for (const listener of listeners) await listener({ data: content, metadata: {}, buffers: [] })
        },
      }
      opened.push(one)
      const comm: Comm = {
        id: one.id,
        target,
        send: (message) => one.sent.push(message as Opened['sent'][number]),
        onMessage: (listener) => {
          listeners.push(listener)
          return () => {}
        },
        onClose: () => () => {},
        close: () => void (one.isClosed = true),
      }
      return comm
    },
  }
}

beforeEach(() => {
  opened = []
  holder[hostSymbol] = clientHost()
})
afterEach(() => {
  if (before === undefined) delete holder[hostSymbol]
  else holder[hostSymbol] = before
})

const modelOf = (name: string): Opened => opened.find(({ data }) => data.state['_model_name'] === name)!

test('a slider is a model with its looks, and shows a view of it', async () => {
  const slider = ui.slider({ min: 0, max: 10, value: 3, label: 'n' })
  const model = modelOf('IntSliderModel')
  expect(model.target).toBe('jupyter.widget')
  expect(model.metadata).toEqual({ version: '2.1.0' })
  expect(model.data.state).toMatchObject({
    _view_name: 'IntSliderView',
    min: 0,
    max: 10,
    step: 1,
    value: 3,
    description: 'n',
  })
  expect(model.data.state['layout']).toBe(`IPY_MODEL_${modelOf('LayoutModel').id}`)
  expect(model.data.state['style']).toBe(`IPY_MODEL_${modelOf('SliderStyleModel').id}`)
  const bundle = await bundleOf(slider)
  expect(bundle['application/vnd.jupyter.widget-view+json']).toEqual({
    model_id: model.id,
    version_major: 2,
    version_minor: 0,
  })
  expect(bundle['text/html']).toContain('value="3"')
  expect(bundle['text/plain']).toBe('n: 3')
})

test('what the user chooses is the value, and handlers hear of it once', async () => {
  const slider = ui.slider({ min: 0, max: 1 })
  const heard: number[] = []
  const stop = slider.onChange((value) => heard.push(value))
  const model = modelOf('FloatSliderModel')
  await model.receive({ method: 'update', state: { value: 0.25 } })
  await model.receive({ method: 'update', state: { value: 0.25 } })
  expect(slider.value).toBe(0.25)
  stop()
  await model.receive({ method: 'update', state: { value: 0.5 } })
  expect([slider.value, heard]).toEqual([0.5, [0.25]])
})

test('setting the value moves the control, and no handler is called', () => {
  const slider = ui.slider({ min: 0, max: 10 })
  slider.onChange(() => expect.unreachable())
  slider.value = 7
  expect(modelOf('IntSliderModel').sent).toEqual([{ method: 'update', state: { value: 7 }, buffer_paths: [] }])
  expect(() => (slider.value = 11)).toThrow('ui.slider: expected value to be a finite number in [0, 10], got 11.')
  expect(slider.value).toBe(7)
})

test('a late client gets the state as it is', async () => {
  const slider = ui.slider({ min: 0, max: 10 })
  const model = modelOf('IntSliderModel')
  await model.receive({ method: 'update', state: { value: 4 } })
  slider.value = 5
  await model.receive({ method: 'request_state' })
  expect(model.sent.at(-1)).toMatchObject({ method: 'update', state: { value: 5, max: 10 } })
})

test('a select gives what its option stands for', async () => {
  const select = ui.select({ options: { small: 32, large: 64 }, value: 64 })
  const model = modelOf('DropdownModel')
  expect(model.data.state).toMatchObject({ _options_labels: ['small', 'large'], index: 1 })
  await model.receive({ method: 'update', state: { index: 0 } })
  expect(select.value).toBe(32)
  expect((await bundleOf(select))['text/html']).toContain('small')
  expect(() => ui.select({ options: [] })).toThrow('at least one option')
})

test('a button tells clicks; text is kept as typed', async () => {
  const button = ui.button('Go <now>')
  let clicks = 0
  button.onClick(() => clicks++)
  await modelOf('ButtonModel').receive({ method: 'custom', content: { event: 'click' } })
  expect(clicks).toBe(1)
  expect((await bundleOf(button))['text/html']).toContain('Go &lt;now&gt;')
  const text = ui.text({ placeholder: 'name' })
  await modelOf('TextModel').receive({ method: 'update', state: { value: 'Ada' } })
  expect(text.value).toBe('Ada')
})

test('closing takes the control and its looks away', () => {
  const slider = ui.slider({ min: 0, max: 1 })
  slider.close()
  expect(opened.every(({ isClosed }) => isClosed)).toBe(true)
})

test('without a client a control is its static form', async () => {
  holder[hostSymbol] = terminalHost()
  expect(Object.keys(await bundleOf(ui.text({ value: 'x', label: 'name' })))).toEqual(['text/html', 'text/plain'])
})
