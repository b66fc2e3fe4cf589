/**
 * Gradients as one kernel where TensorFlow.js composes several: `ReluGrad`, `SigmoidGrad`, `TanhGrad`, from `dy` and the
 * activation's own output `y`. Every engine registers these kernels; other TensorFlow.js backends in the same process
 * keep the composed gradients.
 *
 * They can be differentiated again. TensorFlow.js loses the path through a saved output (its clone is on the tape before the
 * output itself), so under a nested gradient sigmoid and tanh save their input and compute the output anew.
 */
import type { GradConfig, Tensor } from '@tensorflow/tfjs-core'
import { ShardbookError } from '../core/errors.js'
import { tfCore } from './tf.js'

/** Activation kernel to the kernel of its gradient. */
export const gradientKernels = { Relu: 'ReluGrad', Sigmoid: 'SigmoidGrad', Tanh: 'TanhGrad' } as const

export type DifferentiableActivation = keyof typeof gradientKernels

/** The gradient of an activation's input, from that of its output and the output itself, as one kernel. */
export function activationGradient(activation: DifferentiableActivation, dy: Tensor, y: Tensor): Tensor {
  return tfCore().engine().runKernel(gradientKernels[activation], { dy, y })
}

/** Whether gradients are being differentiated: what a gradient is computed from must then be a saved input, not an output. */
export function isNestedGradient(): boolean {
  return (tfCore().engine() as unknown as { state: { gradientDepth: number } }).state.gradientDepth > 1
}

const ours = new WeakSet<object>()

/** The slope of an activation at x, of operations that can be differentiated as often as one likes. */
const slopes: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  Sigmoid: (x) => {
    const y = tfCore().sigmoid(x)
    return tfCore().mul(y, tfCore().sub(1, y))
  },
  Tanh: (x) => tfCore().sub(1, tfCore().square(tfCore().tanh(x))),
}

/**
 * Makes TensorFlow.js differentiate through these kernels. To be repeated before gradients matter: a user's own
 * `@tensorflow/tfjs`, when it is loaded later, registers its gradients over them.
 */
export function registerGradients(): void {
  const tf = tfCore()
  for (const kernelName of Object.keys(gradientKernels) as DifferentiableActivation[]) {
    const gradient = gradientKernels[kernelName]
    const composed = tf.getGradient(kernelName)
    if (ours.has(composed)) continue
    const slope = slopes[kernelName]
    const config: GradConfig = {
      kernelName,
      get inputsToSave() {
        return slope !== undefined && isNestedGradient() ? ['x'] : []
      },
      outputsToSave: [true],
      gradFunc: (dy, saved, attrs) => {
        if (saved.length > 1) return { x: () => tf.mul(dy as Tensor, slope!(saved[0]!)) }
        // The composed gradient of Relu asks for x; y has the same sign.
        if (tf.getKernel(gradient, tf.getBackend()) === undefined) return composed.gradFunc(dy, saved, attrs)
        return { x: () => activationGradient(kernelName, dy as Tensor, saved[0]!) }
      },
    }
    ours.add(config)
    tf.registerGradient(config)
  }
  // The gradient of LeakyRelu and others picks by a comparison: differentiated again, that passes nothing on.
  for (const kernelName of ['Greater', 'GreaterEqual', 'Less', 'LessEqual', 'Equal', 'NotEqual']) {
    if (tf.getGradient(kernelName) !== undefined) continue
    tf.registerGradient({
      kernelName,
      inputsToSave: ['a', 'b'],
      gradFunc: (_, [a, b]) => ({ a: () => tf.zerosLike(a!), b: () => tf.zerosLike(b!) }),
    })
  }
  if (tf.getGradient('Scan') === undefined) tf.registerGradient({ kernelName: 'Scan', gradFunc: refuseScan })
  tf.registerGradient({
    kernelName: gradientKernels.Relu,
    inputsToSave: ['y'],
    gradFunc: (g, saved) => ({
      dy: () => activationGradient('Relu', g as Tensor, saved[0]!),
      y: () => tf.zerosLike(saved[0]!),
    }),
  })
}

function refuseScan(): never {
  throw new ShardbookError('engine', 'scan: expected no gradient to go through it, got one.', {
    hint: 'Write its backward pass as a scan with reverse: true, in tf.customGrad; or unroll the loop.',
  })
}
