/**
 * Recurrent cells: one step in time, forward and backward, on gates computed in one product.
 *
 * A step sees the shares of input (`x W + b`) and state (`h U`, with a bias of its own in a GRU), each [rows, gates * units].
 * The backward pass is written by hand: each gate's gradient is one kernel of its own output, nothing is computed twice.
 * Order of gates and formulas are Keras's.
 */
import type { Tensor } from '@tensorflow/tfjs-core'
import { activationGradient } from '../../engine/index.js'
import type { DifferentiableActivation } from '../../engine/index.js'
import type { Tf } from '../../engine/tf.js'

export interface Cell {
  /** Blocks of `units` columns in the kernels. */
  readonly gates: number
  /** Tensors [rows, units] in the state; the first is the output. */
  readonly states: number
  /** Whether the state's share has a bias of its own. */
  readonly stateBias: boolean
  /** The next state, and what `backward` needs, each [rows, units]. */
  forward(
    tf: Tf,
    input: Tensor,
    recurrent: Tensor,
    state: readonly Tensor[],
  ): { readonly state: Tensor[]; readonly saved: Tensor[] }
  /**
   * From the gradient of the next state those of the two shares and of the state before, but for the part that reaches the
   * output before through `recurrent`.
   */
  backward(
    tf: Tf,
    saved: readonly Tensor[],
    gradient: readonly Tensor[],
  ): { readonly input: Tensor; readonly recurrent: Tensor; readonly state: (Tensor | undefined)[] }
}

/** Elman's network: `h <- f(x W + b + h U)`. */
export function elmanCell(activation: 'tanh' | 'relu' | 'sigmoid'): Cell {
  const kernel: DifferentiableActivation = ({ tanh: 'Tanh', relu: 'Relu', sigmoid: 'Sigmoid' } as const)[activation]
  return {
    gates: 1,
    states: 1,
    stateBias: false,
    forward: (tf, input, recurrent) => {
      const h = tf[activation](tf.add(input, recurrent))
      return { state: [h], saved: [h] }
    },
    backward: (_, [h], [dh]) => {
      const dz = activationGradient(kernel, dh!, h!)
      return { input: dz, recurrent: dz, state: [undefined] }
    },
  }
}

/** Long short-term memory (Hochreiter and Schmidhuber, 1997): gates i, f, c, o; `c <- f c + i g`, `h <- o tanh(c)`. */
export const lstmCell: Cell = {
  gates: 4,
  states: 2,
  stateBias: false,
  forward: (tf, input, recurrent, [, before]) => {
    const [zi, zf, zg, zo] = tf.split(tf.add(input, recurrent), 4, 1) as [Tensor, Tensor, Tensor, Tensor]
    const [i, f, g, o] = [tf.sigmoid(zi), tf.sigmoid(zf), tf.tanh(zg), tf.sigmoid(zo)]
    const c = tf.add(tf.mul(f, before!), tf.mul(i, g))
    const squashed = tf.tanh(c)
    return { state: [tf.mul(o, squashed), c], saved: [i, f, g, o, squashed, before!] }
  },
  backward: (tf, saved, [dh, dLater]) => {
    const [i, f, g, o, squashed, before] = saved as [Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]
    const dc = tf.add(dLater!, activationGradient('Tanh', tf.mul(dh!, o), squashed))
    const dz = tf.concat(
      [
        activationGradient('Sigmoid', tf.mul(dc, g), i),
        activationGradient('Sigmoid', tf.mul(dc, before), f),
        activationGradient('Tanh', tf.mul(dc, i), g),
        activationGradient('Sigmoid', tf.mul(dh!, squashed), o),
      ],
      1,
    )
    return { input: dz, recurrent: dz, state: [undefined, tf.mul(dc, f)] }
  },
}

/**
 * Gated recurrent unit (Cho and others, 2014), the reset applied after the product, as in Keras and cuDNN: gates z, r, h;
 * `g = tanh(x_h + r recurrent_h)`, `h <- z h + (1 - z) g`.
 */
export const gruCell: Cell = {
  gates: 3,
  states: 1,
  stateBias: true,
  forward: (tf, input, recurrent, [before]) => {
    const [xz, xr, xh] = tf.split(input, 3, 1) as [Tensor, Tensor, Tensor]
    const [rz, rr, rh] = tf.split(recurrent, 3, 1) as [Tensor, Tensor, Tensor]
    const [z, r] = [tf.sigmoid(tf.add(xz, rz)), tf.sigmoid(tf.add(xr, rr))]
    const g = tf.tanh(tf.add(xh, tf.mul(r, rh)))
    const change = tf.sub(before!, g)
    return { state: [tf.add(g, tf.mul(z, change))], saved: [z, r, g, rh, change] }
  },
  backward: (tf, saved, [dh]) => {
    const [z, r, g, rh, change] = saved as [Tensor, Tensor, Tensor, Tensor, Tensor]
    const kept = tf.mul(dh!, z)
    const dg = activationGradient('Tanh', tf.sub(dh!, kept), g)
    const dz = activationGradient('Sigmoid', tf.mul(dh!, change), z)
    const dr = activationGradient('Sigmoid', tf.mul(dg, rh), r)
    const gates = tf.concat([dz, dr], 1)
    return {
      input: tf.concat([gates, dg], 1),
      recurrent: tf.concat([gates, tf.mul(dg, r)], 1),
      state: [kept],
    }
  },
}

/**
 * A cell that keeps its state where a sequence has ended: the input's share has one more column, 1 or 0, and
 * `state <- state + mask (next - state)`.
 */
export function maskedCell(cell: Cell): Cell {
  return {
    ...cell,
    forward: (tf, input, recurrent, state) => {
      const columns = input.shape[1]! - 1
      const [share, mask] = tf.split(input, [columns, 1], 1) as [Tensor, Tensor]
      const next = cell.forward(tf, share, recurrent, state)
      return {
        state: next.state.map((after, i) => tf.add(state[i]!, tf.mul(mask, tf.sub(after, state[i]!)))),
        saved: [...next.saved, mask],
      }
    },
    backward: (tf, saved, gradient) => {
      const mask = saved.at(-1)!
      const counted = gradient.map((dy) => tf.mul(dy, mask))
      const { state, ...shares } = cell.backward(tf, saved.slice(0, -1), counted)
      const kept = gradient.map((dy, i) => tf.sub(dy, counted[i]!))
      return {
        ...shares,
        state: state.map((before, i) => (before === undefined ? kept[i]! : tf.add(before, kept[i]!))),
      }
    },
  }
}
