/**
 * Gradients as one kernel where TensorFlow.js composes several: `ReluGrad`, `SigmoidGrad`, `TanhGrad`, from `dy` and the
 * activation's own output `y`. Every engine registers these kernels; other TensorFlow.js backends in the same process
 * keep the composed gradients. They have gradients themselves, so second derivatives work.
 */
import type { Tensor } from '@tensorflow/tfjs-core'
import { tfCore } from './tf.js'

/** Activation kernel to the kernel of its gradient. */
export const gradientKernels = { Relu: 'ReluGrad', Sigmoid: 'SigmoidGrad', Tanh: 'TanhGrad' } as const

/** The derivative of `dy * f'(x)` by `y`, given the incoming `g`. */
const byOutput: Record<keyof typeof gradientKernels, (g: Tensor, dy: Tensor, y: Tensor) => Tensor> = {
  Relu: (_g, _dy, y) => tfCore().zerosLike(y),
  Sigmoid: (g, dy, y) => tfCore().mul(tfCore().mul(g, dy), tfCore().sub(1, tfCore().mul(2, y))),
  Tanh: (g, dy, y) => tfCore().mul(tfCore().mul(g, dy), tfCore().mul(-2, y)),
}

let registered = false

/** Makes tfjs differentiate through these kernels; harmless to repeat. */
export function registerGradients(): void {
  if (registered) return
  registered = true
  const tf = tfCore()
  for (const kernelName of Object.keys(gradientKernels) as (keyof typeof gradientKernels)[]) {
    const gradient = gradientKernels[kernelName]
    const composed = tf.getGradient(kernelName)
    const run = (dy: Tensor, y: Tensor): Tensor => tf.engine().runKernel(gradient, { dy, y })
    tf.unregisterGradient(kernelName)
    tf.registerGradient({
      kernelName,
      outputsToSave: [true],
      gradFunc: (dy, saved, attrs) => {
        // The composed gradient of Relu asks for x; y has the same sign.
        if (tf.getKernel(gradient, tf.getBackend()) === undefined) return composed.gradFunc(dy, saved, attrs)
        return { x: () => run(dy as Tensor, saved[0]!) }
      },
    })
    tf.registerGradient({
      kernelName: gradient,
      inputsToSave: ['dy', 'y'],
      gradFunc: (g, saved) => {
        const [dy, y] = saved as [Tensor, Tensor]
        return { dy: () => run(g as Tensor, y), y: () => byOutput[kernelName](g as Tensor, dy, y) }
      },
    })
  }
}
