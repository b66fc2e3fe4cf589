/**
 * Controls whose value code reads and watches: `slider`, `select`, `text`, `button`.
 *
 * A control is made where it is called and shown where it is displayed, as often as one likes. Handlers run between cells
 * and while a cell awaits; an error in one is reported and ends nothing.
 */
import { checkNumber, show } from '../core/check.js'
import { type Displayable, displaySymbol } from '../core/display.js'
import { ShardbookError } from '../core/errors.js'
import { escapeHtml } from '../core/html.js'
import { openWidget, type Widget, widgetBundle, type WidgetState } from './widget.js'

/** A control that holds a value. */
export interface Control<T> extends Displayable {
  /** The value; setting it moves the control in every view. */
  value: T
  /** Calls `handler` with each new value that the user chooses; returns how to stop. */
  onChange(handler: (value: T) => unknown): () => void
  /** Takes the control out of the client. */
  close(): void
}

export interface Button extends Displayable {
  /** Calls `handler` at each click; returns how to stop. */
  onClick(handler: () => unknown): () => void
  close(): void
}

interface ControlOptions {
  /** Text in front of the control. */
  readonly label?: string
}

export interface SliderOptions extends ControlOptions {
  readonly min: number
  readonly max: number
  /** By default 1 where `min` and `max` are integers more than 1 apart, else a hundredth of their distance. */
  readonly step?: number
  /** By default `min`. */
  readonly value?: number
}

/**
 * A slider over numbers from `min` to `max`.
 *
 * @throws ShardbookError `argument` when `min < max` does not hold or `value` lies outside.
 *
 * @example
 * ```ts
 * const threshold = ui.slider({ min: 0, max: 1, value: 0.5, label: 'threshold' })
 * const stop = threshold.onChange((value) => console.log(value))
 * ```
 */
export function slider(options: SliderOptions): Control<number> {
  const { min, max, value = min, label = '' } = options
  const step = options.step ?? (max - min > 1 && [min, max, value].every(Number.isInteger) ? 1 : (max - min) / 100)
  const isWhole = [min, max, value, step].every(Number.isInteger)
  checkNumber('ui.slider', 'min', min)
  checkNumber('ui.slider', 'max', max, min)
  checkNumber('ui.slider', 'step', step, 0)
  checkNumber('ui.slider', 'value', value, min, max)
  return control<number>({
    kind: 'slider',
    model: isWhole ? 'IntSliderModel' : 'FloatSliderModel',
    style: 'SliderStyleModel',
    label,
    value,
    state: {
      min,
      max,
      step,
      readout: true,
      readout_format: isWhole ? 'd' : '.3~g',
      orientation: 'horizontal',
      behavior: 'drag-tap',
    },
    stateOf: (next) => {
      checkNumber('ui.slider', 'value', next, min, max)
      return { value: next }
    },
    valueOf: (state) => state['value'] as number | undefined,
    html: (now) => `<input type="range" disabled min="${min}" max="${max}" step="${step}" value="${now}"> ${now}`,
  })
}

export interface SelectOptions<T> extends ControlOptions {
  /** What can be chosen, or names to what they stand for. */
  readonly options: readonly T[] | Readonly<Record<string, T>>
  /** By default the first option. */
  readonly value?: T
}

/**
 * A list from which one option is chosen.
 *
 * @throws ShardbookError `argument` without options, or when `value` is none of them.
 */
export function select<const T>(options: SelectOptions<T>): Control<T> {
  const isList = Array.isArray(options.options)
  const values: readonly T[] = isList ? (options.options as readonly T[]) : Object.values(options.options)
  const labels = isList ? values.map(String) : Object.keys(options.options)
  if (values.length === 0) throw new ShardbookError('argument', 'ui.select: expected at least one option, got none.')
  const indexOf = (value: T): number => {
    const index = values.indexOf(value)
    if (index >= 0) return index
    throw new ShardbookError('argument', `ui.select: expected one of ${labels.join(', ')}, got ${show(value)}.`)
  }
  return control<T>({
    kind: 'select',
    model: 'DropdownModel',
    style: 'DescriptionStyleModel',
    label: options.label ?? '',
    value: options.value === undefined ? values[0]! : options.value,
    state: { _options_labels: labels },
    stateOf: (next) => ({ index: indexOf(next) }),
    valueOf: (state) => values[state['index'] as number],
    html: (now) => `<select disabled><option>${escapeHtml(labels[indexOf(now)]!)}</option></select>`,
  })
}

