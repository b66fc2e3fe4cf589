/**
 * A control in the client: a model that both sides know, kept equal over a comm by the protocol of Jupyter's widgets
 * (messages 2.1.0, controls 2.0.0), whose front half is JupyterLab's standard widget extension.
 *
 * The state is plain JSON; the last writer wins. A client that connects late asks for all states through the control comm.
 * Without the extension, or without a client, the control shows its state as static HTML.
 */
import type { MimeBundle } from '../core/display.js'
import { type Comm, host } from '../core/host.js'

export type WidgetState = Readonly<Record<string, unknown>>

export interface WidgetOptions {
  /** The class of the model in the client's package, such as `IntSliderModel`. */
  readonly model: string
  /** The package's name; by default that of the standard controls. */
  readonly module?: '@jupyter-widgets/base' | '@jupyter-widgets/controls'
  readonly state: WidgetState
  /** What the client changed. */
  readonly changed?: (state: WidgetState) => unknown
  /** A message of the client's own, such as a click. */
  readonly event?: (content: unknown) => unknown
}

export interface Widget {
  readonly id: string
  /** Changes the state here and in every view. */
  update(state: WidgetState): void
  /** Takes the control out of the client. */
  close(): void
}

const target = 'jupyter.widget'
const controlTarget = 'jupyter.widget.control'
const versions = { '@jupyter-widgets/base': '2.0.0', '@jupyter-widgets/controls': '2.0.0' }

interface Open {
  readonly module: keyof typeof versions
  readonly model: string
  state: WidgetState
}

/** All open models, for clients that connect late. */
const open = new Map<string, Open>()
let isListening = false

/** Makes a model and keeps it equal with the client's. */
export function openWidget(options: WidgetOptions): Widget {
  answerLateClients()
  const { model, module = '@jupyter-widgets/controls', changed, event } = options
  const version = versions[module]
  const own: Open = {
    module,
    model,
    state: {
      _model_module: module,
      _model_module_version: version,
      _model_name: model,
      _view_module: module,
      _view_module_version: version,
      _view_name: model.replace(/Model$/, 'View'),
      ...options.state,
    },
  }
  const comm: Comm = host().openComm(target, { state: own.state, buffer_paths: [] }, { metadata: { version: '2.1.0' } })
  open.set(comm.id, own)
  comm.onClose(() => open.delete(comm.id))
  comm.onMessage(async ({ data }) => {
    const message = data as { method?: string; state?: WidgetState; content?: unknown }
    if (message.method === 'request_state') comm.send({ method: 'update', state: own.state, buffer_paths: [] })
    else if (message.method === 'custom') await event?.(message.content)
    else if (message.method === 'update' && message.state !== undefined) {
      own.state = { ...own.state, ...message.state }
      await changed?.(message.state)
    }
  })
  return {
    id: comm.id,
    update(state) {
      own.state = { ...own.state, ...state }
      comm.send({ method: 'update', state, buffer_paths: [] })
    },
    close() {
      open.delete(comm.id)
      comm.close()
    },
  }
}

/** Answers a client that has come to a kernel whose controls are open already. */
function answerLateClients(): void {
  if (isListening) return
  isListening = true
  host().registerTarget(controlTarget, (comm) => {
    comm.onMessage(({ data }) => {
      if ((data as { method?: string }).method !== 'request_states') return
      const states = [...open].map(([id, { module, model, state }]) => [
        id,
        { model_name: model, model_module: module, model_module_version: versions[module], state },
      ])
      comm.send({ method: 'update_states', states: Object.fromEntries(states) as unknown, buffer_paths: [] })
    })
  })
}

/** What shows a widget: a view of its model, with HTML and text for clients without widgets. */
export function widgetBundle(
  { id }: Widget,
  { html, text }: { readonly html: string; readonly text: string },
): MimeBundle {
  return {
    ...(id === ''
      ? {}
      : { 'application/vnd.jupyter.widget-view+json': { model_id: id, version_major: 2, version_minor: 0 } }),
    'text/html': html,
    'text/plain': text,
  }
}
