/**
 * A program runs on its own engine, whichever is current: TensorFlow.js has one current backend, which is changed for as long as a
 * program starts. Inputs that lie on another engine are moved by TensorFlow.js; results stay where they were computed.
 */
import { tfCore } from './tf.js'

/** Runs `work`, which does not wait for anything, with an open engine's backend as the current one. */
export function onBackend<T>(backend: string, work: () => T): T {
  const tf = tfCore()
  const before = tf.getBackend()
  if (before === backend) return work()
  become(backend)
  try {
    return work()
  } finally {
    become(before)
  }
}

/** For a backend that has started, TensorFlow.js's asynchronous function does everything before it returns. */
function become(backend: string): void {
  tfCore()
    .setBackend(backend)
    .catch(() => undefined)
}