export interface TextOptions extends ControlOptions {
  readonly value?: string
  /** Shown while it is empty. */
  readonly placeholder?: string
}

/** A line of text. */
export function text({ value = '', placeholder = '', label = '' }: TextOptions = {}): Control<string> {
  return control<string>({
    kind: 'text',
    model: 'TextModel',
    style: 'TextStyleModel',
    label,
    value,
    state: { placeholder },
    stateOf: (next) => ({ value: next }),
    valueOf: (state) => state['value'] as string | undefined,
    html: (now) => `<input type="text" disabled value="${escapeHtml(now)}" placeholder="${escapeHtml(placeholder)}">`,
  })
}

/**
 * A button.
 *
 * @example
 * ```ts
 * const more = ui.button('More')
 * const stop = more.onClick(() => console.log('clicked'))
 * ```
 */
export function button(label: string): Button {
  const handlers = new Set<() => unknown>()
  const parts = looks('ButtonStyleModel')
  const widget = openWidget({
    model: 'ButtonModel',
    state: { ...parts.state, description: label, disabled: false, button_style: '', icon: '', tooltip: null },
    event: async (content) => {
      if ((content as { event?: string } | null)?.event !== 'click') return
      for (const handler of handlers) await handler()
    },
  })
  return {
    onClick: (handler) => listen(handlers, () => handler()),
    close: () => [widget, ...parts.widgets].forEach((one) => one.close()),
    [displaySymbol]: () =>
      widgetBundle(widget, { html: `<button disabled>${escapeHtml(label)}</button>`, text: `[${label}]` }),
  }
}

interface ControlKind<T> {
  readonly kind: string
  readonly model: string
  readonly style: string
  readonly label: string
  readonly value: T
  readonly state: WidgetState
  /** @throws ShardbookError `argument` when the control cannot take the value. */
  readonly stateOf: (value: T) => WidgetState
  /** The value that a change of the state brings, if it brings one. */
  readonly valueOf: (state: WidgetState) => T | undefined
  readonly html: (value: T) => string
}

function control<T>({ kind, model, style, label, value, state, stateOf, valueOf, html }: ControlKind<T>): Control<T> {
  let current = value
  const handlers = new Set<(value: T) => unknown>()
  const parts = looks(style)
  const widget = openWidget({
    model,
    state: {
      ...parts.state,
      description: label,
      disabled: false,
      continuous_update: true,
      ...state,
      ...stateOf(value),
    },
    changed: async (change) => {
      const next = valueOf(change)
      if (next === undefined || next === current) return
      current = next
      for (const handler of handlers) await handler(next)
    },
  })
  return {
    get value() {
      return current
    },
    set value(next) {
      widget.update(stateOf(next))
      current = next
    },
    onChange: (handler) => listen(handlers, (next) => handler(next)),
    close: () => [widget, ...parts.widgets].forEach((one) => one.close()),
    [displaySymbol]: () => {
      return widgetBundle(widget, {
        html: `<label>${escapeHtml(label)} ${html(current)}</label>`,
        text: `${label === '' ? kind : label}: ${String(current)}`,
      })
    },
  }
}

/** The models for size and colours that every control has. */
function looks(style: string): { readonly state: WidgetState; readonly widgets: readonly Widget[] } {
  const layout = openWidget({ model: 'LayoutModel', module: '@jupyter-widgets/base', state: {} })
  const own = openWidget({ model: style, state: { _view_name: 'StyleView', _view_module: '@jupyter-widgets/base' } })
  return {
    state: { layout: `IPY_MODEL_${layout.id}`, style: `IPY_MODEL_${own.id}` },
    widgets: [layout, own],
  }
}

function listen<Handler>(handlers: Set<Handler>, own: Handler): () => void {
  handlers.add(own)
  return () => void handlers.delete(own)
}
