/**
 * `Adam` on values: by `ResourceApplyAdam` on variables that live for the call, so that eager steps, steps in a pool and steps with
 * their state in variables give the same bits. In a graph, where the state is not in variables, it is composed.
 */
import type { KernelFunc, Tensor } from '@tensorflow/tfjs-core'
import { type AdamAttributes, type AdamInputs, composedAdam } from '../adam.js'
import { tfCore } from '../tf.js'
import { attributeTypes } from './attributes.js'
import type { NativeBackend } from './backend.js'
import { dataTypes } from './c-api.js'

let variables = 0
const type = (name: string) => ({ name, type: attributeTypes.TF_ATTR_TYPE, value: dataTypes.TF_FLOAT })

export const adam: KernelFunc = ({ inputs, attrs, backend }) => {
  const tf = tfCore()
  const given = inputs as unknown as AdamInputs
  const { beta1, beta2, epsilon } = attrs as unknown as AdamAttributes
  const native = backend as NativeBackend
  const { binding } = native
  return tf.tidy((): Tensor[] => {
    if (binding.graph !== undefined) return composedAdam(given, { beta1, beta2, epsilon })
    const state = [given.weight, given.first, given.second]
    const ids = native.getInputTensorIds(state)
    const own = state.map(({ shape }, i) => {
      const name = { name: 'shared_name', type: attributeTypes.TF_ATTR_STRING, value: `shardbook_adam_${variables++}` }
      const place = { name: 'shape', type: attributeTypes.TF_ATTR_SHAPE, value: shape }
      const id = binding.add(binding.execute('VarHandleOp', [name, type('dtype'), place], [], 1)[0]!)
      binding.execute('AssignVariableOp', [type('dtype')], [id, ids[i]!], 0)
      return id
    })
    const numbers = [
      tf.pow(beta1, given.step),
      tf.pow(beta2, given.step),
      given.rate,
      tf.scalar(beta1),
      tf.scalar(beta2),
      tf.scalar(epsilon),
    ]
    const rest = native.getInputTensorIds([...numbers, given.gradient])
    try {
      binding.execute('ResourceApplyAdam', [type('T')], [...own, ...rest], 0)
      return own.map((id, i) => {
        const [handle] = binding.execute('ReadVariableOp', [type('dtype')], [id], 1)
        const shape = [...state[i]!.shape]
        return native.createOutputTensor({ id: binding.add(handle!), shape, dtype: dataTypes.TF_FLOAT })
      })
    } finally {
      for (const id of own) {
        binding.execute('DestroyResourceOp', [], [id], 0)
        binding.deleteTensor(id)
      }
    }
  })
}
