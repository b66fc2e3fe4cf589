/**
 * Gradients as one kernel where TensorFlow.js composes several: `ReluGrad`, `SigmoidGrad`, `TanhGrad`, from `dy` and the
 * activation's own output `y`. Every engine registers these kernels; other TensorFlow.js backends in the same process
 * keep the composed gradients.
 *
 * `ReluGrad` can be differentiated again. The others cannot: TensorFlow.js loses the path through a saved output, so its
 * second derivatives of sigmoid and tanh are wrong or missing; here they are an error.
 */
import type { GradConfig, Tensor } from '@tensorflow/tfjs-core'
import { tfCore } from './tf.js'

/** Activation kernel to the kernel of its gradient. */
export const gradientKernels = { Relu: 'ReluGrad', Sigmoid: 'SigmoidGrad', Tanh: 'TanhGrad' } as const

export type DifferentiableActivation = keyof typeof gradientKernels

/** The gradient of an activation's input, from that of its output and the output itself, as one kernel. */
export function activationGradient(activation: DifferentiableActivation, dy: Tensor, y: Tensor): Tensor {
  return tfCore().engine().runKernel(gradientKernels[activation], { dy, y })
}

const ours = new WeakSet<object>()

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
    const config: GradConfig = {
      kernelName,
      outputsToSave: [true],
      gradFunc: (dy, saved, attrs) => {
        // The composed gradient of Relu asks for x; y has the same sign.
        if (tf.getKernel(gradient, tf.getBackend()) === undefined) return composed.gradFunc(dy, saved, attrs)
        return { x: () => activationGradient(kernelName, dy as Tensor, saved[0]!) }
      },
    }
    ours.add(config)
    tf.registerGradient(config)
  }
  tf.registerGradient({
    kernelName: gradientKernels.Relu,
    inputsToSave: ['y'],
    gradFunc: (g, saved) => ({
      dy: () => activationGradient('Relu', g as Tensor, saved[0]!),
      y: () => tf.zerosLike(saved[0]!),
    }),
  })
}
