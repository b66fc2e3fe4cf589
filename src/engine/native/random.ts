/** `RandomUniform` in TensorFlow's operations: the generator of `core/random` on unsigned integers, element by element. */
import type { KernelFunc, TensorInfo } from '@tensorflow/tfjs-core'
import { tfCore } from '../tf.js'
import { attributeTypes } from './attributes.js'
import { type NativeBackend, nativeBackend } from './backend.js'
import { dataTypes } from './c-api.js'
import { typeAttribute } from './kernels.js'

const unsigned = { name: 'T', type: attributeTypes.TF_ATTR_TYPE, value: dataTypes.TF_UINT32 }

export function registerRandom(): void {
  const kernelFunc: KernelFunc = ({ inputs, attrs, backend }) => {
    const { key, rows } = inputs as { key: TensorInfo; rows: TensorInfo }
    const { stream, width } = attrs as unknown as { stream: number; width: number }
    const native = backend as NativeBackend
    const { binding } = native
    const made: number[] = []
    const run = (name: string, attributes: readonly object[], operands: readonly number[]): number => {
      const [result] = binding.executeOp(name, attributes as never, operands, 1)
      made.push(result!.id)
      return result!.id
    }
    const constant = (values: readonly number[], shape: readonly number[] = []): number => {
      const id = binding.createTensor(
        shape,
        dataTypes.TF_INT32,
        Int32Array.from(values, (value) => value | 0),
      )
      made.push(id)
      return id
    }
    const bits = (id: number): number =>
      run('Bitcast', [typeAttribute('T', 'int32'), { ...unsigned, name: 'type' }], [id])
    const number = (value: number): number => bits(constant([value]))
    const binary = (name: string) => (a: number, b: number) => run(name, [unsigned], [a, b])
    const [xor, shift, times, plus] = [binary('BitwiseXor'), binary('RightShift'), binary('Mul'), binary('AddV2')]
    const mix = (value: number): number => {
      const a = times(xor(value, shift(value, number(16))), number(0x85ebca6b))
      const b = times(xor(a, shift(a, number(13))), number(0xc2b2ae35))
      return xor(b, shift(b, number(16)))
    }
    const fold = (by: number, data: number): number =>
      mix(plus(mix(xor(by, number(0x85ebca6b))), times(plus(data, number(1)), number(0x9e3779b1))))
    const reshaped = (id: number, shape: readonly number[]): number =>
      run('Reshape', [unsigned, typeAttribute('Tshape', 'int32')], [id, constant(shape, [shape.length])])

    const [keyId, rowsId] = native.getInputTensorIds([key, rows]) as [number, number]
    const count = rows.shape[0]!
    const ofRows = fold(fold(bits(keyId), number(stream)), bits(rowsId))
    const range = run('Range', [typeAttribute('Tidx', 'int32')], [constant([0]), constant([width]), constant([1])])
    const columns = reshaped(bits(range), [1, width])
    const draws = shift(fold(reshaped(ofRows, [count, 1]), columns), number(8))
    const types = [
      { ...unsigned, name: 'SrcT' },
      typeAttribute('DstT', 'float32'),
      { name: 'Truncate', type: attributeTypes.TF_ATTR_BOOL, value: false },
    ]
    const whole = run('Cast', types, [draws])
    const scale = binding.createTensor([], dataTypes.TF_FLOAT, Float32Array.of(2 ** -24))
    made.push(scale)
    const [result] = binding.executeOp('Mul', [typeAttribute('T', 'float32')], [whole, scale], 1)
    for (const id of made) binding.deleteTensor(id)
    return native.createOutputTensor(result!)
  }
  tfCore().registerKernel({ kernelName: 'RandomUniform', backendName: nativeBackend, kernelFunc })
}
